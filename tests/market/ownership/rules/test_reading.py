"""Reading statements: both versions, arrays and lines; every fault with its place."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from market.ownership.rules.links import LinkKind, PartyKind, Share
from market.ownership.rules.reading import LARGEST_STATEMENT, read_statements
from market.ownership.rules.statements import Described, Related, Version, tidy_identifier
from tests.makers.ownership import entity, lines, owns, person

SAMPLES = Path(__file__).parents[1] / "samples"


def faults(content: bytes | list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What is wrong with a file: where and why."""
    body = msgspec.json.encode(content) if isinstance(content, list) else content
    reading = read_statements(body, "tests")
    assert (reading.statements == ()) == bool(reading.faults)
    return [(fault.field, fault.reason) for fault in reading.faults]


def relation_0_4(**details: Any) -> dict[str, Any]:
    """A relationship in version 0.4."""
    return {
        "statementId": "relation-of-some-length-in-the-world",
        "statementDate": "2026-11-22",
        "declarationSubject": "a",
        "recordId": "r",
        "recordType": "relationship",
        "recordDetails": {
            "isComponent": False,
            "subject": "a",
            "interestedParty": "b",
            **details,
        },
    }


@pytest.mark.parametrize("file", sorted(SAMPLES.glob("*.json*")), ids=lambda file: file.name)
def test_published_examples_and_real_statements_have_no_faults(file: Path) -> None:
    reading = read_statements(file.read_bytes(), "tests")
    assert reading.faults == ()
    expected = {".json": Version.V0_4, ".jsonl": Version.V0_2}[file.suffix]
    assert {statement.version for statement in reading.statements} == {expected}


def test_real_companies_have_one_number_with_and_without_zeros() -> None:
    content = (SAMPLES / "companies-house-2020-bods-0.2.jsonl").read_bytes()
    says = read_statements(content, "tests").statements[0].says
    assert isinstance(says, Described)
    assert says.identifiers == (("GB-COH", "00101073"),)
    assert (says.kind, says.name) == (PartyKind.ENTITY, "BALFOUR BEATTY GROUP LIMITED")


def test_lines_and_an_array_say_the_same() -> None:
    statements = [entity(1), person(1), owns("x", "person-1", "entity-1", 12.5)]
    array = read_statements(msgspec.json.encode(statements), "tests")
    by_line = read_statements(b"\xef\xbb\xbf" + lines(statements) + b"\r\n\n", "tests")
    assert [item.digest for item in array.statements] == [
        item.digest for item in by_line.statements
    ]
    assert [item.where for item in array.statements] == ["[0]", "[1]", "[2]"]
    assert [item.where for item in by_line.statements] == ["line 1", "line 2", "line 3"]


def test_a_share_is_read_to_its_last_digit() -> None:
    line = lines([owns("x", "person-1", "entity-1", 0)]).replace(
        b'"exact":0', b'"exact":33.3333333333333333333'
    )
    says = read_statements(line, "tests").statements[0].says
    assert isinstance(says, Related)
    exact = Decimal("33.3333333333333333333")
    assert says.interests[0].share == Share(minimum=exact, maximum=exact)


def test_spaces_and_the_order_of_fields_make_no_other_statement() -> None:
    one = read_statements(
        b'[{"statementID":"a","statementType":"entityStatement","entityType":"state"}]', "t"
    )
    other = read_statements(
        b'{"entityType": "state", "statementType":"entityStatement", "statementID": "a"}', "t"
    )
    assert one.statements[0].digest == other.statements[0].digest


