"""The rules of webhooks: where to, when again, and what is never sent to."""

import itertools
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.settings import Settings
from market.webhooks.rules.retries import (
    Verdict,
    asked_to_wait,
    verdict_of,
    wait_before_next,
    waits,
    words_of,
)
from market.webhooks.rules.targets import may_send_to, url_fault

DAY = 86400.0
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)

firsts = st.floats(0.01, 600)
ratios = st.floats(1, 100_000)
chances = st.floats(0, 1)


# -- when -----------------------------------------------------------------------------------------


@given(first=firsts, ratio=ratios)
def test_waits_grow_by_doubling_and_together_fill_the_span(first: float, ratio: float) -> None:
    span = first * ratio
    nominal = waits(first, span)
    longest = max(first, span / 6)
    assert nominal[0] == first
    assert all(later == min(2 * earlier, longest) for earlier, later in itertools.pairwise(nominal))
    assert sum(nominal) <= span * 1.000001
    assert sum(nominal) > span - longest - first * 0.000001 or len(nominal) == 1
    assert len(nominal) < 40


@given(first=firsts, ratio=ratios, chance=chances, asked=st.none() | st.floats(0, 1e9))
def test_a_wait_is_spread_by_a_fifth_and_longer_only_where_it_was_asked_for(
    first: float, ratio: float, chance: float, asked: float | None
) -> None:
    nominal = waits(first, first * ratio)
    for made, own in enumerate(nominal, 1):
        found = wait_before_next(made, nominal, chance, asked)
        assert found is not None
        assert found >= own * 0.8 * (1 - 1e-9)
        assert found <= max(own * 1.2, nominal[-1]) * (1 + 1e-9)
        if asked is not None and asked <= nominal[-1]:
            assert found >= asked
    assert wait_before_next(len(nominal) + 1, nominal, chance, asked) is None


@given(first=firsts, ratio=ratios, one=chances, other=chances)
def test_while_waits_double_every_next_one_is_longer_however_they_are_spread(
    first: float, ratio: float, one: float, other: float
) -> None:
    nominal = waits(first, first * ratio)
    for made in range(1, len(nominal)):
        if nominal[made] == 2 * nominal[made - 1]:
            earlier = wait_before_next(made, nominal, one)
            later = wait_before_next(made + 1, nominal, other)
            assert earlier is not None
            assert later is not None
            assert earlier < later


