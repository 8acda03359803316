"""Pure rules about targets: which addresses of the web, and of the network, are sent to."""

import ipaddress
import re
from typing import Final

from market.web_addresses import LONGEST, taken_apart

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAME: Final = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{1,63}\.?")
_LONGEST_NAME: Final = 253
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")

_LOCAL_NAMES: Final = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "onion")
"""Names that are this machine's or this network's own (RFC 6761, 6762, 8375 and custom)."""

_PRIVATE: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
    )
)
"""What `webhook_private_targets` allows. Never link-local: clouds keep their secrets there."""

_GLOBAL_6: Final = ipaddress.ip_network("2000::/3")
_NOT_GLOBAL: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments, of which Python 3.11 knows a part
        "192.88.99.0/24",  # the relays of 6to4, given up by RFC 7526
        "2001::/23",  # protocol assignments, Teredo's tunnels among them
        "2001:db8::/32",
        "3fff::/20",  # for documentation (RFC 9637), which Python 3.11 does not know
    )
)
_CARRIERS: Final = tuple(
    (ipaddress.ip_network(network), shift)
    for network, shift in (
        ("::ffff:0:0/96", 0),  # IPv4-mapped (RFC 4291, 2.5.5.2)
        ("::ffff:0:0:0/96", 0),  # IPv4-translated (RFC 7915)
        ("64:ff9b::/96", 0),  # NAT64 (RFC 6052)
        ("2002::/16", 80),  # 6to4 (RFC 3056)
        ("::/96", 0),  # IPv4-compatible, long given up (RFC 4291, 2.5.5.1)
    )
)
"""Forms of IPv6 that carry an IPv4 address, and how far from the end: the inner one decides."""


def url_fault(url: str, *, private: bool) -> str | None:
    """Say what is wrong with the URL of a webhook, or None.

    It must be https, with a name that is not local or an address that is public; `private` is
    whether the settings allow private targets, and then http as well. Where a name leads is looked
    at each time something is sent (see `may_send_to`).
    """
    parts = taken_apart(url)
    if parts is None:
        return (
            f"Give an absolute URL of at most {LONGEST:,} ASCII letters, without user, password"
            " and fragment."
        )
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        return "Give an https URL: what is sent must not be read on the way."
    if parts.port == 0:
        return "Port 0 is none."
    return _host_fault(parts.hostname or "", private=private)


def _host_fault(host: str, *, private: bool) -> str | None:
    if _literal(host) is not None:
        return None if may_send_to(host, private=private) else _NOT_PUBLIC
    if len(host) > _LONGEST_NAME or not _NAME.fullmatch(host):
        return "The URL's host is neither a name nor an address."
    name = host.removesuffix(".")
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return "Write an address in its usual form: four decimal numbers, or IPv6 in brackets."
    if private:
        return None
    local = "." not in name or any(name == one or name.endswith(f".{one}") for one in _LOCAL_NAMES)
    return _NOT_PUBLIC if local else None


_NOT_PUBLIC: Final = "The URL's host must be public: no local name, and no private address."


def may_send_to(text: str, *, private: bool) -> bool:
    """Say whether anything is sent to an address of the network.

    Public unicast addresses only: nothing private, shared, loopback, link-local, multicast,
    reserved, unspecified or for documentation, also not inside an IPv6 form that carries IPv4.
    With `private`, loopback and private networks too, and still nothing link-local.
    """
    address = _literal(text)
    if address is None or getattr(address, "scope_id", None):
        return False
    if private and any(address in network for network in _PRIVATE):
        return True
    inner = _carried(address)
    if inner is not None:
        return may_send_to(str(inner), private=private)
    if any(address in network for network in _NOT_GLOBAL) or not address.is_global:
        return False
    if address.is_multicast or address.is_reserved:
        return False
    return address.version == 4 or address in _GLOBAL_6  # noqa: PLR2004  # IP's own version number


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _carried(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside an IPv6 one, if it is of a form that carries one."""
    for network, shift in _CARRIERS:
        if address in network:
            return ipaddress.IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    return None