@pytest.mark.parametrize(
    ("content", "field", "reason"),
    [
        (b"", "", "There is no statement in it."),
        (b" \n ", "", "There is no statement in it."),
        (b"[]", "", "There is no statement in it."),
        (b'"text"', "", "This is neither an array of statements nor one statement a line."),
        (b"statementID,name", "", "This is neither an array"),
        (b"[{]", "", "The array is not JSON"),
        (b'[{"statementID":"a"}', "", "The array is not JSON"),
        (b"[1]", "[0]", "Expected `object`, got `int`"),
        (b'{"a":\n1}', "line 1", "This is not JSON"),
        (b"{}", "line 1.statementId", "A statement has a statementId (version 0.4) or"),
        (b'{"statementID":"\xff"}', "line 1", "This is not JSON"),
        (b'{"statementID":"a\\u0000"}', "line 1", "The character NUL cannot be stored."),
        (b'{"statementID":"\\ud800"}', "line 1", "This is not JSON"),
        (b'{"statementID":1e999}', "line 1", "Number out of range"),
        (b"[" * 5000, "", "The array is not JSON: it is nested too deeply."),
        (b'{"a":' * 5000, "line 1", "This is not JSON: it is nested too deeply."),
        (b'{"a":"' + b"x" * LARGEST_STATEMENT + b'"}', "line 1", "One statement may have 1 MiB"),
    ],
    ids=range(17),
)
def test_a_file_that_is_none_is_told_so(content: bytes, field: str, reason: str) -> None:
    ((at, why),) = faults(content)[:1]
    assert (at, why[: len(reason)]) == (field, reason)


@pytest.mark.parametrize(
    ("statement", "field", "reason"),
    [
        (
            entity(1, publicationDetails={"bodsVersion": "0.3"}),
            "publicationDetails.bodsVersion",
            "Version '0.3' is not read; the market reads 0.2 and 0.4.",
        ),
        (entity(1, statementType="trustStatement"), "statementType", "Invalid value"),
        ({"statementID": "a"}, "statementType", "Object missing required field `statementType`"),
        (entity(1, entityType="company"), "entityType", "Invalid enum value 'company'"),
        (entity(1, statementID=""), "statementID", "This must have 1 to 64 characters."),
        (entity(1, statementID="x" * 65), "statementID", "This must have 1 to 64 characters."),
        (entity(1, statementID=7), "statementID", "Expected `str | null`, got `int`"),
        (entity(1, name="x" * 501), "name", "This must have 1 to 500 characters."),
        (
            entity(1, identifiers=[{"scheme": "X-Y", "id": "1" * 201}]),
            "identifiers[0].id",
            "This must have 1 to 200 characters.",
        ),
        (
            entity(1, statementDate="tomorrow"),
            "statementDate",
            "This must be a date of the form 2026-11-22.",
        ),
        (
            entity(1, statementDate="2026-02-30"),
            "statementDate",
            "This must be a date of the form 2026-11-22.",
        ),
        (owns("x", "person-1", "entity-1", 101), "interests[0].share", "A share cannot be over"),
        (owns("x", "person-1", "entity-1", -1), "interests[0].share", "A share cannot be below"),
        (
            owns("x", "p", "e", interests=[{"share": {"minimum": 50, "maximum": 25}}]),
            "interests[0].share",
            "The share's minimum, 50 %, is over its maximum, 25 %.",
        ),
        (
            owns("x", "p", "e", interests=[{"type": "friendship"}]),
            "interests[0].type",
            "'friendship' is not an interest type of version 0.2.",
        ),
        (
            owns("x", "p", "e", interests=[{"startDate": "2026-02-01", "endDate": "2026-01-01"}]),
            "interests[0].endDate",
            "The interest ends on 2026-01-01, before it starts on 2026-02-01.",
        ),
        (
            owns("x", "p", "e", interests=[{"startDate": "1 May"}]),
            "interests[0].startDate",
            "Invalid RFC3339 encoded date",
        ),
        (
            owns("x", "p", "e", interestedParty={}),
            "interestedParty",
            "Name the interested party by its statement, or give the reason for silence.",
        ),
        (
            {**owns("x", "p", "e"), "subject": {}},
            "subject.describedByEntityStatement",
            "Say which entity the relationship is with.",
        ),
        (
            relation_0_4(interests=[{"share": {"exact": 101}}]),
            "recordDetails.interests[0].share.exact",
            "101 is greater than the maximum of 100",
        ),
        (
            relation_0_4(interests=[{"type": "friendship"}]),
            "recordDetails.interests[0].type",
            '"friendship" is not one of',
        ),
        (
            relation_0_4(interests=[{"share": {"minimum": 50, "maximum": 25}}]),
            "recordDetails.interests[0].share",
            "The share's minimum, 50 %, is over its maximum, 25 %.",
        ),
        (
            {**relation_0_4(), "statementId": "short"},
            "statementId",
            '"short" is shorter than 32 characters',
        ),
        (
            {**relation_0_4(), "recordType": "secret"},
            "recordType",
            '"secret" is not one of',
        ),
        (
            {**relation_0_4(), "statementDate": "soon"},
            "statementDate",
            '"soon" is not valid under any of the schemas',
        ),
        (relation_0_4(subject=7), "recordDetails.subject", "7 is not valid under any of the"),
    ],
    ids=range(26),
)
def test_a_statement_is_told_what_is_wrong_where(
    statement: dict[str, Any], field: str, reason: str
) -> None:
    (at, why) = faults([statement])[0]
    assert (at, why[: len(reason)]) == (f"[0].{field}", reason)