def test_by_default_it_is_tried_for_about_three_days() -> None:
    settings = Settings()
    nominal = waits(settings.webhook_first_retry, settings.webhook_retry_span)
    assert nominal[:5] == (10, 20, 40, 80, 160)
    assert nominal[-1] == DAY / 2
    assert 2.5 * DAY < sum(nominal) <= 3 * DAY
    assert len(nominal) == 17


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("0", 0),
        (" 120 ", 120),
        ("9" * 99, float("9" * 99)),
        ("9" * 101, None),
        ("Sun, 22 Nov 2026 10:02:00 GMT", 120),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0),
        ("Sun, 22 Nov 2026 11:02:00 +0100", 120),
        ("Sun Nov 22 10:02:00 2026", 120),
        ("Sun, 99 Nov 2026 10:02:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert asked_to_wait(header, NOW) == seconds


@given(header=st.text(max_size=150))
def test_whatever_a_receiver_sends_as_retry_after_is_a_time_or_nothing(header: str) -> None:
    found = asked_to_wait(header, NOW)
    assert found is None or found >= 0


@given(status=st.integers(100, 599))
def test_success_is_2xx_and_nothing_else_and_whatever_fails_has_words(status: int) -> None:
    verdict = verdict_of(status)
    assert (verdict is Verdict.DELIVERED) == (200 <= status < 300)
    assert (verdict is Verdict.GONE) == (status == 410)
    assert str(status) in words_of(status)
    assert len(words_of(status)) <= 200


# -- where to -------------------------------------------------------------------------------------

NEVER = (
    "0.0.0.0",  # noqa: S104  # refused, not bound to
    "0.1.2.3",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::ffff:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:a9fe:a9fe::1",
    "2002:e000:1::",
    "3fff::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "4000::1",
    "",
    "localhost",
    "127.1",
    "0x7f000001",
    "2130706433",
)
PRIVATE = (
    "127.0.0.1",
    "127.8.9.10",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "::1",
    "fc00::1",
    "fd12:3456::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "2002:7f00:1::",
    "2002:c0a8:101::5",
)
PUBLIC = (
    "8.8.8.8",
    "172.32.0.1",
    "192.169.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
)


def test_only_public_addresses_are_sent_to_in_whatever_form_others_come() -> None:
    for address in (*NEVER, *PRIVATE):
        assert not may_send_to(address, private=False), address
    for address in PUBLIC:
        assert may_send_to(address, private=False), address


def test_the_setting_allows_private_networks_and_nothing_else() -> None:
    for address in NEVER:
        assert not may_send_to(address, private=True), address
    for address in (*PRIVATE, *PUBLIC):
        assert may_send_to(address, private=True), address


@given(number=st.integers(0, 2**32 - 1))
def test_no_form_of_ipv6_lets_through_what_ipv4_does_not(number: int) -> None:
    address = IPv4Address(number)
    allowed = may_send_to(str(address), private=False)
    if not address.is_global or address.is_multicast:
        assert not allowed
    for form in (
        int(IPv6Address("::ffff:0:0")) + number,
        int(IPv6Address("64:ff9b::")) + number,
        int(IPv6Address("2002::")) + (number << 80) + 1,
    ):
        assert may_send_to(str(IPv6Address(form)), private=False) == allowed


@given(number=st.integers(0, 2**128 - 1))
def test_no_ipv6_address_outside_global_unicast_is_sent_to(number: int) -> None:
    address = IPv6Address(number)
    if may_send_to(str(address), private=False):
        carriers = ("2000::/3", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "::/96")
        assert any(address in ip_network(network) for network in carriers)


GOOD_URLS = (
    "https://hooks.example.org/market",
    "https://hooks.example.org./market?token=abc",
    "https://HOOKS.example.org:8443/",
    "https://8.8.8.8/hook",
    "https://[2606:4700::1111]/hook",
    "https://under_score.example.org",
    "https://1.example",
)
BAD_URLS = (
    "http://hooks.example.org/",
    "ftp://hooks.example.org/",
    "hooks.example.org",
    "//hooks.example.org",
    "https://",
    "https:///path",
    "https://user:password@hooks.example.org/",
    "https://hooks.example.org@127.0.0.1/",
    "https://hooks.example.org/#fragment",
    "https://hooks.example.org/a b",
    "https://hooks.example.org/\n",
    "https://hooks.example.org\\@127.0.0.1/",
    "https://hooks.example.org:0/",
    "https://hooks.example.org:99999/",
    "https://höoks.example.org/",
    "https://hooks.example.org/" + "x" * 2000,
    "https://localhost/",
    "https://LOCALHOST./",
    "https://a.localhost/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://intranet/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://0x7f.0.0.1/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://0/",
    "https://example.0x/",
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::10.0.0.1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fd00::1]/",
    "https://%31%32%37.0.0.1/",
    "https://-/",
    "https://a..example.org/",
    "https://.example.org/",
    f"https://{'a' * 64}.example.org/",
    f"https://{'a.' * 130}example.org/",
)


def test_a_webhook_s_url_is_https_to_a_public_name_or_address() -> None:
    for url in GOOD_URLS:
        assert url_fault(url, private=False) is None, url
    for url in BAD_URLS:
        assert url_fault(url, private=False), url


def test_where_the_setting_allows_it_a_url_may_be_http_and_private_and_still_not_link_local() -> (
    None
):
    for url in ("http://127.0.0.1:8000/", "http://localhost/", "https://intranet/", *GOOD_URLS):
        assert url_fault(url, private=True) is None, url
    for url in (
        "http://169.254.169.254/",
        "http://2130706433/",
        "ftp://127.0.0.1/",
        "http://[fe80::1]/",
        "http://user@127.0.0.1/",
        "http://0.0.0.0/",
    ):
        assert url_fault(url, private=True), url
