"""Pure rules about API keys: how they are written and read, from where, and for how long."""

import ipaddress
import zlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from market.actor import Role
from market.errors import Fault

PREFIX: Final = "mka_"
SECRET_BYTES: Final = 32
LONGEST_LIFE: Final = timedelta(days=366)
"""An API key lives at most a year; a leap year counts in full."""
LONGEST_GRACE: Final = timedelta(hours=24)
"""How long a key that was replaced may go on working."""
MOST_AT_ONCE: Final = 20
"""How many keys and clients of one person for one organisation may be in force."""

HOLDING_ROLES: Final = frozenset({Role.ADMINISTRATOR, Role.BID_MANAGER})
"""The roles whose holders make credentials; a credential works while its maker holds one."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LETTERS, _SECRET_LETTERS, _CHECK_LETTERS = 32, 43, 6  # 62^43 > 2^256, 62^6 > 2^32
LENGTH: Final = len(PREFIX) + _ID_LETTERS + 1 + _SECRET_LETTERS + _CHECK_LETTERS


class WrittenKey(msgspec.Struct, frozen=True):
    """An API key as somebody sent it: which one it says it is, and its secret."""

    id: UUID
    secret: str

    def __repr__(self) -> str:
        """Name the key without its secret."""
        return f"WrittenKey({self.id})"


def write_key(key_id: UUID, secret: bytes) -> str:
    """Write a key as `mka_<id>_<secret><checksum>`: letters and digits that survive a copy."""
    body = f"{PREFIX}{key_id.hex}_{_digits(int.from_bytes(secret, 'big'), _SECRET_LETTERS)}"
    return body + _checksum(body)


def read_key(text: str) -> WrittenKey | None:
    """Read a key back; None for what the market never wrote, a misspelt key included.

    The checksum says nothing of whether the key works: it tells scanners and those who mistype.
    """
    if len(text) != LENGTH or not text.isascii() or not text.startswith(PREFIX):
        return None
    body, check = text[:-_CHECK_LETTERS], text[-_CHECK_LETTERS:]
    if _checksum(body) != check:
        return None
    try:
        key_id = UUID(hex=body[len(PREFIX) : len(PREFIX) + _ID_LETTERS])
    except ValueError:
        return None
    written = WrittenKey(key_id, body[-_SECRET_LETTERS:])
    # one spelling a key: no capitals in the id, none of UUID's other forms
    return written if f"{PREFIX}{key_id.hex}_{written.secret}" == body else None


def _checksum(body: str) -> str:
    return _digits(zlib.crc32(body.encode("ascii")), _CHECK_LETTERS)


def _digits(number: int, width: int) -> str:
    letters = []
    for _ in range(width):
        number, digit = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[digit])
    return "".join(reversed(letters))


def network_faults(networks: Iterable[str]) -> list[Fault]:
    """Everything that is wrong with a list of networks in CIDR notation (RFC 4632, RFC 4291)."""
    faults = []
    for number, text in enumerate(networks):
        try:
            ipaddress.ip_network(text)
        except ValueError as error:
            reason = f"Give a network such as 192.0.2.0/24 or 2001:db8::/32: {error}."
            faults.append(Fault(field=f"addresses[{number}]", reason=reason))
    return faults


def normal_networks(networks: Iterable[str]) -> list[str]:
    """The networks in the one form in which they are stored, each once. Raises ValueError."""
    return sorted({str(ipaddress.ip_network(text)) for text in networks})


def comes_from(address: str, networks: Iterable[str]) -> bool:
    """Say whether an address lies in one of the networks; with no networks, any address does.

    An IPv4 address that arrives in IPv6 form (::ffff:192.0.2.1) is the IPv4 address.
    """
    listed = list(networks)
    if not listed:
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in ipaddress.ip_network(network) for network in listed)
