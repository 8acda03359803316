"""HTTP about people: sessions, oneself, and the people of an organisation."""

from market.people.routes.members import (
    AdministrationController,
    InvitationController,
    MembershipController,
)
from market.people.routes.oneself import PasswordResetController, PersonController
from market.people.routes.sessions import SessionController

CONTROLLERS = (
    SessionController,
    PersonController,
    PasswordResetController,
    InvitationController,
    MembershipController,
    AdministrationController,
)

__all__ = ["CONTROLLERS"]
