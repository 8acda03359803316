"""Verify the record of a tender: python stand_alone_verifier.py FILE --key K [--checkpoint C ...].

Written from FORMAT.md alone, to be read in one sitting by whoever does not trust the market's own
program: the standard library, and Ed25519 of the package `cryptography`. The numbers of sections
and steps are FORMAT.md's. Exit status: 0 good, 1 bad, 2 not understood.
"""

# ruff: noqa: PLR2004  # the numbers are those of the format, where it has them

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MOST = 2**53
END = '],"format":"commissioning-support-market/tender-record/v1"'
CLAIM = re.compile(
    r'Z","position":([1-9][0-9]{0,15})(?:,|."recorded_at":")|([1-9][0-9]{0,15}),"recorded_at":"'
)
TEXTS = {
    "str": re.compile("(?s:.*)"),
    "hash": re.compile("[0-9a-f]{64}"),
    "uuid": re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "instant": re.compile(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}\.[0-9]{6}Z"),
    "event/v1": re.compile("commissioning-support-market/event/v1"),
    "record/v1": re.compile("commissioning-support-market/tender-record/v1"),
}
# Sections 2 and 6: the members of each object. `?` is "or null", `*64` an array of at most 64.
OBJECTS = {
    "header": "format:event/v1 position:int id:uuid action:str occurred_at:instant subject:uuid"
    " recorded_at:instant subject_kind:str tender:uuid? content:hash number:hash",
    "content": "person:uuid? organisation:uuid? request:str details:any before_digest:hash?"
    " after_digest:hash? private_digest:hash?",
    "private": "salt:hash details:any",
    "event": "header:header content:content content_salt:hash number:int number_salt:hash"
    " private:private? path:hash*64",
    "newest": "note:str time_stamp:str?",
    "earlier": "note:str time_stamp:str? path:hash*64",
    "head": "count:int last_leaf:hash siblings:hash*128",
    "record": "format:record/v1 origin:str key:str tender:uuid checkpoint:newest head:head"
    " earlier:earlier*999999999 events:any*0",
}


def fits(value: Any, kind: str) -> bool:
    if kind.endswith("?"):
        return value is None or fits(value, kind[:-1])
    kind, array, most = kind.partition("*")
    if array:
        return type(value) is list and len(value) <= int(most) and all(fits(v, kind) for v in value)
    if kind == "int":  # every integer of the format counts something
        return type(value) is int and 1 <= value < MOST
    if kind in TEXTS:
        return type(value) is str and TEXTS[kind].fullmatch(value) is not None
    members = dict(member.split(":") for member in OBJECTS.get(kind, "").split())
    whole = type(value) is dict and (kind == "any" or value.keys() == members.keys())
    return whole and all(fits(value[name], members[name]) for name in members)


def refuse(what: str) -> NoReturn:
    raise ValueError(f"{what} has no place here")


def jcs(value: Any, depth: int = 1) -> bytes:
    """Write canonical JSON (section 1)."""
    if depth > 32 and isinstance(value, dict | list):
        refuse("what is nested so deep")
    if isinstance(value, list):
        return b"[" + b",".join(jcs(one, depth + 1) for one in value) + b"]"
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return b"{" + b",".join(jcs(n) + b":" + jcs(value[n], depth + 1) for n in names) + b"}"
    if type(value) is int and not -MOST < value < MOST:
        refuse("so large a number")
    return json.dumps(value, ensure_ascii=False).encode()


