"""Makers around the assurance report: who reads it, and looking into it."""

from typing import Any

from market.actor import Role
from tests.makers.tenders import PublishedTender
from tests.makers.world import Person, World


def report_path(tender: PublishedTender) -> str:
    return f"{tender.path}/assurance-report"


async def report_of(tender: PublishedTender, person: Person) -> dict[str, Any]:
    answer = await person.get(report_path(tender))
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


async def public_report(world: World, tender: PublishedTender) -> dict[str, Any]:
    answer = await world.public(report_path(tender))
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


async def auditor_of(world: World, ods_code: str = "06F") -> Person:
    return await world.person("Audrey Auditor", await world.organisation(ods_code), Role.AUDITOR)


def person_in(report: dict[str, Any], name: str) -> dict[str, Any]:
    [found] = [one for one in report["people"] if one["name"] == name]
    assert isinstance(found, dict)
    return found


def sentences_of(report: dict[str, Any]) -> list[str]:
    return [act["sentence"] for act in report["acts"]]


async def guarded_report(tender: PublishedTender, reader: Person | None = None) -> dict[str, Any]:
    answer = await (reader or tender.guardian).get(f"{tender.path}/assurance-report")
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


async def findings_of(
    tender: PublishedTender, reader: Person | None = None
) -> list[dict[str, Any]]:
    """The findings, of which the statement says each in its sentence."""
    stated = (await guarded_report(tender, reader))["statement"]
    findings: list[dict[str, Any]] = stated["findings"]
    assert stated["forbidden_pairs"] + stated["acts_not_entitled"] == len(findings)
    for finding in findings:
        assert finding["sentence"] in stated["sentences"]
    return findings


def kinds_of(findings: list[dict[str, Any]]) -> set[str]:
    return {finding["kind"] for finding in findings}
