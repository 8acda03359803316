"""Reading what bidders offered and the panel thought: every such read is an event of its own."""

from uuid import UUID

from msgspec.structs import replace

from evaluation.queries.allocation import lot_allocation
from evaluation.queries.assurance.report import assurance_report, public_report
from evaluation.queries.award import notice, notices
from evaluation.queries.bids import bids_under_evaluation
from evaluation.queries.low_prices import explanations
from evaluation.queries.ranking import ranking
from evaluation.queries.recommendation import recommendation_report
from evaluation.queries.robustness import RankedForReport, ranked_for_report
from evaluation.queries.scores import scores
from evaluation.queries.verification import award_checks
from evaluation.rules.recommendation import RecommendationReport
from evaluation.rules.robustness.report import marks_that_flip
from evaluation.schemas.allocation import AllocationView
from evaluation.schemas.assurance import AssuranceReport, Audience
from evaluation.schemas.award import NoticeView
from evaluation.schemas.low_prices import PriceExplanations
from evaluation.schemas.ranking import RankingView
from evaluation.schemas.robustness import FlippingMark, flipping_marks
from evaluation.schemas.scores import BidUnderEvaluation, ScoreView
from evaluation.schemas.verification import AwardChecks
from market.actor import Actor
from market.command import confidential_reading
from market.events.commands import record
from market.pages import Page


@confidential_reading
async def read_bids(
    actor: Actor, tender_id: UUID, lot_number: int, *, limit: int, cursor: str | None
) -> Page[BidUnderEvaluation]:
    """List the opened bids of a lot by pseudonym, with their answers.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor's duty does not read bids.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the bids have not been opened.
    """
    lot, page = await bids_under_evaluation(
        actor, tender_id, lot_number, limit=limit, cursor=cursor
    )
    shown = [bid.pseudonym for bid in page.items]
    await record(actor, "bids.read", "lot", lot, tender=tender_id, lot=lot_number, bids=shown)
    return page


@confidential_reading
async def read_scores(  # noqa: PLR0913  # the lot, the filter and the page, each by its name
    actor: Actor,
    tender_id: UUID,
    lot_number: int,
    *,
    pseudonym: str | None,
    limit: int,
    cursor: str | None,
) -> Page[ScoreView]:
    """List scores and agreed scores with their reasons; one's own alone is no event.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor's duty does not read scores, or not before quality is locked.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    lot, page = await scores(
        actor, tender_id, lot_number, pseudonym=pseudonym, limit=limit, cursor=cursor
    )
    others = [score for score in page.items if score.person != actor.person]
    if others:
        await record(
            actor,
            "scores.read",
            "lot",
            lot,
            tender=tender_id,
            lot=lot_number,
            bids=list(dict.fromkeys(score.pseudonym for score in others)),
            scores=len(others),
        )
    return page


@confidential_reading
async def read_ranking(
    actor: Actor, tender_id: UUID, lot_number: int, number: int | None = None
) -> RankingView:
    """Show a ranking of a lot, by default the latest, with the prices that the actor may read.

    Raises:
        NotFound: no such lot, no duty in its tender, or the lot has no such ranking.
        DutyNeeded: the actor's duty does not read rankings.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    lot, view = await ranking(actor, tender_id, lot_number, number)
    view = replace(view, marks_that_flip=await _flips(actor, view))
    await record(
        actor,
        "ranking.read",
        "lot",
        lot,
        tender=tender_id,
        lot=lot_number,
        bids=[bid.pseudonym for bid in view.bids],
        price_schedules=sum(bid.price_lines is not None for bid in view.bids),
    )
    return view


async def _flips(actor: Actor, view: RankingView) -> list[FlippingMark] | None:
    """The single marks that flip a ranking, where its own figures stand."""
    if view.number != view.latest or all(bid.place is None for bid in view.bids):
        return None
    found = await ranked_for_report(actor, view.tender, view.lot)
    return flipping_marks(marks_that_flip(found.ranked)) if found.number == view.number else None


