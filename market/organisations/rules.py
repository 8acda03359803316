"""Organisation kinds, and the identifiers by which public registers know an organisation."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from msgspec import Meta, Struct

_LONGEST_QUOTED = 40


class OrganisationKind(StrEnum):
    """What an organisation is, as far as the market treats it differently."""

    CLINICAL_COMMISSIONING_GROUP = "clinical_commissioning_group"
    COMMISSIONING_SUPPORT_UNIT = "commissioning_support_unit"
    THIRD_SECTOR = "third_sector"
    COMMERCIAL = "commercial"
    OTHER_NHS_BODY = "other_nhs_body"


class Scheme(StrEnum):
    """Public registers of organisations, by their codes in org-id.guide."""

    NHS = "GB-NHS"
    COMPANIES_HOUSE = "GB-COH"
    CHARITY_COMMISSION = "GB-CHC"
    SCOTTISH_CHARITIES = "GB-SC"
    NORTHERN_IRELAND_CHARITIES = "GB-NIC"
    MUTUALS = "GB-MPR"


class Register(Struct, frozen=True, kw_only=True):
    """How one register writes its identifiers.

    `pattern` is matched against the whole of the tidied text; `form` completes "The right form is
    …". None of these registers publishes a check digit, so none is checked: that an identifier
    exists, and is this organisation's, is looked up by whoever admits the organisation.
    """

    title: str
    form: str
    pattern: re.Pattern[str]
    # Written by some in front of the number, but no part of it.
    prefix: str = ""
    # A number of digits alone is filled up to this width with zeros.
    width: int = 0
    # Zeros in front of a number of digits alone are no part of it.
    strip_zeros: bool = False


# Companies House: eight digits, or two characters for jurisdiction and legal form and six more. For
# companies and partnerships these are digits, the last a letter in a few old numbers; for societies
# (IP, NO, NP, RS, SP) up to three letters may end them. No official specification lists it all: see
# https://chguide.co.uk/general/company-number.html, where the forms were tried on the register.
_COMPANY = re.compile(
    r"[0-9]{8}"
    r"|(?:AC|CE|CS|EN|ES|FC|FE|GE|GN|GS|IC|LP|NA|NC|NF|NI|NL|NR|NV|NZ|OC|OE|PC|R0|RC|SA|SC|SE|SF|SG|SI"
    r"|SL|SO|SR|SZ|ZC)[0-9]{5}[0-9ACR]"
    r"|(?:IP|NO|NP|RS|SP)(?=[0-9A-Z]{6}$)[0-9]{3,6}[A-Z]{0,3}"
)

REGISTERS: Mapping[Scheme, Register] = MappingProxyType(
    {
        # Organisation codes have 3 to 8 characters (NHS Data Model and Dictionary, organisation
        # coding frames); new ones since 2020 have 5, letters and digits in turn (DCB0090).
        Scheme.NHS: Register(
            title="Organisation Data Service (ODS)",
            form="an ODS code of 3 to 8 letters and digits, such as 06F or RAX",
            pattern=re.compile(r"[0-9A-Z]{3,8}"),
        ),
        Scheme.COMPANIES_HOUSE: Register(
            title="Companies House",
            form="a company number of 8 characters, such as 01234567, SC123456 or OC312345",
            pattern=_COMPANY,
            width=8,
        ),
        Scheme.CHARITY_COMMISSION: Register(
            title="Charity Commission for England and Wales",
            form="a charity number of 6 or 7 digits, such as 202918 or 1089464,"
            " without the suffix of a linked charity",
            pattern=re.compile(r"[0-9]{6}|[1-9][0-9]{6}"),
        ),
        Scheme.SCOTTISH_CHARITIES: Register(
            title="Scottish Charity Register (OSCR)",
            form="SC followed by 6 digits, such as SC012345",
            pattern=re.compile(r"SC[0-9]{6}"),
        ),
        Scheme.NORTHERN_IRELAND_CHARITIES: Register(
            title="Charity Commission for Northern Ireland",
            form="a charity number of 6 digits, such as 104226, with or without NIC before it",
            pattern=re.compile(r"[0-9]{6}"),
            prefix="NIC",
        ),
        # A number, then letters for the kind of society (https://mutuals.fsa.gov.uk/Glossary.aspx),
        # which are often left off; org-id.guide also gives the form of Companies House, IP031455.
        Scheme.MUTUALS: Register(
            title="Mutuals Public Register",
            form="a registration number of up to 6 digits and the letters that belong to it,"
            " such as 4453, 17815R or IP031455",
            pattern=re.compile(r"(?:IP|NP|RS|SP)?[0-9]{1,6}[A-Z]{0,5}"),
            strip_zeros=True,
        ),
    }
)

# An NHS body can be on either side: integrated care boards took over from commissioning groups in
# July 2022 and buy; trusts that run shared services supply. That nobody is on both sides of one
# tender is for the rules of duties.
BUYER_KINDS = frozenset(
    {OrganisationKind.CLINICAL_COMMISSIONING_GROUP, OrganisationKind.OTHER_NHS_BODY}
)
SUPPLIER_KINDS = frozenset(
    {
        OrganisationKind.COMMISSIONING_SUPPORT_UNIT,
        OrganisationKind.THIRD_SECTOR,
        OrganisationKind.COMMERCIAL,
        OrganisationKind.OTHER_NHS_BODY,
    }
)

# Of these an organisation must have at least one; it may have any others as well.
REQUIRED_SCHEMES: Mapping[OrganisationKind, tuple[Scheme, ...]] = MappingProxyType(
    {
        OrganisationKind.CLINICAL_COMMISSIONING_GROUP: (Scheme.NHS,),
        OrganisationKind.COMMISSIONING_SUPPORT_UNIT: (Scheme.NHS,),
        OrganisationKind.THIRD_SECTOR: (
            Scheme.CHARITY_COMMISSION,
            Scheme.SCOTTISH_CHARITIES,
            Scheme.NORTHERN_IRELAND_CHARITIES,
            Scheme.COMPANIES_HOUSE,
            Scheme.MUTUALS,
        ),
        OrganisationKind.COMMERCIAL: (Scheme.COMPANIES_HOUSE,),
        OrganisationKind.OTHER_NHS_BODY: (Scheme.NHS,),
    }
)


_INTRODUCTIONS: Mapping[OrganisationKind, str] = MappingProxyType(
    {
        OrganisationKind.CLINICAL_COMMISSIONING_GROUP: "A clinical commissioning group",
        OrganisationKind.COMMISSIONING_SUPPORT_UNIT: "A commissioning support unit",
        OrganisationKind.THIRD_SECTOR: "A third-sector organisation",
        OrganisationKind.COMMERCIAL: "A commercial supplier",
        OrganisationKind.OTHER_NHS_BODY: "An NHS body",
    }
)


class BadIdentifier(ValueError):
    """An identifier does not have the form of its register. The message says the right form."""


class Identifier(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An organisation's identifier on one public register."""

    scheme: Scheme
    value: Annotated[str, Meta(max_length=100)]


