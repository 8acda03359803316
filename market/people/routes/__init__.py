"""HTTP about people: sessions, oneself, and the people of an organisation."""

from market.people.routes.members import InvitationController, MembershipController
from market.people.routes.oneself import PasswordResetController, PersonController
from market.people.routes.sessions import SessionController

CONTROLLERS = (
    SessionController,
    PersonController,
    PasswordResetController,
    InvitationController,
    MembershipController,
)

__all__ = ["CONTROLLERS"]
