"""What can be said of an action: kinds of details, and whose affair its private part is."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What a detail of an event is. None of them is a text that somebody wrote.

    Details stay for good and are hashed as they are; whatever else there is to say is private:
    kept apart, committed to by a salted digest, erasable.
    """

    ID = "id"
    IDS = "ids"
    CODE = "code"  # a word of a fixed vocabulary, or a name that the market gave
    CODES = "codes"
    NUMBER = "number"
    TRUTH = "truth"
    INSTANT = "instant"
    DATE = "date"
    DIGEST = "digest"


class Whose(StrEnum):
    """Whom the private part of an event, and what its digests commit to, is about.

    It is erased with them: of the person who acted, of the person who is the event's subject, or of
    the person of the interest, gift or breach that is.
    """

    ACTOR = "actor"
    SUBJECT = "subject"
    INTEREST = "interest"
    GIFT = "gift"
    BREACH = "breach"


class Action(msgspec.Struct, frozen=True):
    """One action: what it means, the kinds of its subject, and the kinds of its details.

    `private` names what is kept apart. `commits_to` says of what `before` and `after` are salted
    digests. `whose` says, by the kind of the subject, whom the private part and the digests are
    about, where that is one person; else they belong to the matter, and stay. An `own_affair` is
    a matter of the person's own account: it is no act that the market has to account for later.
    """

    means: str
    of: tuple[str, ...]
    details: Mapping[str, Kind] = {}
    private: tuple[str, ...] = ()
    commits_to: str | None = None
    whose: Mapping[str, Whose] = {}
    own_affair: bool = False
