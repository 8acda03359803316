"""What a new password must be: long, and not among those that are guessed first."""

import threading
from collections.abc import Iterable
from typing import Any, Final

from zxcvbn import zxcvbn

from market.errors import Fault

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 200

_WEAKEST_TAKEN: Final = 3
"""Of zxcvbn's scores 0 to 4: three is more than 10^8 guesses (Wheeler, USENIX Security 2016)."""

_LOOKED_AT: Final = 32
"""Characters at the beginning that are judged. What holds with these holds with more, and a hostile
password of 72 characters keeps zxcvbn busy for two seconds, one of 32 for a fifth of that."""

_SPOKEN_HERE: Final = ("nhs", "market", "commissioning", "support", "password", "clinical")
_SHORTEST_PART: Final = 4  # shorter names occur in any sentence

_ONE_AT_A_TIME = threading.Lock()
"""zxcvbn keeps the words it is given in a table of its module: two threads would mix them up."""

_ADVICE: Final = "Take four or five words that have nothing to do with each other or with you."
_LITTLE: Final = "There is too little in it."
_WEAKNESSES: Final = {
    "passwords": "It is, or resembles, a password that many people use.",
    "user_inputs": "It is made of your name, address or organisation.",
    "surnames": "It is made of common names.",
    "male_names": "It is made of common names.",
    "female_names": "It is made of common names.",
    "spatial": "It follows the keys of the keyboard.",
    "repeat": "It is the same few characters repeated.",
    "sequence": "It is a sequence such as abc or 6543.",
    "regex": "It is little more than a year.",
    "date": "It is little more than a date.",
}


def password_faults(
    password: str, *, email: str, name: str, others: Iterable[str] = ()
) -> list[Fault]:
    """Everything that is wrong with a new password, as NIST SP 800-63B would have it judged.

    Length counts, and how soon it would be guessed; nothing is asked of its characters. `others`
    are words that somebody who knows the person would try: the names of their organisations.
    """
    faults = []
    if len(password) < SHORTEST_PASSWORD:
        reason = f"A password has at least {SHORTEST_PASSWORD} characters; a few words do well."
        faults.append(reason)
    own = _parts([email.partition("@")[0], name])
    if any(part in password.lower() for part in own if len(part) >= _SHORTEST_PART):
        faults.append("A password does not hold your name or e-mail address.")
    guessable = _guessable(password, [*own, *_parts([email.partition("@")[2], *others])])
    if guessable is not None:
        faults.append(f"This password is too easy to guess. {guessable} {_ADVICE}")
    return [Fault(field="password", reason=reason) for reason in faults]


def _parts(said: Iterable[str]) -> list[str]:
    """Texts and their words in small letters, as zxcvbn and the eye compare them."""
    found = dict.fromkeys(text.strip().lower() for text in said)
    for text in list(found):
        for mark in "@.-_,'":
            text = text.replace(mark, " ")  # noqa: PLW2901  # the words of the same text
        found.update(dict.fromkeys(text.split()))
    return [part for part in found if part]


def _guessable(password: str, known: list[str]) -> str | None:
    """Say why a password is too easy to guess; None if it is not."""
    if not password:  # which zxcvbn cannot judge
        return _LITTLE
    with _ONE_AT_A_TIME:
        judged: dict[str, Any] = zxcvbn(password[:_LOOKED_AT], user_inputs=[*known, *_SPOKEN_HERE])
    if judged["score"] >= _WEAKEST_TAKEN:
        return None
    longest: dict[str, Any] = max(
        judged["sequence"], key=lambda match: len(match["token"]), default={}
    )
    kind = longest.get("dictionary_name", longest.get("pattern", ""))
    return _WEAKNESSES.get(kind, _LITTLE)
