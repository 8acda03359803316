"""Planning an import: who is one party, what stands, what is superseded."""

from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from market.ownership.rules.known import Known, KnownParty, KnownRecord
from market.ownership.rules.links import PartyKind
from market.ownership.rules.plan import Plan, plan_import
from market.ownership.rules.reading import read_statements
from tests.makers.ownership import entity, lines, owns, person

OLD, OTHER = UUID(int=10**6), UUID(int=10**6 + 1)
NUMBER = ("GB-COH", "00000001")


def known(**more: Any) -> Known:
    """What was known before: nothing, but for what is said."""
    nothing: dict[str, Any] = {
        "statements": {},
        "references": {},
        "identifiers": {},
        "parties": {},
        "records": {},
        "replaced": {},
    }
    return Known(**{**nothing, **more})


def plan(statements: list[dict[str, Any]], before: Known | None = None) -> Plan:
    """Plan the import of statements; new ids are 1, 2, 3."""
    numbers = count(1)
    reading = read_statements(lines(statements), "tests")
    assert reading.faults == ()
    return plan_import(reading.statements, before or known(), lambda: UUID(int=next(numbers)))


def update(statement: str, date: str, percent: int, **more: Any) -> dict[str, Any]:
    """A statement of version 0.4 about one record: b owns so much of a."""
    return {
        "statementId": f"{statement}-of-some-length-in-the-world-of-ids",
        "statementDate": date,
        "declarationSubject": "a",
        "recordId": "r",
        "recordType": "relationship",
        "recordDetails": {
            "isComponent": False,
            "subject": "a",
            "interestedParty": "b",
            "interests": [{"type": "shareholding", "share": {"exact": percent}}],
        },
        **more,
    }


def test_entities_that_share_an_identifier_are_one_party() -> None:
    same = entity(1, statementID="other", name="The Same Ltd")
    made = plan([entity(1), same, person(1), owns("x", "person-1", "other")])
    assert sorted(named.name for named in made.made) == ["Person 1", "The Same Ltd"]
    assert len(made.references) == 3


def test_a_party_that_was_known_is_found_by_its_identifier() -> None:
    before = known(
        identifiers={NUMBER: OLD},
        parties={OLD: KnownParty(OLD, PartyKind.ENTITY, "Company 1 Ltd", None)},
    )
    made = plan([entity(1), person(1), owns("x", "person-1", "entity-1")], before)
    assert [link.subject for link in made.links] == [OLD]
    assert [named.name for named in made.made] == ["Person 1"]
    assert made.renamed == ()


def test_parties_that_turn_out_to_be_one_are_merged() -> None:
    before = known(
        references={("statement", "a"): OTHER},
        identifiers={NUMBER: OLD},
        parties={
            OLD: KnownParty(OLD, PartyKind.ENTITY, "Old", None),
            OTHER: KnownParty(OTHER, PartyKind.UNKNOWN, "a", None),
        },
    )
    made = plan([entity(1, statementID="a", name="New")], before)
    assert made.merged == ((OTHER, OLD),)
    assert made.made == ()
    assert [(named.id, named.kind, named.name) for named in made.renamed] == [
        (OLD, PartyKind.ENTITY, "New")
    ]


def test_a_reference_to_nothing_is_a_party_named_by_it() -> None:
    made = plan([entity(1), owns("x", "person-9", "entity-1")])
    assert made.unresolved == ("person-9",)
    assert {named.kind for named in made.made} == {PartyKind.ENTITY, PartyKind.UNKNOWN}


def test_silence_makes_no_link_and_is_counted() -> None:
    silent = {"unspecified": {"reason": "no-beneficial-owners"}}
    made = plan([entity(1), owns("x", "p", "entity-1", interestedParty=silent)])
    assert (made.silent, made.links) == (1, ())


def test_nobody_owns_themselves() -> None:
    same = entity(1, statementID="other")
    made = plan([entity(1), same, owns("x", "entity-1", "other")])
    ((field, reason),) = [(fault.field, fault.reason) for fault in made.faults]
    assert (field, reason) == ("line 3", "Company 1 Ltd cannot be linked to itself.")
    assert made.statements == ()


