"""Web addresses that secrets may be sent to: over TLS, or on this very machine."""

import ipaddress
from urllib.parse import SplitResult, urlsplit

LONGEST = 2000


def taken_apart(address: str) -> SplitResult | None:
    """Take an absolute address apart; None for what is none or hides who is meant."""
    if not 0 < len(address) <= LONGEST or not address.isascii() or not address.isprintable():
        return None
    if any(character in address for character in ' \\"<>'):
        return None
    try:
        parts = urlsplit(address)
        _ = parts.port  # refuses a port that is none
    except ValueError:
        return None
    if not parts.hostname or parts.username is not None or "#" in address:
        return None
    return parts


def is_local(address: str) -> bool:
    """Say whether an address is on this very machine, by name or number (RFC 6761, RFC 8252)."""
    parts = taken_apart(address)
    if parts is None or parts.hostname is None:
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False


def is_protected(address: str, *, local: bool = True) -> bool:
    """Say whether nobody on the way reads what is sent there: https, or http on this machine.

    With `local=False` nothing but https will do.
    """
    parts = taken_apart(address)
    if parts is None:
        return False
    return parts.scheme == "https" or (local and parts.scheme == "http" and is_local(address))
