"""What is sent: messages of Standard Webhooks, signed with every secret in force."""

import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from market.events.schemas import FeedEvent
from market.webhooks import credentials

VERIFICATION: Final = "webhook.verification"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message before it is signed: its id is the same in every attempt."""

    id: str
    body: bytes
    challenge: str | None = None

    def __repr__(self) -> str:
        """Name the message without what it says."""
        return f"Message({self.id!r})"

    def headers(self, in_force: Iterable[bytes], now: datetime) -> dict[str, str]:
        """The headers of Standard Webhooks, signed now."""
        return {
            "webhook-id": self.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": credentials.signed(in_force, self.id, now, self.body.decode()),
        }

    def answered_by(self, body: bytes) -> bool:
        """Say whether an answer gives back the challenge, as JSON `{"challenge": ...}`."""
        try:
            said = msgspec.json.decode(body, type=_Answered).challenge
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        expected = (self.challenge or "").encode()
        return self.challenge is not None and hmac.compare_digest(said.encode(), expected)


class _Answered(msgspec.Struct, frozen=True):
    challenge: str


class _Payload(msgspec.Struct, frozen=True):
    type: str
    timestamp: datetime
    data: FeedEvent
    checkpoint: str | None


class _Challenge(msgspec.Struct, frozen=True):
    type: str
    timestamp: datetime
    data: dict[str, str]


def event_message(event: FeedEvent, checkpoint: str | None) -> Message:
    """An event as the feed shows it, with the newest signed checkpoint of the log.

    What others hold is what finds out an operator who signs another history.
    """
    payload = _Payload(event.type, event.occurred_at, event, checkpoint)
    return Message(id=f"evt_{event.id}", body=msgspec.json.encode(payload))


def challenge_message(request: UUID, asked_at: datetime) -> Message:
    """A new challenge to the receiver, known to nobody else and good for one answer."""
    challenge = secrets.token_urlsafe(32)
    payload = _Challenge(VERIFICATION, asked_at, {"challenge": challenge})
    return Message(id=f"ver_{request}", body=msgspec.json.encode(payload), challenge=challenge)
