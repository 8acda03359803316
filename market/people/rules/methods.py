"""The ways in which somebody can have signed in."""

from enum import StrEnum


class SignInMethod(StrEnum):
    """By what a session was begun. The second and third are of a password with a code."""

    PASSWORD = "password"  # noqa: S105  # a word, no secret
    ONE_TIME_PASSWORD = "one_time_password"  # noqa: S105  # the same
    RECOVERY_CODE = "recovery_code"
    SINGLE_SIGN_ON = "single_sign_on"
