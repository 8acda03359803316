"""Refusals about the registers, named by their reason."""

from market.errors import Forbidden, MarketError, keeps


class NoRegister(MarketError):
    """The organisation does not buy or help to buy, so it keeps no registers here."""

    status = 404
    title = "There is no such organisation here, or it keeps no registers in the market."


@keeps("register_in_own_name")
class NotYourEntry(Forbidden):
    """An entry was to be made about somebody else, or in another organisation's register."""

    title = "An entry is made by the person it is about, or by the organisation's guardian."


@keeps("register_of_members")
class NotOfThisOrganisation(MarketError):
    """The person an entry is about is no member of the organisation."""

    title = "The person is not a member of the organisation whose register this is."


@keeps("guardian_s_entry_stands")
class GuardiansEntry(Forbidden):
    """Somebody was to correct or end what the guardian entered about them."""

    title = "The conflicts guardian made this entry; ask a guardian to correct or end it."


@keeps("interest_corrected_once", "gift_corrected_once")
@keeps("ending_of_the_latest", "review_of_the_latest")
class CorrectedAlready(MarketError):
    """The entry was corrected: what is to be done is to be done with the correction."""

    title = "This entry was corrected. Read the latest version and act on that."


@keeps("correction_of_the_same")
class NotTheSameEntry(MarketError):
    """A correction was to move an entry to another person or register."""

    title = "A correction is about the same person, in the same register."


@keeps("nothing_from_the_future")
class DayToCome(MarketError):
    """Something was to be declared as having happened on a day that is still to come."""

    title = "This day is still to come."


@keeps("line_manager_is_a_member", "interest_line_manager_is_another")
class NotALineManager(MarketError):
    """The line manager named is the holder, or no member of the organisation."""

    title = "The line manager is another member of the same organisation."


@keeps("interest_ended_once")
class EndedAlready(MarketError):
    """That the interest ended is on record already."""

    title = "That this interest has ended is on record already. A wrong day is corrected."


@keeps("ending_after_start")
class EndsOutsideItsTime(MarketError):
    """An interest was to end before it started, or on a day to come."""

    title = "An interest has ended on a day from its start to today."


@keeps("mitigation_by_another")
class NotYoursToMitigate(Forbidden):
    """Somebody else than the guardian and the line manager was to record what is done."""

    title = "What is done about an interest is recorded by the guardian or the line manager."


@keeps("mitigation_agreed_with_another")
class NotAgreedWithAnother(MarketError):
    """What is done about an interest was agreed with its holder, or with an outsider."""

    title = "It is agreed with another member of the organisation than the holder."


@keeps("confirmed_in_own_name")
class NotYoursToConfirm(Forbidden):
    """Somebody was to confirm the interests of somebody else."""

    title = "Everybody confirms their own interests."


@keeps("confirmation_is_true")
class ConfirmationContradicted(MarketError):
    """What was to be confirmed is not what the register says."""

    title = "The register says otherwise than you confirm."


@keeps("gift_reviewed_by_another")
class NotYoursToReview(Forbidden):
    """An offer was to be reviewed by who got or declared it, or by somebody not senior."""

    title = "An offer is reviewed by a guardian or lay member who neither got nor declared it."


@keeps("gift_reviewed_once")
class ReviewedAlready(MarketError):
    """The offer was reviewed before."""

    title = "This has been reviewed already."


@keeps("consent_decided_by_guardian")
class NotYoursToDecide(Forbidden):
    """Somebody else than a guardian, or a guardian about themselves, was to decide."""

    title = "A conflicts guardian other than the person who refused decides on this."


@keeps("consent_was_refused")
class ConsentGiven(MarketError):
    """Consent to publish was given, so there is no refusal to decide on."""

    title = "Consent was given: there is nothing to decide."


@keeps("consent_decided_once", "consent_decided_once_for_gift")
class ConsentDecidedAlready(MarketError):
    """The guardian decided on this refusal before."""

    title = "This refusal has been decided on already."


@keeps("breach_by_guardian")
class GuardianNeeded(Forbidden):
    """Only the organisation's conflicts guardian does this."""

    title = "Only the organisation's conflicts guardian does this."


@keeps("breach_of_others")
class GuardianInvolved(Forbidden):
    """The guardian was involved in the breach."""

    title = "You were involved in the breach; another guardian records and publishes it."


@keeps("involved_with_the_breach")
class InvolvedAfterwards(MarketError):
    """Somebody was to be added to a breach that is on record already."""

    title = "Who was involved is recorded together with the breach."


@keeps("breach_names_nobody")
class NamesSomebody(MarketError):
    """The text to be published names somebody who was involved."""

    title = "The text names somebody who was involved. Say it without naming them."
