"""Acts of people: signing in and out, proving who one is, inviting, giving and ending roles."""

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
from market.people.commands.one_time_passwords import (
    confirm_authenticator,
    enrol_authenticator,
    remove_authenticator,
)
from market.people.commands.passwords import change_password, offer_reset, reset_password
from market.people.commands.sessions import (
    begin_session,
    confirm_session,
    end_other_sessions,
    end_session,
    sign_in,
    switch_session,
)

__all__ = [
    "NewPerson",
    "OpenInvitation",
    "accept_invitation",
    "begin_session",
    "change_password",
    "confirm_authenticator",
    "confirm_session",
    "create_operator",
    "end_membership",
    "end_other_sessions",
    "end_session",
    "enrol_authenticator",
    "give_role",
    "grant_role",
    "invite",
    "offer_reset",
    "open_invitation",
    "prove_identity",
    "register",
    "remove_authenticator",
    "remove_member",
    "reset_password",
    "revoke_invitation",
    "sign_in",
    "switch_session",
    "take_up",
]