def test_every_fault_is_told_at_once_up_to_a_hundred() -> None:
    wrong = [owns(f"x{number}", "p", "e", 101) for number in range(3)]
    assert [field for field, _ in faults(wrong)] == [
        f"[{number}].interests[0].share" for number in range(3)
    ]
    assert len(faults([owns(f"x{number}", "p", "e", 101) for number in range(300)])) == 100


def test_an_id_stands_for_one_content() -> None:
    assert faults([entity(1), entity(1)]) == []
    ((field, reason),) = faults([entity(1), entity(2), entity(1, name="Other Ltd")])
    assert (field, reason) == (
        "[2]",
        "The id entity-1 stands at [0] already, with other content.",
    )


def test_a_reason_for_silence_names_nobody() -> None:
    silent = {"unspecified": {"reason": "no-beneficial-owners"}}
    statement = owns("x", "p", "e", interestedParty=silent)
    says = read_statements(lines([statement]), "t").statements[0].says
    assert isinstance(says, Related)
    assert (says.holder, says.subject) == (None, ("statement", "e"))


def test_who_is_not_known_is_of_unknown_kind() -> None:
    statements = [
        person(1, personType="anonymousPerson", names=[]),
        entity(1, entityType="unknownEntity", name=None, identifiers=[]),
    ]
    read = read_statements(lines(statements), "t").statements
    assert [item.says for item in read] == [
        Described(kind=PartyKind.UNKNOWN, name="A person whose name is not given"),
        Described(kind=PartyKind.UNKNOWN, name="An entity whose name is not given"),
    ]


def test_a_closed_record_has_ended_by_its_date_at_the_latest() -> None:
    closed = {
        **relation_0_4(interests=[{"type": "boardMember", "startDate": "2020-01-01"}]),
        "recordStatus": "closed",
    }
    says = read_statements(lines([closed]), "t").statements[0].says
    assert isinstance(says, Related)
    assert [str(item.ends_on) for item in says.interests] == ["2026-11-22"]
    bare = {**relation_0_4(), "recordStatus": "closed"}
    says = read_statements(lines([bare]), "t").statements[0].says
    assert isinstance(says, Related)
    assert [(item.kind, str(item.ends_on)) for item in says.interests] == [
        (LinkKind.UNKNOWN_INTEREST, "2026-11-22")
    ]


@pytest.mark.parametrize(
    ("scheme", "name", "identifier", "expected"),
    [
        ("GB-COH", None, "101073", ("GB-COH", "00101073")),
        ("gb-coh", None, " oc 312345 ", ("GB-COH", "OC312345")),
        (None, "Companies House", "101073", ("GB-COH", "00101073")),
        ("GB-COH", None, "XE9999", ("GB-COH", "XE9999")),
        ("GB-NHS", None, "rax", ("GB-NHS", "RAX")),
        ("GB-NHS", None, "unknown", None),
        ("XI-LEI", None, "py6z zqwo2", ("XI-LEI", "PY6ZZQWO2")),
        (None, "A register", "12", ("A register", "12")),
        ("GB-COH", None, "N/A", None),
        ("GB-COH", None, None, None),
        ("GB-COH", None, "", None),
        (None, None, "12345678", None),
        ("XX-ANY", None, "none", None),
    ],
)
def test_an_identifier_identifies_one_party_or_nobody(
    scheme: str | None,
    name: str | None,
    identifier: str | None,
    expected: tuple[str, str] | None,
) -> None:
    assert tidy_identifier(scheme, name, identifier) == expected
