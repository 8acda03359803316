"""The draw that decides a tie: from a seed that was committed to before anything was opened.

Whoever knows the seed beforehand could try out bids, and whoever chooses it afterwards could choose
the winner. So a seed of 32 random bytes is made at publication and only its digest is published;
it is revealed with the ranking, and anybody can check digest and order.
"""

import hashlib
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from market.sealing import KeptColumn

SEED_BYTES: Final = 32
_DOMAIN: Final = b"commissioning-support-market/draw/v1\x00"


def seed_digest(seed: bytes) -> str:
    """What is published of a seed: SHA-256 of a domain string and the seed, in hexadecimal.

    Raises `ValueError` unless the seed is 32 bytes long.
    """
    if len(seed) != SEED_BYTES:
        raise ValueError("The seed of a draw is exactly 32 bytes long.")
    return hashlib.sha256(_DOMAIN + seed).hexdigest()


def drawn_order(seed: bytes, keys: Iterable[bytes]) -> dict[bytes, int]:
    """Give every key its place in the draw, from 1: by SHA-256 of seed and key.

    The same seed and keys give the same order, whoever asks and in whichever order they come.
    Raises `ValueError` for a seed of another length than 32 bytes, or a key used twice.
    """
    if len(seed) != SEED_BYTES:
        raise ValueError("The seed of a draw is exactly 32 bytes long.")
    listed = list(keys)
    if len(set(listed)) < len(listed):
        raise ValueError("Two of those drawn have the same key.")
    tickets = sorted(listed, key=lambda key: (hashlib.sha256(_DOMAIN + seed + key).digest(), key))
    return {key: place for place, key in enumerate(tickets, start=1)}


def draw_key(lot: int, pseudonym: str) -> bytes:
    """Name a bid in the draw: by the number of its lot, a stroke and its pseudonym, in UTF-8."""
    return f"{lot}/{pseudonym}".encode()


def draw_purpose(tender: UUID) -> bytes:
    """What a seed is kept for: the draws of its one tender."""
    return b"draw-seed\x00" + tender.bytes


KEPT: Final = KeptColumn(table="tender_draw", column="kept", of=("t.tender",), purpose=draw_purpose)
"""Where the seeds are that no ranking has revealed yet."""
