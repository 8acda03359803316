"""Verify the record of a tender: python stand_alone_verifier.py FILE --key K [--checkpoint C ...].

Written from FORMAT.md alone, whose sections and steps it names. Exit: 0 good, 1 bad, 2 misused.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NAME, SIZE, ROOT = r"([^\s+\0-\x1f]{1,300})", "(0|[1-9][0-9]{0,15})", "([A-Za-z0-9+/]{43}=)"
SIGNATURE = rf"— {NAME} ([A-Za-z0-9+/]{{7,}}=*)\n"  # section 5, as NOTE
NOTE = rf"\A({NAME}\n{SIZE}\n{ROOT}\ntenders {SIZE} {ROOT}\n)\n((?:{SIGNATURE}){{1,100}})\Z"
END = '],"format":"commissioning-support-market/tender-record/v1"'
NEXT_OR_END = re.compile(r',\{"content":|' + re.escape(END))  # section 7, step 1; CLAIM: step 3
CLAIM = r'Z","position":([1-9][0-9]{0,15})(?:,|."recorded_at":")|([1-9][0-9]{0,15}),"recorded_at":"'
RECORD = "checkpoint earlier events format former head key origin tender"  # section 6
EVENT = "content content_salt header number number_salt path private"
JSON = json.JSONDecoder(  # with members in the order of section 1
    object_pairs_hook=lambda pairs: dict(sorted(pairs, key=lambda one: one[0].encode("utf-16-be")))
)
Findings = Iterator[tuple[str, int | None]]  # what is wrong, and at which position


def jcs(value: Any) -> bytes:  # section 1, of what JSON has read
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def members(value: Mapping[str, Any], names: str) -> list[Any]:
    """Take an object apart that must have exactly these members."""
    if value.keys() != set(names.split()):
        raise ValueError("other members than those of the format")
    return [value[name] for name in names.split()]


def hashes(texts: Sequence[str]) -> list[bytes]:
    if not isinstance(texts, list) or not all(re.fullmatch("[0-9a-f]{64}", one) for one in texts):
        raise ValueError("not an array of hashes")
    return [bytes.fromhex(one) for one in texts]


def unbase64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not canonical base64")
    return data


def digest(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def climb(index: int, size: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Go up a path from its first node, one of `size`, to the roots of all up to it, and of all."""
    if size <= 1 or not path:  # the tree has ended here, and so must the path (section 3)
        return (path[0], path[0]) if len(path) == 1 and index == size - 1 else (b"", b"")
    left = 1 << (size - 1).bit_length() - 1  # the largest power of two below the size
    if index < left:
        old, new = climb(index, left, path[:-1])
        return old, digest(b"\1", new, path[-1])
    old, new = climb(index - left, size - left, path[:-1])
    return digest(b"\1", path[-1], old), digest(b"\1", path[-1], new)


def read_key(text: str) -> tuple[tuple[str, bytes], Ed25519PublicKey]:
    """Read a verifier key (section 5): its name and id, and the key itself."""
    name, key_id, encoded = text.split("+", 2)
    typed = unbase64(encoded)
    if typed[:1] != b"\1" or digest(name.encode(), b"\n", typed)[:4].hex() != key_id:
        raise ValueError("not the verifier key of an Ed25519 signer")
    return (name, bytes.fromhex(key_id)), Ed25519PublicKey.from_public_bytes(typed[1:])


