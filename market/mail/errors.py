"""Refusals about notices, named by their reason."""

from market.errors import Malformed, MarketError, keeps


class FormalKind(MarketError):
    """Somebody meant to switch off what the law or a tender's rules want them to be told."""

    status = 422
    title = "Notices of this kind are formal: they can be gathered in the digest, not switched off."


class UnknownNoticeKind(Malformed):
    """A choice was made about a kind of notice that the market does not have."""

    title = "The market has no notices of this kind. See /api/v1/notice-preferences for all."


class UnsubscribeAddressFaulty(Malformed):
    """The address for unsubscribing was cut off or changed on its way, or is none of ours."""

    title = "This address for unsubscribing is not one the market gave: use the whole of it."


@keeps("notice_settled")
class NoticeSettled(MarketError):
    """What became of a notice was to be changed afterwards."""

    title = "What became of a notice, and the mail it goes in, stay."
