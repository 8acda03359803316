"""Rules about people: addresses in one form, passwords that hold, roles that fit."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.actor import Role
from market.organisations.rules import OrganisationKind
from market.people.rules import grantable_roles, normal_email, password_faults


@pytest.mark.parametrize(
    ("given_form", "one_form"),
    [
        ("Ann.Lead@Group.Example", "ann.lead@group.example"),
        ("ann@BÜCHER.example", "ann@bücher.example"),
        ("ann+bids@group.example", "ann+bids@group.example"),
    ],
)
def test_an_address_has_one_form(given_form: str, one_form: str) -> None:
    assert normal_email(given_form) == one_form


@given(st.text(max_size=60))
def test_an_address_s_form_is_final_or_there_is_none(text: str) -> None:
    try:
        address = normal_email(text)
    except ValueError:
        return
    assert normal_email(address) == address == address.lower()
    assert "\x00" not in address


@settings(deadline=None)  # the library's first use reads its tables
@given(st.text(min_size=0, max_size=11))
def test_a_short_password_is_never_taken(password: str) -> None:
    assert password_faults(password, email="a@b.example", name="Ann Lead")


def test_every_fault_of_a_password_is_named_at_once() -> None:
    faults = password_faults("annannann", email="annann@b.example", name="Ann")
    assert len(faults) == 3
    assert {fault.field for fault in faults} == {"password"}


def test_a_few_words_do_well() -> None:
    assert password_faults("three quiet otters", email="a@b.example", name="Ann Lead") == []


@pytest.mark.parametrize("kind", OrganisationKind)
def test_no_kind_of_organisation_makes_registrars(kind: OrganisationKind) -> None:
    assert Role.REGISTRAR not in grantable_roles(kind)
    assert Role.ADMINISTRATOR in grantable_roles(kind)


def test_those_who_only_buy_do_not_bid_and_those_who_only_supply_do_not_buy() -> None:
    group = grantable_roles(OrganisationKind.CLINICAL_COMMISSIONING_GROUP)
    assert Role.BID_MANAGER not in group
    for kind in (OrganisationKind.COMMERCIAL, OrganisationKind.THIRD_SECTOR):
        assert grantable_roles(kind) == {Role.ADMINISTRATOR, Role.BID_MANAGER}
