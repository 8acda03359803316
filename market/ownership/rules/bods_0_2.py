"""The Beneficial Ownership Data Standard 0.2: what the market takes from its statements."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

import msgspec

from market.errors import Fault
from market.ownership.rules.links import LinkKind, PartyKind
from market.ownership.rules.statements import (
    LONGEST_ID,
    LONGEST_NAME,
    MOST_INTERESTS,
    MOST_REFERENCES,
    BadStatement,
    Described,
    Interest,
    Piece,
    Reference,
    Related,
    Statement,
    StatementKind,
    Version,
    checked_identifiers,
    day_of,
    interest_faults,
    length_faults,
    share_of,
    tidy_identifier,
    tidy_name,
)

SCOPE = "statement"
"""Ids of statements are unique in the world, and 0.2 refers to parties by them."""

# The codelist interestType of 0.2, and of 0.1 where it was called otherwise.
_KINDS: Mapping[str, LinkKind] = MappingProxyType(
    {
        "shareholding": LinkKind.SHAREHOLDING,
        "voting-rights": LinkKind.VOTING_RIGHTS,
        "appointment-of-board": LinkKind.BOARD_APPOINTMENT,
        "influence-or-control": LinkKind.INFLUENCE_OR_CONTROL,
        "other-influence-or-control": LinkKind.INFLUENCE_OR_CONTROL,
        "senior-managing-official": LinkKind.SENIOR_MANAGER,
        "settlor-of-trust": LinkKind.SETTLOR,
        "trustee-of-trust": LinkKind.TRUSTEE,
        "protector-of-trust": LinkKind.PROTECTOR,
        "beneficiary-of-trust": LinkKind.TRUST_BENEFICIARY,
        "other-influence-or-control-of-trust": LinkKind.INFLUENCE_OR_CONTROL,
        "rights-to-surplus-assets": LinkKind.SURPLUS_ASSETS,
        "rights-to-surplus-assets-on-dissolution": LinkKind.SURPLUS_ASSETS,
        "rights-to-profit-or-income": LinkKind.PROFIT_OR_INCOME,
        "rights-granted-by-contract": LinkKind.CONTRACTUAL_RIGHTS,
        "conditional-rights-granted-by-contract": LinkKind.CONDITIONAL_RIGHTS,
        "control-via-company-rules-or-articles": LinkKind.ARTICLES_CONTROL,
        "control-by-legal-framework": LinkKind.LEGAL_CONTROL,
        "board-member": LinkKind.DIRECTORSHIP,
        "board-chair": LinkKind.BOARD_CHAIR,
        "unknown-interest": LinkKind.UNKNOWN_INTEREST,
        "unpublished-interest": LinkKind.UNPUBLISHED_INTEREST,
    }
)


class _Identifier(msgspec.Struct, frozen=True):
    id: str | None = None
    scheme: str | None = None
    schemeName: str | None = None  # noqa: N815  # the standard's own names, here and below


class _Name(msgspec.Struct, frozen=True):
    fullName: str | None = None  # noqa: N815
    familyName: str | None = None  # noqa: N815
    givenName: str | None = None  # noqa: N815


class _Unspecified(msgspec.Struct, frozen=True):
    reason: str
    description: str | None = None


class _Subject(msgspec.Struct, frozen=True):
    describedByEntityStatement: str | None = None  # noqa: N815


class _Party(msgspec.Struct, frozen=True):
    describedByEntityStatement: str | None = None  # noqa: N815
    describedByPersonStatement: str | None = None  # noqa: N815
    unspecified: _Unspecified | None = None


class _Share(msgspec.Struct, frozen=True):
    exact: Decimal | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None


class _Interest(msgspec.Struct, frozen=True):
    type: str | None = None
    interestLevel: Literal["direct", "indirect", "unknown"] | None = None  # noqa: N815
    share: _Share | None = None
    startDate: date | None = None  # noqa: N815
    endDate: date | None = None  # noqa: N815


class _Statement(
    msgspec.Struct, frozen=True, tag_field="statementType", kw_only=True, omit_defaults=True
):
    statementID: str  # noqa: N815
    statementDate: str | None = None  # noqa: N815
    replacesStatements: list[str] = []  # noqa: N815


class _Entity(_Statement, frozen=True, kw_only=True, tag="entityStatement"):
    entityType: Literal[  # noqa: N815
        "registeredEntity",
        "legalEntity",
        "arrangement",
        "anonymousEntity",
        "unknownEntity",
        "state",
        "stateBody",
    ]
    name: str | None = None
    alternateNames: list[str] = []  # noqa: N815
    identifiers: list[_Identifier] = []


class _Person(_Statement, frozen=True, kw_only=True, tag="personStatement"):
    personType: Literal["anonymousPerson", "unknownPerson", "knownPerson"]  # noqa: N815
    names: list[_Name] = []
    identifiers: list[_Identifier] = []


class _Relationship(_Statement, frozen=True, kw_only=True, tag="ownershipOrControlStatement"):
    subject: _Subject
    interestedParty: _Party  # noqa: N815
    interests: list[_Interest] = []
    isComponent: bool = False  # noqa: N815
    componentStatementIDs: list[str] = []  # noqa: N815


_DECODER: msgspec.json.Decoder[_Entity | _Person | _Relationship] = msgspec.json.Decoder(
    _Entity | _Person | _Relationship
)


def read(piece: Piece) -> Statement:
    """Read one statement of version 0.2.

    Raises:
        BadStatement: with its faults.
        msgspec.ValidationError: a field that is missing or of the wrong type.
    """
    read_one = _DECODER.decode(piece.raw)
    faults = length_faults(read_one.statementID, "statementID", LONGEST_ID)
    if len(read_one.replacesStatements) > MOST_REFERENCES:
        faults.append(Fault(field="replacesStatements", reason="There are too many."))
    for number, replaced in enumerate(read_one.replacesStatements[:MOST_REFERENCES]):
        faults += length_faults(replaced, f"replacesStatements[{number}]", LONGEST_ID)
    says: Described | Related
    if isinstance(read_one, _Relationship):
        kind = StatementKind.RELATIONSHIP
        says = _related(read_one, faults)
    else:
        kind = StatementKind.PERSON if isinstance(read_one, _Person) else StatementKind.ENTITY
        says = _described(read_one, faults)
    if faults:
        raise BadStatement(*faults)
    return Statement(
        where=piece.where,
        key=read_one.statementID,
        version=Version.V0_2,
        kind=kind,
        reference=(SCOPE, read_one.statementID),
        dated=day_of(read_one.statementDate, "statementDate"),
        replaces=tuple(read_one.replacesStatements),
        says=says,
        digest=piece.digest,
        content=piece.text,
    )


def _described(read_one: _Entity | _Person, faults: list[Fault]) -> Described:
    if isinstance(read_one, _Person):
        kind = PartyKind.PERSON if read_one.personType == "knownPerson" else PartyKind.UNKNOWN
        name = next(filter(None, map(_full_name, read_one.names)), "")
        missing = "A person whose name is not given"
    else:
        unknown = read_one.entityType in {"anonymousEntity", "unknownEntity"}
        kind = PartyKind.UNKNOWN if unknown else PartyKind.ENTITY
        name = next(filter(None, map(tidy_name, [read_one.name, *read_one.alternateNames])), "")
        missing = "An entity whose name is not given"
    faults += length_faults(name or missing, "name", LONGEST_NAME)
    return Described(kind=kind, name=name or missing, identifiers=_identifiers(read_one, faults))


def _full_name(name: _Name) -> str:
    parts = f"{name.givenName or ''} {name.familyName or ''}"
    return tidy_name(name.fullName) or tidy_name(parts)


def _identifiers(read_one: _Entity | _Person, faults: list[Fault]) -> tuple[tuple[str, str], ...]:
    given = [tidy_identifier(one.scheme, one.schemeName, one.id) for one in read_one.identifiers]
    return checked_identifiers(given, "identifiers", faults)


def _related(read_one: _Relationship, faults: list[Fault]) -> Related:
    party, subject = read_one.interestedParty, read_one.subject.describedByEntityStatement
    holder = party.describedByEntityStatement or party.describedByPersonStatement
    if not subject:
        reason = "Say which entity the relationship is with."
        faults.append(Fault(field="subject.describedByEntityStatement", reason=reason))
    if not holder and party.unspecified is None:
        reason = "Name the interested party by its statement, or give the reason for silence."
        faults.append(Fault(field="interestedParty", reason=reason))
    for reference, field in ((holder, "interestedParty"), (subject, "subject")):
        faults += length_faults(reference, field, LONGEST_ID) if reference else []
    if max(len(read_one.interests), len(read_one.componentStatementIDs)) > MOST_REFERENCES:
        faults.append(Fault(field="interests", reason="There are too many."))
    interests = [
        _interest(item, f"interests[{number}]", faults)
        for number, item in enumerate(read_one.interests[:MOST_INTERESTS])
    ]
    return Related(
        subject=_reference(subject),
        holder=_reference(holder),
        interests=tuple(interests),
        components=tuple((SCOPE, item) for item in read_one.componentStatementIDs),
    )


def _reference(text: str | None) -> Reference | None:
    return (SCOPE, text) if text else None


def _interest(item: _Interest, field: str, faults: list[Fault]) -> Interest:
    kind = LinkKind.UNKNOWN_INTEREST if item.type is None else _KINDS.get(item.type)
    if kind is None:
        reason = f"{item.type!r:.60} is not an interest type of version 0.2."
        faults.append(Fault(field=f"{field}.type", reason=reason))
        kind = LinkKind.UNKNOWN_INTEREST
    share = item.share or _Share()
    interest = Interest(
        kind=kind,
        share=share_of(share.exact, share.minimum, share.maximum, f"{field}.share", faults),
        starts_on=item.startDate,
        ends_on=item.endDate,
        may_be_indirect=item.interestLevel in {"indirect", "unknown"},
        indirect=item.interestLevel == "indirect",
    )
    faults += interest_faults(interest, field)
    return interest