class Checkpoint:
    """A checkpoint that the log has signed (section 5), of size -1 if the note is none."""

    def __init__(self, note: str, keys: Mapping[Any, Ed25519PublicKey], origin: str) -> None:
        self.text, self.size = "", -1
        with suppress(Exception):  # whatever is wrong with it
            [(text, name, size, root, count, tenders_root, lines, *_)] = re.findall(NOTE, note)
            self.root, self.tenders_root = unbase64(root), unbase64(tenders_root)
            signatures = [(n, unbase64(one)) for n, one in re.findall(SIGNATURE, lines)]
            ours = [s for n, s in signatures if n == name == origin and (n, s[:4]) in keys]
            for signature in ours:
                keys[name, signature[:4]].verify(signature[4:], text.encode())
            if ours and max(int(size), int(count)) <= 1 << 53 and len(note.encode()) <= 1 << 18:
                self.text, self.size = text, int(size)

    def continues(self, older: "Checkpoint", path: Sequence[bytes]) -> bool:
        """Verify a path of consistency from a smaller size (section 3)."""
        if older.size == 0:
            return not path and older.root == digest()
        whole = older.size & -older.size  # leaves of the older tree's last complete subtree
        start = [older.root] if whole == older.size else []
        roots = climb(older.size // whole - 1, -(-self.size // whole), [*start, *path])
        return older.size < self.size and roots == (older.root, self.root)

    def has_head(self, tender: str, count: int, last_leaf: str, siblings: Sequence[str]) -> bool:
        """Follow the way of a tender's head up to the root of the map (section 4)."""
        node = digest(b"\2", UUID(tender).bytes, count.to_bytes(8, "big"), *hashes([last_leaf]))
        for depth, sibling in zip(reversed(range(len(siblings))), hashes(siblings), strict=True):
            right = UUID(tender).int >> (127 - depth) & 1
            node = digest(b"\3", sibling, node) if right else digest(b"\3", node, sibling)
        return type(count) is int and count >= 1 and node == self.tenders_root

    def has_event(self, event: Any, written: str, tender: str) -> bool:
        """Check one event by itself (section 7, step 3)."""
        with suppress(Exception):  # whatever is wrong with its form
            content, salt, header, number, number_salt, path, private = members(event, EVENT)
            shown = [(salt, content, header["content"]), (number_salt, number, header["number"])]
            if private is not None:
                shown.append((*members(private, "salt details"), content["private_digest"]))
            position, leaf = header["position"], digest(b"\0", jcs(header))
            return (
                jcs(event).decode() == written
                and header["format"] == "commissioning-support-market/event/v1"
                and header["tender"] == tender
                and type(number) is type(position) is int
                and all(digest(*hashes([s]), jcs(what)).hex() == said for s, what, said in shown)
                and climb(position - 1, self.size, [leaf, *hashes(path)])[1] == self.root
            )
        return False

    def misplaced(self, events: Sequence[Any], tender: str, head: Mapping[str, Any]) -> Findings:
        """Say which events are wrong in themselves, missing or out of order (steps 3 to 5)."""
        count, last_leaf, siblings = members(head, "count last_leaf siblings")
        proven = self.has_head(tender, count, last_leaf, siblings)
        sound = [(self.has_event(event, text, tender), event, at) for event, text, at in events]
        numbers = {event["number"] for good, event, _ in sound if good}
        before = n = p = f = 0  # step 4 says what n, p and f are
        for good, event, claim in sound:
            if not good:
                f, at = f + 1, claim if before < claim <= self.size else before + 1
                yield f"position {at}: the event is not as it was recorded", at
                continue
            number, before = event["number"], event["header"]["position"]
            last = number == count and digest(b"\0", jcs(event["header"])).hex() == last_leaf
            if number <= n or before <= p or (proven and number >= count and not last):
                yield f"position {before}: twice, out of order or not as the head says", before
            if number > n:
                lost = number - n - 1 - f
                if lost > 0 and lost > sum(n < one < number for one in numbers):
                    yield f"events are missing after position {p}", p + 1
                n, p, f = number, before, 0
        if not proven or count - n > f:
            yield f"events are missing after position {p}, or their number is not proven", p + 1

    def rewritten(self, earlier: Sequence[Any], held: Sequence["Checkpoint"]) -> Findings:
        """Compare with checkpoints of the file, and with those held elsewhere (steps 6 and 7)."""
        sizes = [-1, *(one.size for one, _ in earlier), self.size]
        if sizes != sorted(set(sizes)):
            yield "the earlier checkpoints are not all signed, or not in order", None
        paths, kept = {one.text: path for one, path in earlier}, 0
        for one in sorted([*(one for one, _ in earlier), *held], key=lambda one: one.size):
            if one.size < 0 or one.size > self.size:
                yield f"checkpoint {'newer' if one.size > 0 else 'unsigned'} ({one.size})", None
            elif one.text == self.text or self.continues(one, paths.get(one.text, [])):
                kept = one.size if one in held else kept
            else:
                yield f"rewritten at or before {one.size}, or no proof in the file", kept + 1


def read(content: bytes) -> tuple[list[Any], list[tuple[Any, str, int]]]:
    """Read the file (step 1): the record; each event, as it is written, and where it says it is."""
    text, events = content.decode("utf-8", "surrogateescape"), []
    begin = text.index('"events":[') + len('"events":[')
    at = begin + text.startswith(END, begin)
    while text[at - 1] != "]":
        event, end = None, -1
        with suppress(ValueError, RecursionError):
            event, end = JSON.raw_decode(text, at)
        if text[end : end + 1] not in (",", "]"):
            event, end = None, next(NEXT_OR_END.finditer(text, at + 1)).start()
        written, at = text[at:end], end + 1
        claim = re.search(CLAIM, written[max(written.find(',"header":{'), 0) :])
        events.append((event, written, int(claim[1] or claim[2]) if claim else 0))
    frame = text[:begin] + text[at - 1 :]
    if len(content) > 1 << 28 or jcs(JSON.decode(frame)).decode() != frame or END not in frame:
        raise ValueError("too large, not canonical, or of another format")
    return members(JSON.decode(frame), RECORD), events


def findings(content: bytes, keys: Sequence[str], held: Sequence[str]) -> Findings:
    """Say all that is wrong with a file, and at which position (section 7)."""
    trusted = dict(map(read_key, keys))
    try:
        (checkpoint, earlier, _, _, former, head, key, origin, tender), events = read(content)
        newest = Checkpoint(checkpoint["note"], trusted, origin)
        if newest.size < 0:
            yield "the checkpoint is not signed by the log", events[0][2] or 1 if events else 1
            return
        if key not in keys or [*earlier, *former] != earlier + former:
            yield "the file names another key, or is not of the form of section 6", None
        yield from newest.misplaced(events, tender, head)
        [members(one, "restart checkpoints") for one in former]  # what they say may be left out
        notes = [members(one, "note path time_stamp") for one in earlier]
        older = [(Checkpoint(note, trusted, origin), hashes(path)) for note, path, _ in notes]
        yield from newest.rewritten(older, [Checkpoint(note, trusted, origin) for note in held])
        for note, *_, stamp in [members(checkpoint, "note time_stamp"), *notes]:
            if stamp is not None and digest(note.encode()) not in unbase64(stamp):
                yield "a time stamp is not of its checkpoint", None
    except Exception as error:  # noqa: BLE001  # whatever a hostile file raises, it is bad
        yield f"the file is not of the form of section 6: {error!r}", None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Verify the record of a tender.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", action="append", required=True, help="verifier key of the log")
    parser.add_argument("--checkpoint", type=Path, action="extend", nargs="+", default=[])
    chosen = parser.parse_args()
    try:
        notes = [note.read_bytes().decode("utf-8", "surrogateescape") for note in chosen.checkpoint]
        found = list(findings(chosen.file.read_bytes(), chosen.key, notes))
    except (ValueError, OSError) as error:
        parser.error(str(error))
    first = min((position for _, position in found if position), default="none")
    sys.stdout.write(f"bad\nfirst bad position: {first}\n" if found else "good\n")
    sys.stdout.writelines(f"{what}\n" for what, _ in found)
    sys.stdout.write("" if notes else "note: only with --checkpoint is another history found out\n")
    sys.exit(1 if found else 0)
