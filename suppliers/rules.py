"""Pure rules about applications to supply: everything that is wrong with one, at once."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct

from market.errors import Fault
from market.organisations.rules import (
    Identifier,
    OrganisationKind,
    Scheme,
    identifier_faults,
)

APPLICANT_KINDS: Final = (
    OrganisationKind.COMMISSIONING_SUPPORT_UNIT,
    OrganisationKind.THIRD_SECTOR,
    OrganisationKind.COMMERCIAL,
)
"""The kinds that compete in this market, on equal terms."""

_KINDS_IN_WORDS: Final = "commissioning_support_unit, third_sector or commercial"


class Known(Struct, frozen=True, kw_only=True):
    """An organisation that the market knows by an identifier which an applicant gave."""

    organisation: UUID
    kind: OrganisationKind
    demonstration: bool
    # named by an earlier application that came to nothing: nobody has confirmed what it is
    proposed: bool
    scheme: Scheme
    identifier: str


def form_faults(
    kind: OrganisationKind, identifiers: Sequence[Identifier], service_lines: Sequence[str]
) -> list[Fault]:
    """Everything that is wrong with an application by itself, whatever the market knows."""
    faults: list[Fault] = []
    if kind not in APPLICANT_KINDS:
        reason = f"Suppliers are of one of these kinds: {_KINDS_IN_WORDS}."
        faults.append(Fault(field="organisation.kind", reason=reason))
    for fault in identifier_faults(kind, identifiers):
        # the API calls `identifier` what the rules call `value`
        field = fault.field.removesuffix("value") + "identifier" * fault.field.endswith("value")
        faults.append(Fault(field=f"organisation.{field}", reason=fault.reason))
    seen: set[str] = set()
    for number, code in enumerate(service_lines):
        if code in seen:
            reason = f"{code} is given twice. Give it once."
            faults.append(Fault(field=f"service_lines[{number}]", reason=reason))
        seen.add(code)
    return faults


def service_line_faults(given: Sequence[str], known: Collection[str]) -> list[Fault]:
    """The service lines that the market does not have."""
    return [
        Fault(field=f"service_lines[{number}]", reason="There is no such service line.")
        for number, code in enumerate(given)
        if code not in known
    ]


def standing_faults(
    kind: OrganisationKind,
    identifiers: Sequence[Identifier],
    known: Sequence[Known],
    *,
    demonstration: bool,
) -> list[Fault]:
    """What contradicts the organisation that the market knows by the given identifiers.

    `identifiers` are normalised. An application adds no identifiers to a confirmed organisation
    and makes it nothing else; one that was only proposed may be described anew.
    """
    if not known:
        return []
    if len({one.organisation for one in known}) > 1:
        reason = "These identifiers belong to different organisations. Give those of one."
        return [Fault(field="organisation.identifiers", reason=reason)]
    found = known[0]
    if found.proposed:
        return []
    faults: list[Fault] = []
    if found.kind is not kind:
        reason = f"This organisation is registered as {found.kind}."
        faults.append(Fault(field="organisation.kind", reason=reason))
    if demonstration and not found.demonstration:
        reason = "This organisation is registered, and not for demonstration."
        faults.append(Fault(field="demonstration", reason=reason))
    held = {(one.scheme, one.identifier) for one in known}
    for number, identifier in enumerate(identifiers):
        if (identifier.scheme, identifier.value) not in held:
            reason = (
                "This organisation is registered without this identifier. Leave it out: an"
                " application adds none to an organisation that is registered."
            )
            faults.append(
                Fault(field=f"organisation.identifiers[{number}].identifier", reason=reason)
            )
    return faults
