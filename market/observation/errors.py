"""Refusals at the edge, before any feature is asked."""

from market.errors import Malformed, MarketError


class HeadersTooLarge(MarketError):
    """The headers of the request are larger than the market accepts: 32 KiB together."""

    status = 431
    title = "The request's headers are too large."


class MethodNotAllowed(MarketError):
    """The path exists, but not for this method; the Allow header lists those it has."""

    status = 405
    title = "This cannot be asked with this method. See the Allow header."


class WrongContentType(MarketError):
    """The body is not JSON by its Content-Type."""

    status = 415
    title = "Send the body as application/json."


class UnknownParameter(Malformed):
    """The query string holds a parameter this route does not have: a misspelt filter, perhaps."""

    title = "The request has a query parameter that this route does not know."


class UnstorableText(Malformed):
    """A text in the request holds a character that cannot be stored, such as NUL."""

    title = "A text in the request holds a character that cannot be stored, such as NUL."


class NotReady(MarketError):
    """The process lives but cannot serve at present; `errors` say what is missing."""

    status = 503
    title = "The market is not ready to serve."
    retry_after = 2


class InternalError(MarketError):
    """A fault of the market's programme. It is logged in full under the request's id."""

    status = 500
    title = "The market failed to carry out the request."

    def __init__(self) -> None:
        """Tell nothing of the insides."""
        super().__init__("This is a fault of the market, not of the request. It has been logged.")
