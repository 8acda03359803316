"""Refusals about saved searches, named by their reason."""

from market.errors import Forbidden, Malformed, MarketError, NotFound, keeps

keeps("saved_search_only_ends")(NotFound)


@keeps("saved_search_own")
class NotActing(Forbidden):
    """A search is saved for the organisation one acts for, by a member of it."""

    title = "Sign in for one of your organisations: a search is saved for it."


@keeps("saved_search_values_in_order")
class SearchFaulty(Malformed):
    """The filters contradict each other or name what the market does not have."""

    title = "The search has faults. Each is listed with its field."


@keeps("saved_searches_bounded")
class TooManySearches(MarketError):
    """The person has as many saved searches as they can have."""

    title = "You have 20 saved searches for this organisation. End one first."
