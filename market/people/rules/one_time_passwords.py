"""Time-based one-time passwords (RFC 6238): which step a code is of, and that it is a new one."""

import hmac
import re
from typing import Final

import pyotp

STEP_SECONDS: Final = 30
WINDOW: Final = 1
"""Steps before and after the present one whose codes are taken: clocks differ, people are slow."""

_CODE = re.compile(r"[0-9]{6}")
_SPACES = re.compile(r"[\s-]")


def normal_code(text: str) -> str:
    """A code or recovery code as it is compared: without the spaces and dashes people type."""
    return _SPACES.sub("", text).lower()


def looks_like_code(text: str) -> bool:
    """Say whether this is meant for a code of an authenticator, and not for a recovery code."""
    return _CODE.fullmatch(normal_code(text)) is not None


def matching_step(secret: str, code: str, now: float, last_step: int | None) -> int | None:
    """The time step a code belongs to: within the window, and later than the last one accepted.

    None if there is none. A code is good once (RFC 6238, section 5.2), and so is every older one.
    `secret` is base32, `now` seconds since 1970. SHA-1, six digits, steps of thirty seconds: what
    every authenticator does.
    """
    if _CODE.fullmatch(code) is None:
        return None
    present = int(now) // STEP_SECONDS
    generator = pyotp.HOTP(secret)
    found = None
    for step in range(max(present - WINDOW, 0), present + WINDOW + 1):
        fits = hmac.compare_digest(generator.at(step), code)
        if fits and (last_step is None or step > last_step) and found is None:
            found = step
    return found
