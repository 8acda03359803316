"""Who may see a tender and who may act in it, and why not."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from market.actor import Actor, Role
from market.errors import Forbidden, NotFound, Stale
from market.organisations.rules import BUYER_KINDS, OrganisationKind
from tenders.errors import (
    DutyNeeded,
    DutyNotTakenUp,
    DutySuspended,
    RuleSetDateRefused,
    TransitionRefused,
)
from tenders.rules.duties import Duty
from tenders.rules.stages import RedraftStage, TenderStage

READS_DRAFTS = frozenset({Role.PROCUREMENT_LEAD, Role.COMMISSIONER, Role.AUDITOR})


class TenderFacts(Struct, frozen=True, kw_only=True):
    """What decides about an act: the tender as it stands, and the actor's part in it.

    `duties` are those the actor holds now, for the organisation they act for: a duty held for
    another organisation needs a sign-in for that one. `offered` are those given to them and not
    taken up by a declaration, `suspended` those that rest on something that is not there any more.
    `for_buyer` says whether that organisation
    buys in the tender. `now` is the market's time.
    """

    id: UUID
    buyer: UUID
    title: str
    stage: TenderStage
    redraft: RedraftStage | None
    version: int
    demonstration: bool
    rule_set_date: date | None
    clarifications_until: datetime | None
    deadline: datetime | None
    contract_starts: date | None
    published_at: datetime | None
    opened_at: datetime | None
    duties: frozenset[Duty]
    offered: frozenset[Duty]
    suspended: frozenset[Duty]
    for_buyer: bool
    now: datetime

    @property
    def takes_bids(self) -> bool:
        """Whether bids come in: then a changed requirement is drafted, and amendments are made."""
        before = self.deadline is not None and self.now < self.deadline
        return self.stage is TenderStage.PUBLISHED and before


def sees_inside(actor: Actor, facts: TenderFacts) -> bool:
    """Say whether the actor belongs to the house: sees drafts, versions and reviews."""
    return bool(facts.duties) or (facts.for_buyer and bool(actor.roles & READS_DRAFTS))


def ensure_sees(actor: Actor, facts: TenderFacts | None) -> TenderFacts:
    """Let everybody see what is published, and a draft the house and those to whom it is offered.

    Raises:
        NotFound: for everybody else, as if there were no such tender.
    """
    if facts is None or not (
        facts.published_at is not None or sees_inside(actor, facts) or facts.offered
    ):
        raise NotFound
    return facts


def ensure_reads_draft(actor: Actor, facts: TenderFacts | None) -> TenderFacts:
    """Let everybody read what is published, and in a draft the house alone.

    Whoever has been given a duty knows of the draft, and reads in it once they have declared.

    Raises:
        NotFound: the tender is not visible to the actor.
        DutyNotTakenUp: it is a draft, and the actor has not declared on taking their duty.
    """
    seen = ensure_sees(actor, facts)
    return seen if seen.published_at is not None else ensure_sees_inside(actor, seen)


def ensure_sees_inside(actor: Actor, facts: TenderFacts | None) -> TenderFacts:
    """Let the house read how the requirement came about.

    Raises:
        NotFound: the tender is not visible to the actor.
        Forbidden: it is published, and the actor is a stranger to it.
    """
    seen = ensure_sees(actor, facts)
    if not sees_inside(actor, seen):
        if seen.offered:
            raise DutyNotTakenUp
        message = "Only people with a duty in the tender, and its buyers, can read this."
        raise Forbidden(message)
    return seen


def ensure_sees_duties(actor: Actor, facts: TenderFacts | None) -> TenderFacts:
    """Let everybody with a duty, and the buyers' auditors, see who holds which duty.

    Raises:
        NotFound: for everybody else.
    """
    if facts is None or not (facts.duties or _audits(actor, facts)):
        raise NotFound
    return facts


def ensure_sees_record(actor: Actor, facts: TenderFacts | None) -> TenderFacts:
    """Let the tender's manager and guardian, and the buyers' auditors, read its record.

    Raises:
        NotFound: the tender is not visible to the actor.
        Forbidden: it is, and the actor is none of these.
    """
    seen = ensure_sees(actor, facts)
    if not (seen.duties & {Duty.TENDER_MANAGER, Duty.GUARDIAN} or _audits(actor, seen)):
        message = (
            "Only the tender's manager, its guardian and its buyers' auditors read the record."
        )
        raise Forbidden(message)
    return seen


def _audits(actor: Actor, facts: TenderFacts) -> bool:
    return facts.for_buyer and actor.holds(Role.AUDITOR)


def ensure_may(
    actor: Actor, facts: TenderFacts | None, *duties: Duty, to: str, version: int | None = None
) -> TenderFacts:
    """Let a holder of one of the duties act on the version they read; `to` completes the reason.

    Raises:
        NotFound: the tender is not visible to the actor.
        DutyNeeded: the actor holds none of the duties.
        Stale: the tender was changed meanwhile.
    """
    seen = ensure_sees(actor, facts)
    ensure_holds(seen, *duties, to=to)
    if version is not None and version != seen.version:
        raise Stale
    return seen


class Holding(Protocol):
    """Whatever says which duties the actor holds, is offered, and has had suspended."""

    @property
    def duties(self) -> frozenset[Duty]: ...
    @property
    def offered(self) -> frozenset[Duty]: ...
    @property
    def suspended(self) -> frozenset[Duty]: ...


def ensure_holds(facts: Holding, *duties: Duty, to: str) -> None:
    """Go on only with a holder of one of the duties; `to` completes the reason.

    Raises:
        DutyNotTakenUp: the actor has been given one and has not declared on taking it.
        DutySuspended: what the actor's duty rests on is not there any more.
        DutyNeeded: the actor holds none of the duties.
    """
    wanted = frozenset(duties)
    if facts.duties & wanted:
        return
    if facts.offered & wanted:
        raise DutyNotTakenUp
    if facts.suspended & wanted:
        raise DutySuspended
    spoken = " or ".join(duty.spoken() for duty in duties)
    article = "an" if spoken[0] in "aeiou" else "a"
    message = f"Only {article} {spoken} of this tender can {to}."
    raise DutyNeeded(message)


def ensure_stage(facts: TenderFacts, stages: Collection[TenderStage], *, to: str) -> None:
    """Let an act take place at certain stages only.

    Raises:
        TransitionRefused: the tender is at another one; the detail names it.
    """
    if facts.stage not in stages:
        wanted = " or ".join(
            stage.value.replace("_", " ") for stage in TenderStage if stage in stages
        )
        message = (
            f"The tender is at the stage {facts.stage.value.replace('_', ' ')};"
            f" to {to} it must be at {wanted}."
        )
        raise TransitionRefused(message)


def ensure_may_create(  # noqa: PLR0913  # the facts of one decision, each by its name
    actor: Actor,
    kind: OrganisationKind | None,
    population: int | None,
    *,
    demonstration: bool,
    sandbox: bool,
    rule_set_date: date | None,
) -> None:
    """Let procurement leads of organisations that buy begin a tender.

    Raises:
        Forbidden: the actor is no procurement lead, or their organisation does not buy.
        RuleSetDateRefused: a date of the law is given outside a demonstration in a sandbox.
    """
    if not actor.holds(Role.PROCUREMENT_LEAD):
        message = "Only a procurement lead can begin a tender for the organisation they act for."
        raise Forbidden(message)
    if kind not in BUYER_KINDS:
        message = "The organisation you act for does not buy in this market."
        raise Forbidden(message)
    if population is None:
        message = "The population of your organisation is not known, so costs cannot be shared."
        raise Forbidden(message)
    if rule_set_date is not None and not (demonstration and sandbox):
        raise RuleSetDateRefused
