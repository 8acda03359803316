"""The Beneficial Ownership Data Standard 0.4: validated by its schemas, then read."""

import functools
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal

import jsonschema_rs
import msgspec

from market.errors import Fault
from market.ownership.rules.links import LinkKind, PartyKind, Share
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

_SCHEMAS = ("statement", "entity-record", "person-record", "relationship-record", "components")
_MOST_FAULTS = 20  # of one statement
_LONGEST_REASON = 300

# The codelist interestType of 0.4, which is closed.
_KINDS: Mapping[str, LinkKind] = MappingProxyType(
    {
        "shareholding": LinkKind.SHAREHOLDING,
        "votingRights": LinkKind.VOTING_RIGHTS,
        "appointmentOfBoard": LinkKind.BOARD_APPOINTMENT,
        "otherInfluenceOrControl": LinkKind.INFLUENCE_OR_CONTROL,
        "seniorManagingOfficial": LinkKind.SENIOR_MANAGER,
        "settlor": LinkKind.SETTLOR,
        "trustee": LinkKind.TRUSTEE,
        "protector": LinkKind.PROTECTOR,
        "beneficiaryOfLegalArrangement": LinkKind.TRUST_BENEFICIARY,
        "rightsToSurplusAssetsOnDissolution": LinkKind.SURPLUS_ASSETS,
        "rightsToProfitOrIncome": LinkKind.PROFIT_OR_INCOME,
        "rightsGrantedByContract": LinkKind.CONTRACTUAL_RIGHTS,
        "conditionalRightsGrantedByContract": LinkKind.CONDITIONAL_RIGHTS,
        "controlViaCompanyRulesOrArticles": LinkKind.ARTICLES_CONTROL,
        "controlByLegalFramework": LinkKind.LEGAL_CONTROL,
        "boardMember": LinkKind.DIRECTORSHIP,
        "boardChair": LinkKind.BOARD_CHAIR,
        "unknownInterest": LinkKind.UNKNOWN_INTEREST,
        "unpublishedInterest": LinkKind.UNPUBLISHED_INTEREST,
        "enjoymentAndUseOfAssets": LinkKind.ASSET_USE,
        "rightToProfitOrIncomeFromAssets": LinkKind.ASSET_INCOME,
        "nominee": LinkKind.NOMINEE,
        "nominator": LinkKind.NOMINATOR,
    }
)


class _Identifier(msgspec.Struct, frozen=True):
    id: str | None = None
    scheme: str | None = None
    schemeName: str | None = None  # noqa: N815  # the standard's own names, here and below


class _Publisher(msgspec.Struct, frozen=True):
    name: str | None = None
    url: str | None = None


class _Publication(msgspec.Struct, frozen=True):
    publisher: _Publisher | None = None


class _Statement(msgspec.Struct, frozen=True, tag_field="recordType", kw_only=True):
    statementId: str  # noqa: N815
    statementDate: str  # noqa: N815
    recordId: str  # noqa: N815
    recordStatus: Literal["new", "updated", "closed"] | None = None  # noqa: N815
    publicationDetails: _Publication | None = None  # noqa: N815


class _EntityType(msgspec.Struct, frozen=True):
    type: str


class _EntityDetails(msgspec.Struct, frozen=True):
    entityType: _EntityType  # noqa: N815
    name: str | None = None
    alternateNames: list[str] = []  # noqa: N815
    identifiers: list[_Identifier] = []


class _Name(msgspec.Struct, frozen=True):
    fullName: str | None = None  # noqa: N815
    familyName: str | None = None  # noqa: N815
    givenName: str | None = None  # noqa: N815


class _PersonDetails(msgspec.Struct, frozen=True):
    personType: str  # noqa: N815
    names: list[_Name] = []
    identifiers: list[_Identifier] = []


class _Unspecified(msgspec.Struct, frozen=True):
    reason: str


class _Share(msgspec.Struct, frozen=True):
    exact: Decimal | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    exclusiveMinimum: Decimal | None = None  # noqa: N815
    exclusiveMaximum: Decimal | None = None  # noqa: N815


class _Interest(msgspec.Struct, frozen=True):
    type: str | None = None
    directOrIndirect: str | None = None  # noqa: N815
    share: _Share | None = None
    startDate: date | None = None  # noqa: N815
    endDate: date | None = None  # noqa: N815


class _RelationshipDetails(msgspec.Struct, frozen=True):
    subject: str | _Unspecified
    interestedParty: str | _Unspecified  # noqa: N815
    interests: list[_Interest] = []
    componentRecords: list[str] = []  # noqa: N815


class _Entity(_Statement, frozen=True, kw_only=True, tag="entity"):
    recordDetails: _EntityDetails  # noqa: N815


class _Person(_Statement, frozen=True, kw_only=True, tag="person"):
    recordDetails: _PersonDetails  # noqa: N815


class _Relationship(_Statement, frozen=True, kw_only=True, tag="relationship"):
    recordDetails: _RelationshipDetails  # noqa: N815


_DECODER: msgspec.json.Decoder[_Entity | _Person | _Relationship] = msgspec.json.Decoder(
    _Entity | _Person | _Relationship
)


@functools.cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    """The standard's own schema of one statement, from the files shipped with the market."""
    folder = resources.files("market.ownership").joinpath("schemas_bods_0_4")
    schemas = [
        msgspec.json.decode(folder.joinpath(f"{name}.json").read_bytes()) for name in _SCHEMAS
    ]
    registry = jsonschema_rs.Registry([(schema["$id"], schema) for schema in schemas])
    return jsonschema_rs.Draft202012Validator(
        {"$ref": "urn:statement#/$defs/Statement"}, validate_formats=True, registry=registry
    )