class IdentifierFault(Struct, frozen=True, kw_only=True):
    """What is wrong with one field of a list of identifiers, and what to do about it."""

    field: str
    reason: str


def normalise(scheme: Scheme, text: str) -> str:
    """Write an identifier as its register does, so that one organisation has one identifier.

    Spaces go, letters become capitals, a leading scheme code (`GB-COH-`) goes, company numbers are
    filled up with zeros. Raises BadIdentifier, with the right form, if it cannot be one of this
    register's.
    """
    register = REGISTERS[scheme]
    compact = "".join(text.split())
    tidy = compact.upper().removeprefix(f"{scheme}-").removeprefix(register.prefix)
    if tidy.isdigit():
        tidy = tidy.zfill(register.width)
        if register.strip_zeros:
            tidy = tidy.lstrip("0")
    # ASCII is asked of the letters as given: in capitals, "ß" is "SS".
    if not (compact.isascii() and register.pattern.fullmatch(tidy) and tidy.strip("0")):
        raise BadIdentifier(
            f"{_quoted(text)} is not an identifier of the register {scheme}, {register.title}."
            f" The right form is {register.form}."
        )
    return tidy


def identifier_faults(
    kind: OrganisationKind, identifiers: Sequence[Identifier]
) -> tuple[IdentifierFault, ...]:
    """Return everything that is wrong with an organisation's identifiers, in their order, at once.

    Faults: a wrong form; the same identifier twice; none of a register that must know this kind. An
    identifier of a required register that has a wrong form is reported once, as that.
    """
    faults: list[IdentifierFault] = []
    seen: dict[tuple[Scheme, str], int] = {}
    for index, identifier in enumerate(identifiers):
        field = f"identifiers[{index}].value"
        try:
            key = (identifier.scheme, normalise(identifier.scheme, identifier.value))
        except BadIdentifier as error:
            faults.append(IdentifierFault(field=field, reason=str(error)))
            continue
        first = seen.setdefault(key, index)
        if first != index:
            reason = f"This is the same identifier as identifiers[{first}]. Give it once."
            faults.append(IdentifierFault(field=field, reason=reason))
    required = REQUIRED_SCHEMES[kind]
    if not any(identifier.scheme in required for identifier in identifiers):
        reason = f"{_INTRODUCTIONS[kind]} must have an identifier of {_listed(required)}."
        faults.append(IdentifierFault(field="identifiers", reason=reason))
    return tuple(faults)


def _listed(schemes: Sequence[Scheme]) -> str:
    """Name registers in a sentence."""
    names = [f"{REGISTERS[scheme].title} ({scheme})" for scheme in schemes]
    if len(names) == 1:
        return f"this register: {names[0]}"
    return f"at least one of these registers: {', '.join(names[:-1])} or {names[-1]}"


def _quoted(text: str) -> str:
    shown = text if len(text) <= _LONGEST_QUOTED else f"{text[:_LONGEST_QUOTED]}…"
    return f'"{shown}"'
