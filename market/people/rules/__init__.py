"""Pure rules about people: addresses and roles, passwords, attempts to sign in, one-time codes."""

from market.people.rules.attempts import (
    AttemptKind,
    Tally,
    client_network,
    failures_after,
    lock_for,
)
from market.people.rules.methods import SignInMethod
from market.people.rules.one_time_passwords import looks_like_code, matching_step, normal_code
from market.people.rules.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD, password_faults
from market.people.rules.roles import OPERATOR, WATCHMEN, grantable_roles, normal_email

__all__ = [
    "LONGEST_PASSWORD",
    "OPERATOR",
    "SHORTEST_PASSWORD",
    "WATCHMEN",
    "AttemptKind",
    "SignInMethod",
    "Tally",
    "client_network",
    "failures_after",
    "grantable_roles",
    "lock_for",
    "looks_like_code",
    "matching_step",
    "normal_code",
    "normal_email",
    "password_faults",
]
