"""Acts of people: signing in and out, inviting, accepting, ending a membership."""

from market.people.commands.identity import NewPerson, prove_identity, register
from market.people.commands.invitations import accept_invitation, create_operator, invite
from market.people.commands.memberships import end_membership, grant_role
from market.people.commands.sessions import begin_session, end_session, sign_in

__all__ = [
    "NewPerson",
    "accept_invitation",
    "begin_session",
    "create_operator",
    "end_membership",
    "end_session",
    "grant_role",
    "invite",
    "prove_identity",
    "register",
    "sign_in",
]
