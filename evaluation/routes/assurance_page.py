"""The assurance report as a page: self-contained, printable, saying what the JSON says."""

import base64
import functools
import hashlib
from collections import Counter
from collections.abc import Iterable
from html import escape
from importlib import resources
from string import Template

from evaluation.rules.assurance import spoken_time
from evaluation.schemas.assurance import (
    AboutBidder,
    AssuranceReport,
    Audience,
    Connection,
    DelegatedBy,
    DutyHeld,
    ExemptionHeld,
    GuardianDecision,
    Helper,
    LotInReport,
    OnTakingDuty,
    PersonInTender,
    RefusalView,
    RegisteredInterest,
    Source,
    Suspension,
)
from tenders.schemas.conflicts import DecisionOutcome, Statement
from tenders.schemas.opening import Interest

_SUSPENDED = {
    Suspension.MEMBERSHIP_ENDED: "they no longer belong to that organisation",
    Suspension.EXEMPTION_MISSING: "the exemption it needs is not in force",
    Suspension.DELEGATION_MISSING: "the delegation it needs is not in force",
    Suspension.REMOVED: "the conflicts guardian removed them from the tender",
}
_SOURCES = {
    Source.SERVICE: "as a member, employee or director of it or of its group",
    Source.REGISTERED: "by the register of interests",
    Source.CONNECTED: "by links of ownership between companies",
}
_OUTCOMES = {
    DecisionOutcome.NO_ACTION: "no action was needed",
    DecisionOutcome.MAY_DISCUSS: "they may discuss the tender and not decide in it",
    DecisionOutcome.MUST_LEAVE: "they must leave the tender",
    DecisionOutcome.REMOVED: "they were removed from the tender",
}


@functools.cache
def _file(name: str) -> str:
    return resources.files("evaluation.routes").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def content_security_policy() -> str:
    """What the page may do: show its own style, known by its digest, and nothing else."""
    digest = hashlib.sha256(_file("assurance_page.css").encode()).digest()
    style = base64.b64encode(digest).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )


def page(report: AssuranceReport) -> str:
    """Write the report for people. Everything that somebody wrote is escaped."""
    stated = report.statement
    verdict = "found" if stated.findings else "partial" if _partial(report) else "clear"
    return Template(_file("assurance_page.html")).substitute(
        title=escape(f"Assurance report {report.reference}"),
        style=_file("assurance_page.css"),
        reference=escape(report.reference),
        tender=escape(report.title),
        buyers=escape(_listed(report.buyers)),
        standing=escape(_standing(report)),
        verdict=verdict,
        statement="\n".join(f"<p>{escape(sentence)}</p>" for sentence in stated.sentences),
        withheld=_withheld(report.withheld),
        lots=_items(_lot(lot) for lot in report.lots),
        acts=_items(act.sentence for act in report.acts),
        people="\n".join(_person(person) for person in report.people) or _nothing("Nobody."),
        refusals=_items(_refusals(report)),
        helpers=_items(_helper(helper) for helper in report.helpers),
        address=escape(f"/api/v1/tenders/{report.tender}/assurance-report"),
        digest=escape(report.digest),
    )


def _partial(report: AssuranceReport) -> bool:
    return report.statement.looked_at.bidders is None


def _standing(report: AssuranceReport) -> str:
    reader = (
        "those who read the record of the tender"
        if report.audience is Audience.INSIDE
        else "everybody"
    )
    return (
        f"The tender is at the stage {_spoken(report.status)}. This report is for {reader}. It was"
        f" computed on {spoken_time(report.computed_at)} and covers everything until"
        f" {spoken_time(report.as_of)}, London time."
    )


def _withheld(sentences: list[str]) -> str:
    if not sentences:
        return ""
    return f'<div class="withheld"><h3>What is withheld</h3>{_items(sentences)}</div>'


def _items(sentences: Iterable[str]) -> str:
    found = "\n".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<ul>\n{found}\n</ul>" if found else _nothing("Nothing.")


def _nothing(sentence: str) -> str:
    return f"<p>{sentence}</p>"


def _lot(lot: LotInReport) -> str:
    chosen = "" if lot.supplier_name is None else f" It was awarded to {lot.supplier_name}."
    return f"Lot {lot.number}, {lot.title}: {_spoken(lot.stage)}.{chosen}"


# -- people ---------------------------------------------------------------------------------------


def _person(person: PersonInTender) -> str:
    sentences = [
        *(_duty(duty) for duty in person.duties),
        *(_on_taking_duty(one) for one in person.on_taking_duty),
        *(_interest(one) for one in person.interests),
        *_about_bidders(person.about_bidders),
        *(_connection(one) for one in person.connections),
        *(_decision(one) for one in person.decisions),
        *(_exemption(one) for one in person.exemptions),
    ]
    return f"<h3>{escape(person.name)}</h3>\n{_items(sentences)}"


