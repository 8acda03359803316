"""What a mail server's refusal means for a mail (RFC 5321, sections 4.2.1 and 4.3.2)."""

from enum import StrEnum

_TOO_LARGE = 552
_CLOSING = 421
_PERMANENT = 500


class Stage(StrEnum):
    """What the server was asked when it refused."""

    GREETING = "greeting"
    """Connecting, TLS, signing in: nothing to do with any mail."""
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


class Verdict(StrEnum):
    """What to do with the mail."""

    LATER = "later"
    NEVER = "never"
    SERVER = "server"
    """Later as well; and other mails need not be tried now, as it is the server's or settings'."""


def verdict(stage: Stage, code: int) -> Verdict:
    """Judge a refusal: 4xx passes, 5xx stays, and what says nothing of this mail is the server's.

    A permanent refusal of the greeting or of the market's own address is a fault of the settings,
    which somebody will correct: no notice is lost for it.
    """
    if code == _CLOSING or stage is Stage.GREETING:
        return Verdict.SERVER
    if stage is Stage.SENDER:
        return Verdict.NEVER if code == _TOO_LARGE else Verdict.SERVER
    return Verdict.NEVER if code >= _PERMANENT else Verdict.LATER