def schema_faults(decoded: Any) -> Iterator[Fault]:
    """Everything in a statement that the standard's schema does not allow."""
    for error in _validator().iter_errors(decoded):
        field = ""
        for part in error.instance_path:
            field += f"[{part}]" if isinstance(part, int) else f".{part}"
        yield Fault(field=field.removeprefix("."), reason=error.message[:_LONGEST_REASON])


def read(piece: Piece, source: str) -> Statement:
    """Read one statement of version 0.4; `source` stands for a publisher that is not named.

    Raises:
        BadStatement: with its faults.
        msgspec.ValidationError: a field that is missing or of the wrong type.
    """
    if not _validator().is_valid(piece.decoded):
        found = schema_faults(piece.decoded)
        raise BadStatement(*(fault for fault, _ in zip(found, range(_MOST_FAULTS), strict=False)))
    read_one = _DECODER.decode(piece.raw)
    publisher = (read_one.publicationDetails or _Publication()).publisher or _Publisher()
    scope = tidy_name(publisher.name) or tidy_name(publisher.url) or source
    faults = length_faults(scope, "publicationDetails.publisher")
    faults += length_faults(read_one.recordId, "recordId")
    dated = day_of(read_one.statementDate, "statementDate")
    says: Described | Related
    if isinstance(read_one, _Relationship):
        kind = StatementKind.RELATIONSHIP
        closed = read_one.recordStatus == "closed"
        says = _related(
            read_one.recordDetails, scope, dated if closed else None, faults, closed=closed
        )
    else:
        kind = StatementKind.PERSON if isinstance(read_one, _Person) else StatementKind.ENTITY
        says = _described(read_one.recordDetails, faults)
    if faults:
        raise BadStatement(*faults)
    return Statement(
        where=piece.where,
        key=read_one.statementId[:LONGEST_ID],
        version=Version.V0_4,
        kind=kind,
        reference=(scope, read_one.recordId),
        dated=dated,
        replaces=(),
        says=says,
        digest=piece.digest,
        content=piece.text,
    )


def _described(details: _EntityDetails | _PersonDetails, faults: list[Fault]) -> Described:
    if isinstance(details, _PersonDetails):
        kind = PartyKind.PERSON if details.personType == "knownPerson" else PartyKind.UNKNOWN
        names = [
            tidy_name(name.fullName) or tidy_name(f"{name.givenName or ''} {name.familyName or ''}")
            for name in details.names
        ]
        missing = "A person whose name is not given"
    else:
        unknown = details.entityType.type in {"anonymousEntity", "unknownEntity"}
        kind = PartyKind.UNKNOWN if unknown else PartyKind.ENTITY
        names = [tidy_name(name) for name in (details.name, *details.alternateNames)]
        missing = "An entity whose name is not given"
    name = next(filter(None, names), missing)
    faults += length_faults(name, "recordDetails.name", LONGEST_NAME)
    given = [tidy_identifier(one.scheme, one.schemeName, one.id) for one in details.identifiers]
    return Described(
        kind=kind,
        name=name,
        identifiers=checked_identifiers(given, "recordDetails.identifiers", faults),
    )


def _related(
    details: _RelationshipDetails,
    scope: str,
    closed_on: date | None,
    faults: list[Fault],
    *,
    closed: bool,
) -> Related:
    if len(details.interests) > MOST_INTERESTS or len(details.componentRecords) > MOST_REFERENCES:
        faults.append(Fault(field="recordDetails", reason="There are too many interests."))
    for name, given in (("subject", details.subject), ("interestedParty", details.interestedParty)):
        if isinstance(given, str):
            faults += length_faults(given, f"recordDetails.{name}")
    interests = [
        _interest(item, f"recordDetails.interests[{number}]", closed_on, faults)
        for number, item in enumerate(details.interests[:MOST_INTERESTS])
    ]
    if not interests and closed_on is not None:
        interests = [Interest(kind=LinkKind.UNKNOWN_INTEREST, ends_on=closed_on)]
    return Related(
        subject=_reference(scope, details.subject),
        holder=_reference(scope, details.interestedParty),
        interests=tuple(interests),
        components=tuple((scope, item) for item in details.componentRecords),
        closed=closed,
    )


def _reference(scope: str, given: str | _Unspecified) -> Reference | None:
    return (scope, given) if isinstance(given, str) else None


def _interest(item: _Interest, field: str, closed_on: date | None, faults: list[Fault]) -> Interest:
    """Read an interest; of a closed record it has ended, by the statement's date at the latest."""
    ends_on = item.endDate
    if closed_on is not None and (ends_on is None or ends_on > closed_on):
        ends_on = max(closed_on, item.startDate or closed_on)
    interest = Interest(
        kind=LinkKind.UNKNOWN_INTEREST if item.type is None else _KINDS[item.type],
        share=_share(item.share, f"{field}.share", faults),
        starts_on=item.startDate,
        ends_on=ends_on,
        may_be_indirect=item.directOrIndirect in {"indirect", "unknown"},
        indirect=item.directOrIndirect == "indirect",
    )
    faults += interest_faults(interest, field)
    return interest


def _share(given: _Share | None, field: str, faults: list[Fault]) -> Share | None:
    if given is None:
        return None
    low = given.exclusiveMinimum if given.minimum is None else given.minimum
    high = given.exclusiveMaximum if given.maximum is None else given.maximum
    return share_of(given.exact, low, high, field, faults)
