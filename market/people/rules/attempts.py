"""How often a password may be tried: the lock-out, its back-off, and when failures are forgotten.

Five failures of one account, each within fifteen minutes of the one before, lock it for thirty
seconds; every failure after that doubles the lock, to fifteen minutes at most. So an account is
tried nine times in any quarter of an hour at most, and about 500 times a day, whoever asks and
over however many processes. Behind one client's address there may be a whole hospital, which one
guesser must not keep out for long: it is locked after fifty failures, and for a minute at most. The
database keeps the same rule for itself.
"""

from enum import StrEnum
from ipaddress import IPv6Network, ip_address
from typing import Final

import msgspec

ALLOWED: Final = {"account": 5, "address": 50}
FIRST_LOCK: Final = 30
LONGEST_LOCK: Final = {"account": 900, "address": 60}
FORGOTTEN_AFTER: Final = 900
_IPV6_NETWORK: Final = 64  # what one customer is given: within it an address is changed at will


class AttemptKind(StrEnum):
    """What attempts are counted of."""

    ACCOUNT = "account"
    ADDRESS = "address"


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """The failures counted so far, attempts that are still being checked among them.

    `quiet_for` is how many seconds ago the last was counted, `locked_for` how many the lock still
    lasts: negative once it is over, None if there was none.
    """

    failures: int
    quiet_for: float
    locked_for: float | None = None


def failures_after(tally: Tally | None) -> int:
    """How many failures there are if one more attempt fails; it is counted before it is checked."""
    if tally is None or _forgotten(tally):
        return 1
    return tally.failures + 1


def _forgotten(tally: Tally) -> bool:
    since_lock = FORGOTTEN_AFTER if tally.locked_for is None else -tally.locked_for
    return min(tally.quiet_for, since_lock) >= FORGOTTEN_AFTER


def lock_for(kind: AttemptKind, failures: int) -> int:
    """For how many seconds so many failures lock; 0 while they are few."""
    beyond = failures - ALLOWED[kind]
    return 0 if beyond < 0 else min(FIRST_LOCK * 2 ** min(beyond, 10), LONGEST_LOCK[kind])


def client_network(address: str) -> str:
    """What is counted of a client's address: of IPv6 the network that one customer is given."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    mapped = getattr(parsed, "ipv4_mapped", None)
    if mapped is not None:
        return str(mapped)
    if parsed.version == 4:  # noqa: PLR2004  # the protocol's own number
        return str(parsed)
    return str(IPv6Network((int(parsed), _IPV6_NETWORK), strict=False))