def digest(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def salted(salt: str, value: Any) -> str:
    return digest(bytes.fromhex(salt), jcs(value)).hex()


def leaf(header: Any) -> bytes:
    return digest(b"\0", jcs(header))


def hashes(texts: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def unbase64(text: str) -> bytes:
    data = base64.b64decode(text.encode("ascii"), validate=True)
    return data if base64.b64encode(data).decode() == text else refuse("another base64")


def climb(index: int, last: int, path: Sequence[bytes], *nodes: bytes) -> tuple[bytes, ...]:
    """Hash nodes up along a path (RFC 9162, 2.1.3.2 and 2.1.4.2); a second one as the newer."""
    for sibling in path:
        if last == 0:
            return ()
        if index & 1 or index == last:
            nodes = tuple(digest(b"\1", sibling, node) for node in nodes)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            nodes = (*nodes[:-1], digest(b"\1", nodes[-1], sibling))
        index, last = index >> 1, last >> 1
    return nodes if last == 0 else ()


def continues(old: "Checkpoint", new: "Checkpoint", path: Sequence[bytes]) -> bool:
    """Verify a path of consistency (section 3) from a size to a larger one."""
    if old.size == 0:
        return not path and old.root == digest()
    alone = old.size & -old.size  # leaves under the older tree's last complete subtree
    path = [old.root, *path] if alone == old.size else path
    index, last = old.size // alone - 1, (new.size - 1) // alone
    return bool(path) and climb(index, last, path[1:], path[0], path[0]) == (old.root, new.root)


def head_root(tender: str, head: Any) -> bytes:
    """Follow the way of a head up to the root of the map (section 4)."""
    uuid = bytes.fromhex(tender.replace("-", ""))
    node = digest(b"\2", uuid, head["count"].to_bytes(8, "big"), bytes.fromhex(head["last_leaf"]))
    for up, sibling in enumerate(hashes(head["siblings"]), start=1):
        depth = len(head["siblings"]) - up
        right = uuid[depth // 8] >> (7 - depth % 8) & 1
        node = digest(b"\3", sibling, node) if right else digest(b"\3", node, sibling)
    return node


def named(name: str) -> str:
    odd = any(c.isspace() or c < " " or c == "+" for c in name)
    return refuse("such a name") if odd or not 1 <= len(name) <= 300 else name


def read_key(text: str) -> tuple[str, bytes, bytes]:
    """Read a verifier key (section 5): name, id, public key."""
    name, key_id, encoded = text.split("+", 2)
    typed = unbase64(encoded)
    good = digest(named(name).encode(), b"\n", typed)[:4].hex() == key_id
    if not good or typed[:1] != b"\1" or len(typed) != 33:
        refuse("another kind of key")
    return name, bytes.fromhex(key_id), typed[1:]


def verifies(key: bytes, text: str, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


class Checkpoint:
    """A checkpoint (section 5), and whether it is signed. Raises ValueError if it is none."""

    NUMBER = r"(0|[1-9]\d*)"
    TEXT = rf"((.+)\n{NUMBER}\n(\S+)\ntenders {NUMBER} (\S+)\n)"
    NOTE = re.compile(TEXT + r"\n((?:— .+ \S+\n){1,100})", re.ASCII)

    def __init__(self, note: str, keys: Sequence[str]) -> None:
        found = self.NOTE.fullmatch(note)
        if len(note.encode()) > 2**18 or re.search("[\0-\t\v-\x1f]", note) or found is None:
            raise ValueError("it is no checkpoint")
        self.text, self.origin, self.size = found[1], named(found[2]), int(found[3][:17])
        self.root, self.tenders_root = unbase64(found[4]), unbase64(found[6])
        lengths = {len(self.root), len(self.tenders_root)}
        if max(self.size, int(found[5][:17])) > MOST or lengths != {32}:
            refuse("such a size or root")
        known = {key[:2]: key[2] for key in map(read_key, keys) if key[0] == self.origin}
        mine = []
        for line in found[7].removesuffix("\n").split("\n"):
            _, name, encoded = line.split(" ")
            signature = unbase64(encoded)
            if len(signature) <= 4:
                refuse("such a signature")
            if key := known.get((named(name), signature[:4])):
                mine.append(verifies(key, self.text, signature[4:]))
        self.signed = bool(mine) and all(mine)


def integer(text: str) -> int:
    return int(text) if len(text) < 18 else refuse("so large a number")


JSON = json.JSONDecoder(parse_int=integer, parse_float=refuse, parse_constant=refuse)


def canonical(value: Any, written: str, kind: str) -> bool:
    try:
        return jcs(value) == written.encode("utf-8", "surrogateescape") and fits(value, kind)
    except (ValueError, RecursionError):
        return False


def read(content: bytes) -> tuple[Any, list[tuple[Any, int | None]]]:
    """Read the file (step 1): the record without its events; each event, and what it claims."""
    text = content.decode("utf-8", "surrogateescape")
    at = text.index('"events":[') + len('"events":[')
    before, events = text[:at], []
    more = not text.startswith(END, at)
    while more:
        event = None
        try:
            plain, end = JSON.raw_decode(text, at)
            if text[end : end + 1] not in (",", "]"):
                refuse("what follows an event")
            event = plain if canonical(plain, text[at:end], "event") else None
        except (ValueError, RecursionError):
            end = min(
                (e for mark in (',{"content":', END) if (e := text.find(mark, at + 1)) >= 0),
                default=-1,
            )
            if end < 0:
                refuse("an event without an end")
        claim = CLAIM.search(text, max(text.find(',"header":{', at, end), at), end)
        events.append((event, int(claim[1] or claim[2]) if claim else None))
        more, at = text[end] == ",", end + (text[end] == ",")
    record = JSON.decode(before + text[at:])
    if len(content) > 2**28 or not canonical(record, before + text[at:], "record"):
        refuse("another form than that of a record")
    return record, events


Findings: TypeAlias = Iterator[tuple[str, int | None]]  # what is wrong, and at which position


def findings(content: bytes, keys: Sequence[str], held: Sequence[str]) -> Findings:
    """Section 7: say all that is wrong with the file."""
    first = None
    try:
        record, events = read(content)
        first = (events[0][1] if events else None) or 1
        newest = Checkpoint(record["checkpoint"]["note"], keys)
    except (ValueError, RecursionError) as error:
        yield f"the file or its checkpoint cannot be read: {error}", first
        return
    if record["key"] not in keys:
        yield "the file names another key", None
    if not newest.signed or newest.origin != record["origin"]:
        yield "the checkpoint is not signed, or is of another log", first
    sound, before = [], 0
    for event, claim in events:
        wrong = "form" if event is None else faults(event, record, newest)
        if wrong:
            at = claim if claim and before < claim <= newest.size else before + 1
            yield f"the event at, or after, position {at} is wrong in its {wrong}", at
        else:
            before = event["header"]["position"]
        sound.append(None if wrong else event)
    yield from out_of_order(record, sound, newest)
    yield from rewritten(record, newest, keys, held)
    for one in (record["checkpoint"], *record["earlier"]):
        if not stamped(one):
            yield "a time stamp is not of its checkpoint", None


def faults(event: Any, record: Any, newest: Checkpoint) -> str:
    """Say what is wrong with one event by itself (step 3)."""
    header, content, private = event["header"], event["content"], event["private"]
    index, last, path = header["position"] - 1, newest.size - 1, hashes(event["path"])
    checks = {
        "content": salted(event["content_salt"], content) == header["content"],
        "number": salted(event["number_salt"], event["number"]) == header["number"],
        "private details": private is None
        or salted(private["salt"], private["details"]) == content["private_digest"],
        "place": index <= last and climb(index, last, path, leaf(header)) == (newest.root,),
        "tender": header["tender"] == record["tender"],
    }
    return ", ".join(what for what, good in checks.items() if not good)


def out_of_order(record: Any, sound: Sequence[Any], newest: Checkpoint) -> Findings:
    """Look for what is missing, twice or out of order (steps 4 and 5)."""
    head = record["head"]
    proven = head_root(record["tender"], head) == newest.tenders_root
    there = {event["number"] for event in sound if event}
    n = p = f = 0
    for event in [*sound, {"number": head["count"] + 1, "header": {"position": None}}]:
        if event is None:
            f += 1
            continue
        number, position = event["number"], event["header"]["position"]
        if position and number <= n:
            yield f"position {position}: twice or out of order", position
            continue
        if position and position <= p:
            yield f"position {position}: not above {p}, yet numbered after it", position
        lost = number - n - 1 - f
        if lost > 0 and (lost := lost - sum(n < one < number for one in there)) > 0:
            yield f"{lost} of the numbers {n + 1} to {number - 1} missing, after {p}", p + 1
        if position:
            n, p, f = number, position, 0
            last = number == head["count"] and leaf(event["header"]).hex() == head["last_leaf"]
            if proven and number >= head["count"] and not last:
                yield f"position {position}: not as the head says", position
    if not proven:
        yield "the head is not in the map", p + 1


def rewritten(
    record: Any, newest: Checkpoint, keys: Sequence[str], held: Sequence[str]
) -> Findings:
    """Compare with the checkpoints in the file and those held elsewhere (steps 6 and 7)."""
    shown = {newest.size: (newest.text, True)}
    former = -1
    for carried in record["earlier"]:
        old = usable(carried["note"], newest, keys)
        if old is None or not former < old.size < newest.size:
            yield "an earlier checkpoint is bad, or not signed, or out of place", None
            continue
        former = old.size
        shown[former] = old.text, continues(old, newest, hashes(carried["path"]))
    agreed, usables = [0], [usable(note, newest, keys) for note in held]
    if None in usables:
        yield "a checkpoint held elsewhere is none, or not signed, or of another log", None
    for one in sorted(filter(None, usables), key=lambda one: one.size):
        text, good = shown.get(one.size, ("", False))
        empty = 0 == one.size < newest.size and one.root == digest()
        if one.size > newest.size:
            yield f"a checkpoint held is newer ({one.size}) than the file ({newest.size})", None
        elif empty or (good and text == one.text):
            agreed.append(one.size)
        else:
            what = f"the checkpoint held of size {one.size}: rewritten, or no proof in the file"
            yield what, agreed[-1] + 1
    for size, (_, good) in shown.items():
        if not good:
            kept = max((one for one in agreed if one < size), default=0)
            yield f"the newest checkpoint does not continue that of size {size}", kept + 1


def usable(note: str, newest: Checkpoint, keys: Sequence[str]) -> Checkpoint | None:
    try:
        read = Checkpoint(note, keys)
    except ValueError:
        return None
    return read if read.signed and read.origin == newest.origin else None


def stamped(carried: Any) -> bool:
    """Tell whether a time stamp, if any, is of its checkpoint (step 8)."""
    token = carried["time_stamp"]
    try:
        return token is None or digest(carried["note"].encode()) in unbase64(token)
    except ValueError:
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description="Verify the record of a tender.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", action="append", required=True, help="verifier key of the log")
    parser.add_argument("--checkpoint", type=Path, action="extend", nargs="+", default=[])
    chosen = parser.parse_args()
    try:
        for key in chosen.key:
            read_key(key)
        content = chosen.file.read_bytes()
        held = [note.read_bytes().decode("utf-8", "surrogateescape") for note in chosen.checkpoint]
    except (ValueError, OSError) as error:
        parser.error(str(error))
    found = list(findings(content, chosen.key, held))
    sys.stdout.write("bad\n" if found else "good\n")
    if positions := [position for _, position in found if position is not None]:
        sys.stdout.write(f"first bad position: {min(positions)}\n")
    sys.stdout.writelines(f"{what}\n" for what, _ in found[:100])
    if not held:
        sys.stdout.write("note: without --checkpoint, another signed history is not found out\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
