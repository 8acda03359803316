"""Acts of people: signing in and out, inviting and revoking, accepting, giving and ending roles."""

from market.people.commands.identity import NewPerson, prove_identity, register
from market.people.commands.invitations import (
    OpenInvitation,
    accept_invitation,
    create_operator,
    invite,
    open_invitation,
    revoke_invitation,
    take_up,
)
from market.people.commands.memberships import (
    end_membership,
    give_role,
    grant_role,
    remove_member,
)
from market.people.commands.sessions import begin_session, end_session, sign_in

__all__ = [
    "NewPerson",
    "OpenInvitation",
    "accept_invitation",
    "begin_session",
    "create_operator",
    "end_membership",
    "end_session",
    "give_role",
    "grant_role",
    "invite",
    "open_invitation",
    "prove_identity",
    "register",
    "remove_member",
    "revoke_invitation",
    "sign_in",
    "take_up",
]
