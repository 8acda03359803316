"""The one way to write JSON as bytes (RFC 8785), for the kinds of value a log of events holds."""

from collections.abc import Mapping

import rfc8785

DEEPEST = 32
"""How deep an exported event may be nested: a hostile one cannot exhaust the stack."""
MOST_EXACT = 2**53 - 1
"""The largest number that every language's JSON keeps exactly."""


class NotCanonical(ValueError):
    """A value has no single canonical form: a float, a number too large, broken text, too deep."""


def canonical(value: object, *, depth: int = 1) -> bytes:
    """Write strings, integers, booleans, null, arrays and objects as RFC 8785 canonical JSON.

    `depth` is how deep the value itself stands in an exported event. Floats are refused: nothing
    in a log needs one, and their spelling is where implementations differ. Raises NotCanonical.
    """
    _check(value, depth)
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # just checked
    except ValueError as error:  # also of text that is no Unicode, in the name of a member
        message = f"A value has no canonical form: {error}."
        raise NotCanonical(message) from error


def _check(value: object, depth: int) -> None:
    if value is None or isinstance(value, str | int):  # a bool is an int
        return
    if depth > DEEPEST:
        message = f"Nothing may be nested more than {DEEPEST} levels deep."
        raise NotCanonical(message)
    if isinstance(value, Mapping):
        for name, member in value.items():
            if not isinstance(name, str):
                raise NotCanonical("The names of members must be strings.")
            _check(member, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item, depth + 1)
    else:
        message = f"A {type(value).__name__} has no canonical form here."
        raise NotCanonical(message)