def _duty(duty: DutyHeld) -> str:
    giver = "" if duty.given_by_name is None else f" by {duty.given_by_name}"
    said = (
        f"Had the duty of {duty.duty.spoken()} for {duty.organisation_name}, given{giver} on"
        f" {spoken_time(duty.given_at)}."
    )
    if duty.taken_up_at is None:
        said += " It was not taken up by a declaration."
    else:
        said += f" Taken up on {spoken_time(duty.taken_up_at)}."
    said += "".join(f" {_delegation(one)}" for one in duty.delegated_by)
    if duty.released_at is not None:
        said += f" Released on {spoken_time(duty.released_at)}."
    elif duty.suspended_because is not None:
        said += f" It is suspended: {_SUSPENDED[duty.suspended_because]}."
    return said


def _delegation(one: DelegatedBy) -> str:
    said = (
        f"Held under a delegation by {one.delegator_name} from {one.starts_on:%d %B %Y} to"
        f" {one.ends_on:%d %B %Y} ({one.authority})"
    )
    return f"{said}, ended on {spoken_time(one.ended_at)}." if one.ended_at else f"{said}."


def _on_taking_duty(one: OnTakingDuty) -> str:
    said = (
        "nothing to declare"
        if one.statement is Statement.NOTHING_TO_DECLARE
        else "interests as entered in the register"
    )
    when = spoken_time(one.declared_at)
    return f"Declared on taking the duty, on {when}: {said}.{_words(one.details)}"


def _interest(one: RegisteredInterest) -> str:
    entered = f"entered on {spoken_time(one.declared_at)}"
    if one.withheld:
        return f"The register of interests holds an entry that is withheld, {entered}."
    since = "" if one.starts_on is None else f", from {one.starts_on:%d %B %Y}"
    until = "" if one.ends_on is None else f", until {one.ends_on:%d %B %Y}"
    return (
        f"The register of interests says: {_spoken(one.kind)} interest in {one.counterparty}"
        f" ({_spoken(one.relationship)}{since}{until}), {entered}."
    )


def _about_bidders(declared: list[AboutBidder]) -> Iterable[str]:
    """One sentence a bidder; the same about bidders that are not named is said once."""
    yield from (_about_bidder(one, one.bidder_name) for one in declared if one.bidder_name)
    nameless = Counter(
        _about_bidder(one, "{bidders}") for one in declared if one.bidder_name is None
    )
    for sentence, count in nameless.items():
        who = _bidder(None) if count == 1 else f"{count} bidders that were not chosen"
        yield sentence.replace("{bidders}", who)


def _about_bidder(one: AboutBidder, bidder: str) -> str:
    said = "no interest" if one.interest is Interest.NONE else f"{_spoken(one.interest)} interest"
    return (
        f"Declared about {bidder} on {spoken_time(one.declared_at)}: {said}.{_words(one.details)}"
    )


def _connection(one: Connection) -> str:
    through = "" if one.through is None else f", through {one.through}"
    return (
        f"Connected with {_bidder(one.bidder_name)} {_SOURCES[one.source]} ({_spoken(one.kind)}"
        f"{through}), known since {spoken_time(one.known_at)}."
    )


def _decision(one: GuardianDecision) -> str:
    said = (
        f"About their interest in {_bidder(one.bidder_name)}, {one.decided_by_name} decided on"
        f" {spoken_time(one.decided_at)} that {_OUTCOMES[one.outcome]}."
    )
    if one.reason is not None:
        said += f" Reason: {one.reason}"
    return f"{said} Mitigation: {one.mitigation}" if one.mitigation else said


def _exemption(one: ExemptionHeld) -> str:
    first, second = one.duties
    said = (
        f"Exempted by {one.granted_by_name} on {spoken_time(one.granted_at)}, until"
        f" {spoken_time(one.expires_at)}, to be both {first.spoken()} and {second.spoken()}."
        f" Reason: {one.reason}"
    )
    if one.revoked_at is not None:
        said += f" Revoked on {spoken_time(one.revoked_at)}: {one.revoked_because}"
    return said


# -- refusals and helpers -------------------------------------------------------------------------


def _refusals(report: AssuranceReport) -> Iterable[str]:
    yield from (_refusal(one) for one in report.refusals)
    if report.refusals_left_out:
        yield f"{report.refusals_left_out} more refusals are not listed."


def _refusal(one: RefusalView) -> str:
    who = one.name or "Somebody without a duty in the tender"
    what = _spoken(one.operation.rpartition(".")[2])
    said = f"{who} was refused to {what} ({one.refusal.replace('-', ' ')}) {_when(one)}."
    return said if one.reason is None else f"{said} {one.reason}"


def _when(one: RefusalView) -> str:
    first, last = spoken_time(one.first_at), spoken_time(one.last_at)
    if one.times == 1:
        return f"on {first}"
    return f"{one.times} times, from {first} to {last}"


def _helper(helper: Helper) -> str:
    why = [*(["buys in this tender"] if helper.buys else [])]
    if helper.people:
        people = "1 person" if helper.people == 1 else f"{helper.people} people"
        why.append(f"had {people} with a duty in it")
    return f"{helper.name} {_listed(why)}; neither it nor its group could bid."


# -- words ----------------------------------------------------------------------------------------


def _bidder(name: str | None) -> str:
    return "a bidder that was not chosen" if name is None else name


def _words(details: str | None) -> str:
    return f" In their words: {details}" if details else ""


def _spoken(word: str | None) -> str:
    return "" if word is None else word.replace("_", " ")


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
