"""Parts of documents open as what they are, where they belong, and nowhere else."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from market.documents.parts import (
    OVERHEAD_BYTES,
    CannotOpenPart,
    new_document_key,
    open_part,
    opened_stream,
    recut,
    seal_part,
)


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def test_a_part_opens_with_its_key_as_its_number_of_its_document() -> None:
    key, document = new_document_key(), uuid4()
    sealed = seal_part(key, document, 3, b"a part")
    assert open_part(key, document, 3, sealed) == b"a part"
    assert len(sealed) == len(b"a part") + OVERHEAD_BYTES
    assert seal_part(key, document, 3, b"a part") != sealed
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for wrong in (
        (new_document_key(), document, 3, sealed),
        (key, uuid4(), 3, sealed),
        (key, document, 4, sealed),
        (key, document, 3, changed),
        (key, document, 3, sealed[:10]),
        (key, document, 3, b""),
    ):
        with pytest.raises(CannotOpenPart):
            open_part(*wrong)


async def test_a_stream_is_cut_anew_whatever_it_came_in() -> None:
    whole = bytes(range(250))
    for length in (1, 7, 100, 250, 300):
        pieces = [
            one async for one in recut(stream(whole[:3], b"", whole[3:240], whole[240:]), length)
        ]
        assert b"".join(pieces) == whole
        assert all(len(one) == length for one in pieces[:-1])
    assert [one async for one in recut(stream(), 5)] == []


async def test_what_is_opened_before_a_broken_part_is_genuine() -> None:
    key, document = new_document_key(), uuid4()
    parts = [seal_part(key, document, number, b"part %d" % number) for number in range(3)]
    opened = opened_stream(key, document, stream(parts[0], parts[2]))
    assert await anext(opened) == b"part 0"
    with pytest.raises(CannotOpenPart):
        await anext(opened)