def test_nobody_is_both_an_entity_and_a_person() -> None:
    held = [{"scheme": "GB-COH", "id": "1"}]
    made = plan([entity(1), person(1, identifiers=held)])
    assert [fault.field for fault in made.faults] == ["line 2"]


def test_a_known_statement_changes_nothing_and_with_other_content_is_refused() -> None:
    first = plan([entity(1)])
    digests = {statement.key: statement.digest for _, statement in first.statements}
    again = plan([entity(1)], known(statements=digests))
    assert again == Plan()
    other = plan([entity(1, name="Other")], known(statements=digests))
    assert [fault.reason for fault in other.faults] == [
        "The statement entity-1 was imported before, with other content."
    ]


def test_of_several_statements_about_a_record_the_latest_stands() -> None:
    made = plan([update("new", "2026-02-01", 40), update("old", "2025-01-01", 60)])
    standing = [link for link in made.links if link.superseded_by is None]
    assert [str(link.interest.share) for link in standing] == ["40 %"]
    same_day = plan([update("one", "2026-02-01", 40), update("two", "2026-02-01", 60)])
    standing = [link for link in same_day.links if link.superseded_by is None]
    assert [str(link.interest.share) for link in standing] == ["60 %"]


def test_an_older_file_does_not_replace_what_is_newer() -> None:
    reading = read_statements(lines([update("old", "2025-01-01", 60)]), "tests")
    record = reading.statements[0].reference
    newer = known(records={record: KnownRecord(OLD, reading.statements[0].dated)})
    assert plan([update("old", "2024-01-01", 60)], newer).links[0].superseded_by == OLD
    made = plan([update("new", "2026-01-01", 60)], newer)
    assert made.links[0].superseded_by is None
    assert [reference for reference, _ in made.superseded_records] == [record]


def test_a_statement_that_replaces_another_is_about_the_same_party() -> None:
    renamed = entity(
        1,
        statementID="renamed",
        name="Renamed Ltd",
        identifiers=[],
        replacesStatements=["entity-1"],
    )
    made = plan([entity(1), renamed, owns("x", "person-1", "entity-1")])
    assert {named.name for named in made.made} == {"Renamed Ltd", "person-1"}


def test_a_replaced_relationship_is_superseded_wherever_it_is() -> None:
    second = owns("y", "person-1", "entity-1", 50, replacesStatements=["x"])
    together = plan([owns("x", "person-1", "entity-1"), second])
    assert [link.superseded_by is None for link in together.links] == [False, True]
    later = plan([second])
    assert [key for key, _ in later.superseded_statements] == ["x"]
    earlier = plan([owns("x", "person-1", "entity-1")], known(replaced={"x": OLD}))
    assert earlier.links[0].superseded_by == OLD


def test_a_relationship_whose_components_say_the_same_is_a_summary() -> None:
    indirect = {"type": "shareholding", "interestLevel": "indirect", "share": {"exact": 30}}
    whole = owns(
        "z", "person-1", "entity-2", interests=[indirect], componentStatementIDs=["x", "y"]
    )
    parts = [owns("x", "person-1", "entity-1"), owns("y", "entity-1", "entity-2")]
    made = plan([*parts, whole])
    assert [link.summary for link in made.links] == [False, False, True]
    broken = plan([parts[0], whole])
    assert [link.summary for link in broken.links] == [False, False]


_WHO = st.integers(1, 5)


@given(
    st.lists(st.tuples(_WHO, _WHO).filter(lambda pair: pair[0] != pair[1]), min_size=1, max_size=8),
    st.randoms(),
)
def test_the_order_of_statements_does_not_change_who_is_linked(
    pairs: list[tuple[int, int]], random: Any
) -> None:
    statements = [entity(number) for number in range(1, 6)]
    statements += [
        owns(f"x{place}", f"entity-{one}", f"entity-{two}")
        for place, (one, two) in enumerate(pairs)
    ]
    shuffled = list(statements)
    random.shuffle(shuffled)

    def linked(made: Plan) -> list[tuple[str, str]]:
        names = {named.id: named.name for named in made.made}
        return sorted((names[link.holder], names[link.subject]) for link in made.links)

    assert linked(plan(statements)) == linked(plan(shuffled))
