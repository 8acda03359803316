"""Links between parties: their kinds, the words for them, shares, and what a majority is."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from msgspec import Struct

from market.money import plain_text

_WHOLE = Decimal(100)
_HALF = Decimal(50)


class PartyKind(StrEnum):
    """What a node of the graph is; unknown: referred to, or described as unknown or anonymous."""

    ENTITY = "entity"
    PERSON = "person"
    UNKNOWN = "unknown"


class LinkKind(StrEnum):
    """How a holder is linked to a subject.

    The interest types of the Beneficial Ownership Data Standard 0.4 in the market's words, and a
    partnership.
    """

    SHAREHOLDING = "shareholding"
    VOTING_RIGHTS = "voting_rights"
    BOARD_APPOINTMENT = "board_appointment"
    INFLUENCE_OR_CONTROL = "influence_or_control"
    SENIOR_MANAGER = "senior_manager"
    DIRECTORSHIP = "directorship"
    BOARD_CHAIR = "board_chair"
    PARTNERSHIP = "partnership"
    SETTLOR = "settlor"
    TRUSTEE = "trustee"
    PROTECTOR = "protector"
    TRUST_BENEFICIARY = "trust_beneficiary"
    SURPLUS_ASSETS = "surplus_assets"
    PROFIT_OR_INCOME = "profit_or_income"
    CONTRACTUAL_RIGHTS = "contractual_rights"
    CONDITIONAL_RIGHTS = "conditional_rights"
    ARTICLES_CONTROL = "articles_control"
    LEGAL_CONTROL = "legal_control"
    ASSET_USE = "asset_use"
    ASSET_INCOME = "asset_income"
    NOMINEE = "nominee"
    NOMINATOR = "nominator"
    UNKNOWN_INTEREST = "unknown_interest"
    UNPUBLISHED_INTEREST = "unpublished_interest"


class Share(Struct, frozen=True, kw_only=True, gc=False):
    """A percentage, exact where both ends are the same."""

    minimum: Decimal
    maximum: Decimal

    @property
    def exact(self) -> bool:
        """True where the share is known exactly."""
        return self.minimum == self.maximum

    @property
    def strength(self) -> Fraction:
        """The most it can be, as a part of the whole."""
        return Fraction(self.maximum) / 100

    def __str__(self) -> str:
        """As in a sentence: "12 %", "25 to 50 %", "up to 25 %"."""
        if self.exact:
            return f"{plain_text(self.maximum)} %"
        if not self.minimum:
            return f"up to {plain_text(self.maximum)} %"
        return f"{plain_text(self.minimum)} to {plain_text(self.maximum)} %"


COUNTABLE = frozenset(
    {
        LinkKind.SHAREHOLDING,
        LinkKind.VOTING_RIGHTS,
        LinkKind.BOARD_APPOINTMENT,
        LinkKind.PARTNERSHIP,
        LinkKind.SURPLUS_ASSETS,
        LinkKind.PROFIT_OR_INCOME,
        LinkKind.ASSET_INCOME,
        LinkKind.TRUST_BENEFICIARY,
    }
)
"""The kinds that can have a share."""


class Words(Struct, frozen=True):
    """A link in words: from holder to subject, and from subject to holder."""

    forward: str
    backward: str


# With a share, `{share}` is put in; a kind without its own words for shares says it behind.
_WITH_SHARE: Mapping[LinkKind, Words] = MappingProxyType(
    {
        LinkKind.SHAREHOLDING: Words("owns {share} of", "is {share} owned by"),
        LinkKind.VOTING_RIGHTS: Words(
            "holds {share} of the votes in", "has {share} of its votes held by"
        ),
        LinkKind.BOARD_APPOINTMENT: Words(
            "may appoint {share} of the board of", "has {share} of its board appointed by"
        ),
        LinkKind.PARTNERSHIP: Words("is a partner of {share} in", "has as a partner of {share}"),
        LinkKind.SURPLUS_ASSETS: Words(
            "has a right to {share} of the surplus assets of", "owes {share} of its surplus to"
        ),
        LinkKind.PROFIT_OR_INCOME: Words(
            "has a right to {share} of the income of", "owes {share} of its income to"
        ),
        LinkKind.ASSET_INCOME: Words(
            "has a right to {share} of the income from assets of",
            "owes {share} of the income from its assets to",
        ),
        LinkKind.TRUST_BENEFICIARY: Words(
            "is a beneficiary of {share} of", "has as a beneficiary of {share}"
        ),
    }
)
_WITHOUT: Mapping[LinkKind, Words] = MappingProxyType(
    {
        LinkKind.SHAREHOLDING: Words("owns shares of", "is partly owned by"),
        LinkKind.VOTING_RIGHTS: Words("holds votes in", "has votes held by"),
        LinkKind.BOARD_APPOINTMENT: Words("may appoint the board of", "has a board appointed by"),
        LinkKind.INFLUENCE_OR_CONTROL: Words(
            "has influence or control over", "is under the influence or control of"
        ),
        LinkKind.SENIOR_MANAGER: Words("is a senior manager of", "has as a senior manager"),
        LinkKind.DIRECTORSHIP: Words("is a director of", "has as a director"),
        LinkKind.BOARD_CHAIR: Words("chairs the board of", "has a board chaired by"),
        LinkKind.PARTNERSHIP: Words("is a partner in", "has as a partner"),
        LinkKind.SETTLOR: Words("is the settlor of", "has as its settlor"),
        LinkKind.TRUSTEE: Words("is a trustee of", "has as a trustee"),
        LinkKind.PROTECTOR: Words("is a protector of", "has as a protector"),
        LinkKind.TRUST_BENEFICIARY: Words("is a beneficiary of", "has as a beneficiary"),
        LinkKind.SURPLUS_ASSETS: Words(
            "has a right to surplus assets of", "owes a part of its surplus to"
        ),
        LinkKind.PROFIT_OR_INCOME: Words(
            "has a right to income of", "owes a part of its income to"
        ),
        LinkKind.CONTRACTUAL_RIGHTS: Words(
            "has rights by contract over", "is bound by contract to"
        ),
        LinkKind.CONDITIONAL_RIGHTS: Words(
            "has conditional rights by contract over", "is conditionally bound by contract to"
        ),
        LinkKind.ARTICLES_CONTROL: Words(
            "controls by its articles", "is controlled by its articles by"
        ),
        LinkKind.LEGAL_CONTROL: Words("controls by law", "is controlled by law by"),
        LinkKind.ASSET_USE: Words("has the use of assets of", "gives the use of its assets to"),
        LinkKind.ASSET_INCOME: Words(
            "has a right to income from assets of", "owes income from its assets to"
        ),
        LinkKind.NOMINEE: Words("is a nominee in", "has as a nominee"),
        LinkKind.NOMINATOR: Words("is a nominator in", "has as a nominator"),
        LinkKind.UNKNOWN_INTEREST: Words(
            "has an interest of unknown kind in", "is subject to an interest of unknown kind of"
        ),
        LinkKind.UNPUBLISHED_INTEREST: Words(
            "has an unpublished interest in", "is subject to an unpublished interest of"
        ),
    }
)


def words_for(kind: LinkKind, share: Share | None, *, indirect: bool = False) -> Words:
    """Say a link, so that a party's name can stand before it and another's behind it."""
    if share is not None and kind in _WITH_SHARE:
        words = _WITH_SHARE[kind]
        forward = words.forward.format(share=share)
        backward = words.backward.format(share=share)
    else:
        forward, backward = _WITHOUT[kind].forward, _WITHOUT[kind].backward
    if indirect:
        verb, _, rest = backward.partition(" ")
        return Words(f"indirectly {forward}", f"{verb} indirectly {rest}")
    return Words(forward, backward)


def strength_of(kind: LinkKind, share: Share | None) -> Fraction:
    """How strong a link can be: the upper bound of its share, or the whole where none is known."""
    return share.strength if share is not None and kind in COUNTABLE else Fraction(1)


def is_majority(kind: LinkKind, share: Share | None) -> bool:
    """Say whether the link makes the holder a parent: Companies Act 2006, section 1159.

    A majority of the shares or voting rights, or the right to appoint or remove a majority of the
    board. The registers' range "50 to 75 %" means more than 50, so a range from 50 counts; exactly
    50 does not. A right over the board without a share is one over its majority, as the register
    of people with significant control (schedule 1A) asks for no less.
    """
    if kind is LinkKind.BOARD_APPOINTMENT and share is None:
        return True
    if kind not in {LinkKind.SHAREHOLDING, LinkKind.VOTING_RIGHTS, LinkKind.BOARD_APPOINTMENT}:
        return False
    return share is not None and share.minimum >= _HALF and share.maximum > _HALF


def share_fault(minimum: Decimal, maximum: Decimal) -> str | None:
    """Say what is wrong with a share in per cent, if anything is."""
    if minimum < 0 or maximum < 0:
        return "A share cannot be below 0 %."
    if minimum > _WHOLE or maximum > _WHOLE:
        return "A share cannot be over 100 %."
    if minimum > maximum:
        return (
            f"The share's minimum, {plain_text(minimum)} %, is over its maximum,"
            f" {plain_text(maximum)} %."
        )
    return None