@confidential_reading
async def read_for_robustness(actor: Actor, tender_id: UUID, lot_number: int) -> RankedForReport:
    """Read a ranking with the scores it came of, to say how firmly it stands.

    Raises:
        NotFound: no such lot, no duty in its tender, or nothing of it is ranked.
        DutyNeeded: the actor's duty does not read rankings.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    found = await ranked_for_report(actor, tender_id, lot_number)
    await record(
        actor,
        "robustness.read",
        "lot",
        found.lot,
        tender=tender_id,
        lot=lot_number,
        bids=[offer.key for offer in found.ranked.offers],
    )
    return found


@confidential_reading
async def read_recommendation(
    actor: Actor, tender_id: UUID, lot_number: int
) -> RecommendationReport:
    """Show those who decide all that they decide on.

    Raises:
        NotFound: no such lot, no duty in its tender, or nothing is recommended in its round.
        DutyNeeded: the actor's duty does not decide about awards.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    lot, report = await recommendation_report(actor, tender_id, lot_number)
    await record(
        actor,
        "recommendation_report.read",
        "lot",
        lot,
        tender=tender_id,
        lot=lot_number,
        bids=[bid.pseudonym for bid in report.bids],
    )
    return report


@confidential_reading
async def read_explanations(actor: Actor, tender_id: UUID, lot_number: int) -> PriceExplanations:
    """Show which prices appear abnormally low, how they were explained, and what was decided.

    Raises:
        NotFound: no such lot, no duty in its tender, or nothing of it is ranked.
        DutyNeeded: the actor's duty does not read explanations.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    lot, view = await explanations(actor, tender_id, lot_number)
    shown = [bid.pseudonym for bid in view.bids]
    await record(
        actor, "price_explanations.read", "lot", lot, tender=tender_id, lot=lot_number, bids=shown
    )
    return view


@confidential_reading
async def read_award_checks(actor: Actor, tender_id: UUID, lot_number: int) -> AwardChecks:
    """Show what the winner of a lot is checked for, and what was found.

    Raises:
        NotFound: no such lot, no duty in its tender, or it is not awarded.
        DutyNeeded: the actor's duty does not read checks.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    lot, view = await award_checks(actor, tender_id, lot_number)
    await record(actor, "award_checks.read", "lot", lot, tender=tender_id, lot=lot_number)
    return view


@confidential_reading
async def read_allocation(actor: Actor, tender_id: UUID) -> AllocationView:
    """Show which lot goes to whom under the published limit.

    Raises:
        NotFound: no such tender, no duty in it, or it limits nothing.
        DutyNeeded: the actor's duty does not read rankings.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    view = await lot_allocation(actor, tender_id)
    await record(actor, "allocation.read", "tender", tender_id, tender=tender_id)
    return view


@confidential_reading
async def read_notices(
    actor: Actor, tender_id: UUID, lot_number: int, *, limit: int, cursor: str | None
) -> Page[NoticeView]:
    """List the notices of a lot; that a bidder reads its own is no event.

    Raises:
        NotFound: no such lot.
        DutyNeeded: the actor's duty does not read notices.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    lot, by_duty, page = await notices(actor, tender_id, lot_number, limit=limit, cursor=cursor)
    if by_duty:
        await record(
            actor,
            "notices.read",
            "lot",
            lot,
            tender=tender_id,
            lot=lot_number,
            notices=len(page.items),
        )
    return page


@confidential_reading
async def read_notice(
    actor: Actor, tender_id: UUID, lot_number: int, notice_id: UUID
) -> NoticeView:
    """Show one notice of a lot; that a bidder reads its own is no event.

    Raises:
        NotFound: no such lot, or no such notice that the actor may read.
        DutyNeeded: the actor's duty does not read notices.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    lot, by_duty, view = await notice(actor, tender_id, lot_number, notice_id)
    if by_duty:
        await record(actor, "notices.read", "lot", lot, tender=tender_id, lot=lot_number, notices=1)
    return view


async def read_report(actor: Actor, tender_id: UUID) -> AssuranceReport:
    """Answer for a tender; that the public's version is read is no event.

    Raises:
        NotFound: there is no such tender, or a draft that the actor may not know of.
        DutyNotTakenUp: the actor has been given a duty that reads it, and has not declared.
        Forbidden: the bidders have not been told yet, and the actor does not read the record.
    """
    if actor.person is None:
        return await public_report(actor, tender_id)
    return await _read_report(actor, tender_id)


@confidential_reading
async def _read_report(actor: Actor, tender_id: UUID) -> AssuranceReport:
    report = await assurance_report(actor, tender_id)
    if report.audience is Audience.INSIDE:
        # salted, as what a reader is shown may tell of an interest
        digest = report.digest.encode()
        await record(actor, "assurance.read", "tender", tender_id, tender=tender_id, after=digest)
    return report
