"""Every line of the status says what was found: take a guard away, and its line changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from market.status.rules import Facts, Setting, lines_of
from market.status.schemas import Mark, StatusLine

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FACTS = Facts(
    environment="production",
    server_version="18.4",
    fsync=True,
    full_page_writes=True,
    synchronous_commit="on",
    synchronous_standbys="standby",
    checksums=True,
    triggers=100,
    triggers_not_always=[],
    tables=40,
    tables_with_trigger=38,
    open_tables=[],
    row_security_tables=["bid"],
    event_trigger="A",
    owner="market_owner",
    owner_can_log_in=False,
    definers_not_guards=[],
    role="market_app",
    role_is_superuser=False,
    role_bypasses_row_security=False,
    role_is_owner=False,
    clock_shift=timedelta(0),
    numbered_ago=0.2,
    signed_size=100,
    keys_backed_up_at=NOW - timedelta(days=3),
    keys_backed_up=2,
    rehearsed_at=NOW - timedelta(days=1),
    rehearsal_failed=0,
    now=NOW,
)
SETTING = Setting(embedded=False, custodian="server", signing_key="a-key", pending=[], keys=2)


def by_name(facts: Facts, setting: Setting = SETTING) -> dict[str, StatusLine]:
    return {line.name: line for line in lines_of(facts, setting)}


def test_where_documents_are_kept_and_whether_they_are_scanned_is_said() -> None:
    lines = by_name(FACTS)
    assert lines["Store of documents"].found == "a folder"
    assert lines["Scanner for malware"].found == "off"
    assert "MARKET_SCANNER_ADDRESS" in lines["Scanner for malware"].meaning
    setting = replace(SETTING, documents_in_bucket=True, scanner="unix:/run/clamd.sock")
    lines = by_name(FACTS, setting)
    assert lines["Store of documents"].found == "an S3-compatible bucket"
    assert lines["Scanner for malware"].found == "ClamAV"


def test_nothing_is_missing_where_everything_is_as_it_should_be() -> None:
    assert all(line.mark is not Mark.MISSING for line in lines_of(FACTS, SETTING))
    assert len(by_name(FACTS)) == len(lines_of(FACTS, SETTING))


@pytest.mark.parametrize(
    ("change", "line", "found"),
    [
        ({"fsync": False}, "Durable commits", "fsync off"),
        ({"full_page_writes": False}, "Durable commits", "full_page_writes off"),
        ({"synchronous_commit": "off"}, "Durable commits", "synchronous_commit off"),
        ({"checksums": False}, "Checksums", "off"),
        ({"triggers": 0}, "Guards", "0 triggers"),
        ({"triggers_not_always": ["guard_bid"]}, "Guards", "guard_bid"),
        ({"triggers_not_always": list("abcdefg")}, "Guards", "a, b, c, d, e and 2 more"),
        ({"open_tables": ["lot"]}, "Tables under guard", "lot"),
        ({"event_trigger": None}, "Guards against switching off", "missing"),
        ({"event_trigger": "O"}, "Guards against switching off", "can be switched off"),
        ({"definers_not_guards": ["f"]}, "Guard functions", "others: f"),
        ({"row_security_tables": []}, "Row-level security", "on 0 tables"),
        ({"owner_can_log_in": True}, "Owner of the schema", "can log in"),
        ({"role_is_superuser": True}, "Role of the API", "superuser"),
        ({"role_bypasses_row_security": True}, "Role of the API", "BYPASSRLS"),
        ({"role_is_owner": True}, "Role of the API", "member of market_owner"),
        ({"numbered_ago": 3700.0}, "Worker", "not seen for 1:01:40"),
        ({"keys_backed_up_at": None}, "Backup of the keys", "never"),
        ({"keys_backed_up": 3}, "Backup of the keys", "before the keys changed"),
        ({"rehearsed_at": None}, "Rehearsal of the opening", "never"),
        ({"rehearsal_failed": 2}, "Rehearsal of the opening", "2 keys could not be used"),
    ],
)
def test_what_is_missing_is_said_with_what_it_means(
    change: dict[str, Any], line: str, found: str
) -> None:
    said = by_name(replace(FACTS, **change))
    assert said[line].mark is Mark.MISSING
    assert found in said[line].found
    assert said[line].meaning != by_name(FACTS)[line].meaning
    others = [name for name, other in said.items() if other.mark is Mark.MISSING]
    assert others == [line]


def test_migrations_that_have_not_run_are_named() -> None:
    line = by_name(FACTS, replace(SETTING, pending=["tenders/1"]))["Migrations"]
    assert (line.mark, line.found) == (Mark.MISSING, "missing: tenders/1")


def test_a_sandbox_its_clock_and_its_lonely_database_are_told_apart_from_production() -> None:
    facts = replace(
        FACTS, environment="sandbox", clock_shift=timedelta(days=2), synchronous_standbys=""
    )
    said = by_name(facts, replace(SETTING, embedded=True))
    assert said["Environment"].found == "sandbox"
    assert "nothing here binds anybody" in said["Environment"].meaning
    assert said["Clock"].found == "2 days, 0:00:00 ahead of real time"
    assert said["Synchronous standby"].found == "none"
    assert "embedded" in said["Database"].found
    production = by_name(FACTS)
    assert "cannot be shifted" in production["Environment"].meaning
    assert production["Clock"].found == "real time"
    assert "another machine" in production["Synchronous standby"].meaning


def test_a_market_that_is_not_served_misses_no_worker() -> None:
    said = by_name(replace(FACTS, numbered_ago=3700.0), replace(SETTING, serving=False))
    assert said["Worker"].mark is Mark.NOTE
    assert said["Log"].found == "100 events under the newest signed checkpoint"


def test_an_authority_for_time_stamps_is_named() -> None:
    assert by_name(FACTS)["Time stamps"].found == "off"
    said = by_name(FACTS, replace(SETTING, time_stamps="https://stamps.example"))
    assert said["Time stamps"].found == "https://stamps.example"


@pytest.mark.parametrize(
    ("change", "mark", "found"),
    [
        ({}, Mark.GOOD, "minutes: none; failed within a week: none; not made for a fault"),
        ({"mails_overdue": 1}, Mark.MISSING, "minutes: under ten;"),
        ({"mails_overdue": 10}, Mark.MISSING, "minutes: under a hundred;"),
        ({"mails_overdue": 100}, Mark.MISSING, "minutes: a hundred or more;"),
        ({"mails_failed": 9}, Mark.GOOD, "week: under ten;"),
        ({"notices_given_up": 2}, Mark.MISSING, "kind: under ten"),
    ],
)
def test_mail_says_whether_it_gets_out_and_never_an_exact_number(
    change: dict[str, Any], mark: Mark, found: str
) -> None:
    line = by_name(replace(FACTS, **change), replace(SETTING, sends_mail=True))["E-mail notices"]
    assert line.mark is mark
    assert line.found.startswith("on; ")
    assert found in line.found


def test_mail_that_is_off_is_nothing_missing() -> None:
    line = by_name(replace(FACTS, mails_overdue=5))["E-mail notices"]
    assert (line.mark, line.found) == (Mark.NOTE, "off")


def test_the_age_of_backup_and_rehearsal_is_told_and_a_sandbox_needs_neither() -> None:
    said = by_name(FACTS)
    assert said["Backup of the keys"].found == "3 days ago"
    assert said["Rehearsal of the opening"].found == "yesterday"
    sandbox = replace(FACTS, environment="sandbox", keys_backed_up_at=None, keys_backed_up=None)
    assert by_name(sandbox)["Backup of the keys"].mark is Mark.NOTE
    assert by_name(replace(sandbox, rehearsal_failed=1))["Rehearsal of the opening"].mark is (
        Mark.MISSING
    )
