"""When a price appears abnormally low: the indicators that a requirement publishes, if any."""

from collections.abc import Iterator

from msgspec import Struct

from market.errors import Fault
from market.money import DecimalText, decimal_of, plain_text

_WHOLE = 100


class AbnormallyLow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At how many per cent below other prices a price is to be explained before it can win.

    `below_mean` compares with the mean of the other bids, `below_next` with the lowest price above
    it. They only flag: what follows is asked, decided and recorded by people (Public Contracts
    Regulations 2015, regulation 69; Procurement Act 2023, section 19(3)(c), (4) and (5)).
    """

    below_mean: DecimalText | None = None
    below_next: DecimalText | None = None


def low_price_faults(published: AbnormallyLow | None) -> Iterator[Fault]:
    """Report indicators that flag nothing, or every price."""
    if published is None:
        return
    shares = {"below_mean": published.below_mean, "below_next": published.below_next}
    if not any(shares.values()):
        reason = "Give at least one share, or leave abnormally_low out; this flags nothing."
        yield Fault(field="abnormally_low", reason=reason)
    for name, share in shares.items():
        if share is not None and not 0 < decimal_of(share) < _WHOLE:
            reason = (
                f"The share is {plain_text(decimal_of(share))}; it is a percentage and must lie"
                " above 0 and below 100."
            )
            yield Fault(field=f"abnormally_low.{name}", reason=reason)
