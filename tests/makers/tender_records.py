"""A small log in memory, and the records of its tenders: what a market keeps in its database."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from market.transparency.rules import exports, heads, leaves, merkle
from market.transparency.rules.leaves import LoggedEvent
from market.transparency.rules.merkle import Subtree
from market.transparency.rules.notes import Checkpoint, CheckpointKey

SEED = b"a seed that is known to everyone"
KEY = CheckpointKey.from_seed("market.example/log", SEED)
TENDER = UUID("6f1c2d3e-4a5b-4c6d-8e7f-901a2b3c4d5e")
OTHER_TENDER = UUID("0b8e7a6d-5c4b-4a3f-9e2d-1c0b9a8f7e6d")
PERSON = UUID("a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d")
BEGAN = datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)


def secret(purpose: str, number: int) -> bytes:
    """Make 32 bytes that are the same at each run."""
    return hashlib.sha256(f"{purpose} {number}".encode()).digest()


class Log:
    """A log that can be appended to, signed and exported from."""

    def __init__(self, key: CheckpointKey = KEY) -> None:
        self.key = key
        self.events: list[LoggedEvent] = []
        self.private: dict[int, Mapping[str, object] | None] = {}
        self.hashes: dict[Subtree, bytes] = {}
        self.numbers: dict[UUID, int] = {}
        self.heads: dict[UUID, heads.Head] = {}
        self.checkpoints: list[Checkpoint] = []
        self.notes: list[str] = []

    @property
    def size(self) -> int:
        return len(self.events)

    def append(
        self,
        action: str,
        tender: UUID | None = None,
        private: Mapping[str, object] | None = None,
        **details: object,
    ) -> LoggedEvent:
        """Log one act."""
        position = self.size + 1
        number = None
        if tender is not None:
            number = self.numbers[tender] = self.numbers.get(tender, 0) + 1
        digest = None
        if private is not None:
            digest = bytes.fromhex(leaves.private_digest(secret("private", position), private))
        event = LoggedEvent(
            position=position,
            id=UUID(bytes=secret("event", position)[:16], version=4),
            action=action,
            occurred_at=BEGAN + timedelta(minutes=position),
            recorded_at=BEGAN + timedelta(minutes=position, milliseconds=3),
            subject_kind=action.split(".", maxsplit=1)[0],
            subject=tender or PERSON,
            tender=tender,
            tender_number=number,
            person=PERSON,
            organisation=None,
            request=f"request-{position}",
            details=details,
            before_digest=None,
            after_digest=secret("after", position) if details else None,
            private_digest=digest,
        )
        self.put(event)
        self.private[position] = private
        return event

    def put(self, event: LoggedEvent) -> None:
        """Append an event as it is to the tree and the map."""
        leaf = leaves.leaf_of(leaves.header_of(event, secret("salt", event.position)))
        self.hashes.update(merkle.completed_by(self.size, [leaf], self.hashes))
        self.hashes[Subtree(0, self.size)] = leaf
        self.events.append(event)
        if event.tender is not None and event.tender_number is not None:
            self.heads[event.tender] = heads.Head(
                tender=event.tender, count=event.tender_number, last_leaf=leaf
            )

    def sorted_heads(self) -> list[heads.Head]:
        return [self.heads[tender] for tender in sorted(self.heads)]

    def sign(self) -> str:
        """Sign a checkpoint of the whole log."""
        current = Checkpoint(
            origin=self.key.verifier.name,
            size=self.size,
            root=merkle.root(self.size, self.hashes),
            tenders=len(self.heads),
            tenders_root=heads.root(self.sorted_heads()),
        )
        self.checkpoints.append(current)
        self.notes.append(self.key.sign(current))
        return self.notes[-1]

    def record(self, tender: UUID = TENDER) -> exports.TenderRecord:
        """Export the record of a tender as of the last checkpoint, which must be of all."""
        newest = self.checkpoints[-1]
        head = self.heads[tender]
        proof = heads.proof(self.sorted_heads(), tender)
        older = zip(self.notes[:-1], self.checkpoints[:-1], strict=True)
        own = [event for event in self.events if event.tender == tender]
        return exports.TenderRecord(
            format=exports.FORMAT,
            origin=newest.origin,
            key=self.key.vkey,
            tender=str(tender),
            checkpoint=exports.ExportedCheckpoint(note=self.notes[-1], time_stamp=None),
            earlier=tuple(
                exports.EarlierCheckpoint(
                    note=note, path=self._path(merkle.consistency_plan(old.size, newest.size)),
                    time_stamp=None,
                )
                for note, old in older
                if old.size >= own[0].position
            ),
            former=(),
            head=exports.ExportedHead(
                count=head.count,
                last_leaf=head.last_leaf.hex(),
                siblings=tuple(one.hex() for one in proof.siblings),
            ),
            events=tuple(self._exported(event, newest.size) for event in own),
        )  # fmt: skip

    def export(self, tender: UUID = TENDER) -> bytes:
        return exports.write(self.record(tender))

    def erase(self, position: int) -> None:
        """Forget the private details of an event."""
        self.private[position] = None

    def _exported(self, event: LoggedEvent, size: int) -> exports.ExportedEvent:
        salt = secret("salt", event.position)
        private = self.private.get(event.position)
        assert event.tender_number is not None
        return exports.ExportedEvent(
            header=leaves.header_of(event, salt),
            content=leaves.content_of(event),
            content_salt=leaves.content_salt(salt).hex(),
            number=event.tender_number,
            number_salt=leaves.number_salt(salt).hex(),
            private=None
            if private is None
            else exports.PrivateDetails(
                salt=secret("private", event.position).hex(), details=private
            ),
            path=self._path(merkle.inclusion_plan(event.position - 1, size)),
        )

    def _path(self, plan: merkle.Plan) -> tuple[str, ...]:
        return tuple(one.hex() for one in merkle.path(plan, self.hashes))


def logged(acts: Iterable[tuple[str, UUID | None]], log: Log | None = None) -> Log:
    """Log some acts, without details."""
    log = log or Log()
    for action, tender in acts:
        log.append(action, tender)
    return log


def example(key: CheckpointKey = KEY) -> Log:
    """A tender of five events in a log of nine, with three checkpoints.

    Its events are at the positions 2, 4, 5, 7 and 8; the one at 5 has private details.
    """
    log = Log(key)
    log.append("person.signed_in")
    log.append("tender.drafted", TENDER, title="Medicines optimisation: £ and € in 2027")
    log.append("tender.drafted", OTHER_TENDER)
    log.append("tender.published", TENDER, lots=["one", "two"], version=1, material=False)
    log.sign()
    log.append("question.asked", TENDER, private={"name": "Zoë", "text": "When?\n\u2028"}, nil=None)
    log.append("tender.published", OTHER_TENDER)
    log.sign()
    log.append("bid.submitted", TENDER, lot="one")
    log.append("tender.opened", TENDER)
    log.append("person.signed_in")
    log.sign()
    return log


def worked_example() -> Log:
    """The log of FORMAT.md, section 8: four events, two tenders, two checkpoints."""
    log = Log()
    log.append("person.signed_in")
    log.append("tender.drafted", TENDER, title="Medicines optimisation")
    log.append("tender.drafted", OTHER_TENDER)
    log.sign()
    log.append("question.asked", TENDER, private={"name": "Zoë"})
    log.sign()
    return log
