"""Addresses that secrets may be sent to, and those that only look like it."""

import pytest

from market.web_addresses import is_local, is_protected


@pytest.mark.parametrize(
    "address",
    [
        "https://idp.example",
        "https://idp.example:8443/realms/x?y=1",
        "https://[2001:db8::1]/",
        "http://127.0.0.1:9400",
        "http://localhost/x",
        "http://[::1]:8000/",
    ],
)
def test_tls_or_this_machine_will_do(address: str) -> None:
    assert is_protected(address)
    assert is_protected(address, local=False) == address.startswith("https://")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://",
        "https:idp.example",
        "//idp.example",
        "idp.example",
        "http://idp.example",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example/",
        "https://user:password@idp.example/",
        "https://idp.example/#there",
        "https://idp.example/\n",
        "https://idp.ex\tample/",
        "https://idp.example\\@evil.example/",
        "https://idp.example:port/",
        "https://idp.example:99999/",
        "https://[idp.example/",
        "https://\u0131dp.example/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://idp.example/" + "x" * 2000,
    ],
)
def test_nothing_else_will(address: str) -> None:
    assert not is_protected(address)
    assert not is_local(address)
