"""Which types of events are asked for: an action, or all of a kind, such as `bid.*`."""

import re
from collections.abc import Collection

import msgspec

from market.errors import Fault
from market.events.errors import UnknownType

MOST_TYPES = 50
"""How many types one reader may ask for."""
LONGEST_TYPE = 80
LONGEST_WAIT = 30
"""How many seconds a reader may wait for events in one request."""
LONGEST_PAGE = 500
FARTHEST = 2**53 - 1
"""The greatest position that JSON carries safely everywhere (RFC 8259, section 6)."""

_TYPE = re.compile(r"(?P<kind>[a-z_]+)\.(?P<act>[a-z_]+|\*)", re.ASCII)


class Wanted(msgspec.Struct, frozen=True):
    """The types of events somebody wants, by action and by kind; everything where none is named."""

    actions: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()

    def has(self, action: str) -> bool:
        """Say whether events of an action are wanted."""
        everything = not self.actions and not self.kinds
        return everything or action in self.actions or action.partition(".")[0] in self.kinds


def wanted(types: Collection[str]) -> Wanted:
    """Read which types are asked for: `bid.submitted` is one, `bid.*` all of its kind.

    A type that no event has is not refused: the market may come to know it.

    Raises:
        UnknownType: one has another form, or there are more than the market takes.
    """
    if len(types) > MOST_TYPES:
        message = f"At most {MOST_TYPES} types can be asked for at once."
        raise UnknownType(message, faults=[Fault(field="type", reason=message)])
    actions, kinds = set(), set()
    for given in types:
        found = _TYPE.fullmatch(given) if len(given) <= LONGEST_TYPE else None
        if found is None:
            reason = "A type is an action, such as bid.submitted, or a kind, such as bid.*"
            raise UnknownType(f"type: {reason}", faults=[Fault(field="type", reason=reason)])
        if found["act"] == "*":
            kinds.add(found["kind"])
        else:
            actions.add(given)
    return Wanted(frozenset(actions), frozenset(kinds))
