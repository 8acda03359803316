"""Refusals about suppliers and their applications, named by their reason."""

from market.errors import Forbidden, MarketError, keeps


@keeps("supplier_applies_once")
class AlreadyApplied(MarketError):
    """The organisation is a supplier already, or its application is being considered."""

    title = "This organisation is a supplier already, or its application is being considered."


@keeps("supplier_kind")
class NoSupplierKind(MarketError):
    """Organisations of this kind do not supply in the market."""

    title = (
        "Only commissioning support units, third-sector bodies and commercial companies can be"
        " suppliers."
    )


@keeps("organisation_identifier_once")
class IdentifierTaken(MarketError):
    """Two applications named one identifier at the same time, and the other one was first."""

    title = "That identifier has just been given by another application. Repeat the request."


@keeps("organisation_confirmed")
class OrganisationConfirmed(MarketError):
    """What a confirmed organisation is and is called does not change."""

    title = "This organisation is confirmed: what it is and what it is called no longer change."


@keeps("supplier_decision_once")
class AlreadyDecided(MarketError):
    """The application was decided before."""

    title = "This application has been decided. The organisation may apply again if refused."


@keeps("registrar_decides")
class OnlyRegistrarDecides(Forbidden):
    """Somebody who is not a registrar tried to decide an application."""

    title = "Only a registrar admits or refuses suppliers."


@keeps("registrar_is_not_applicant")
class OwnApplication(Forbidden):
    """A registrar tried to decide an application of their own."""

    title = "The applicant cannot decide the application. Ask another registrar."
