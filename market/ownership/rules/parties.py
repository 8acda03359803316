"""The parties that a file speaks of: found or made, named, and merged where two are one."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from uuid import UUID

from market.errors import Fault
from market.ownership.rules.known import Identifier, Known, KnownParty, Named
from market.ownership.rules.links import PartyKind
from market.ownership.rules.same import SameParties
from market.ownership.rules.statements import Described, Reference, Related, Statement

_LONGEST_NAME = 300  # a reference in the place of a name
_EARLIEST = date.min


class Parties:
    """The parties that the file speaks of, each found or made, by every name it has there."""

    def __init__(
        self,
        fresh: Sequence[Statement],
        known: Known,
        new_id: Callable[[], UUID],
        faults: list[Fault],
    ) -> None:
        """Settle every party of the file; what cannot be is added to the faults."""
        self.of: dict[Reference, UUID] = {}
        self.made: list[Named] = []
        self.renamed: list[Named] = []
        self.merged: list[tuple[UUID, UUID]] = []
        self.identifiers: list[tuple[UUID, Identifier]] = []
        self.references: list[tuple[UUID, Reference]] = []
        self.unresolved: list[str] = []
        self._names: dict[UUID, str] = {}
        self._known = known
        self._new_id = new_id
        self._faults = faults
        same: SameParties = SameParties()
        described = self._gather(fresh, same)
        for group in same.groups():
            self._settle(group, described)

    def name(self, party: UUID) -> str:
        """What a party is called after the import."""
        return self._names.get(party, str(party))

    def _gather(
        self, fresh: Sequence[Statement], same: SameParties
    ) -> dict[Reference, list[Statement]]:
        """Say which references and identifiers are of one party; give who describes which."""
        described: dict[Reference, list[Statement]] = defaultdict(list)
        for statement in fresh:
            says = statement.says
            if isinstance(says, Related):
                for reference in (says.holder, says.subject):
                    if reference is not None:
                        same.add(("reference", reference))
                continue
            described[statement.reference].append(statement)
            node = ("reference", statement.reference)
            same.add(node)
            for identifier in says.identifiers:
                same.join(node, ("identifier", identifier))
            for key in statement.replaces:
                same.join(node, ("reference", (statement.reference[0], key)))
        for node in list(same.nodes()):
            kind, value = node
            table = self._known.references if kind == "reference" else self._known.identifiers
            if (party := table.get(value)) is not None:
                same.join(node, ("party", ("", str(party))))
        return described

    def _settle(
        self, group: Sequence[tuple[str, Reference]], described: Mapping[Reference, list[Statement]]
    ) -> None:
        """Find or make the one party that a group of references and identifiers stands for."""
        references = [value for kind, value in group if kind == "reference"]
        olds = sorted(UUID(value[1]) for kind, value in group if kind == "party")
        said = sorted(
            (statement for item in references for statement in described.get(item, ())),
            key=lambda statement: statement.dated or _EARLIEST,
        )
        party = olds[0] if olds else self._new_id()
        self._name_it(party, [self._known.parties[old] for old in olds], said, references)
        self.merged += [(old, party) for old in olds[1:]]
        for kind, value in group:
            if kind == "reference":
                self.of[value] = party
                if value not in self._known.references:
                    self.references.append((party, value))
            elif kind == "identifier" and value not in self._known.identifiers:
                self.identifiers.append((party, value))

    def _name_it(
        self,
        party: UUID,
        olds: Sequence[KnownParty],
        said: Sequence[Statement],
        references: Sequence[Reference],
    ) -> None:
        kind = self._kind(olds, said)
        name, named_on = _latest_name(olds, said)
        if not name:
            name = references[0][1][:_LONGEST_NAME]
            self.unresolved.append(name)
        self._names[party] = name
        named = Named(party, kind, name, named_on)
        if not olds:
            self.made.append(named)
        elif (kind, name, named_on) != (olds[0].kind, olds[0].name, olds[0].named_on):
            self.renamed.append(named)

    def _kind(self, olds: Sequence[KnownParty], said: Sequence[Statement]) -> PartyKind:
        """What the party is: everybody who says so must say the same."""
        kinds = {old.kind for old in olds} - {PartyKind.UNKNOWN}
        for statement in said:
            says = statement.says
            if isinstance(says, Described) and says.kind is not PartyKind.UNKNOWN:
                if kinds - {says.kind}:
                    reason = "By its identifiers this is both an entity and a person."
                    self._faults.append(Fault(field=statement.where, reason=reason))
                kinds.add(says.kind)
        return min(kinds, default=PartyKind.UNKNOWN)


def _latest_name(olds: Sequence[KnownParty], said: Sequence[Statement]) -> tuple[str, date | None]:
    """The name that was given last; one that only stands for a name gives way to any."""
    name, named_on = "", None
    for old in olds:
        if not name or (old.named_on or _EARLIEST) > (named_on or _EARLIEST):
            name, named_on = old.name, old.named_on
    unnamed = all(old.kind is PartyKind.UNKNOWN for old in olds)
    for statement in said:
        later = (statement.dated or _EARLIEST) >= (named_on or _EARLIEST)
        if isinstance(statement.says, Described) and (unnamed or later):
            name, named_on, unnamed = statement.says.name, statement.dated, False
    return name, named_on
