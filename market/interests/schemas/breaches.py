"""What the API takes and gives about breaches."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from market.interests.rules.texts import Line, Paragraph


class RecordBreach(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Record a breach: what happened, who was involved, what was done, what is learnt from it.

    Those involved are people of the market, by their ids, or others by name; at least one of them.
    """

    happened_on: date
    what: Paragraph
    people: Annotated[list[UUID], Meta(max_length=50)] = []
    other_names: Annotated[list[Line], Meta(max_length=50)] = []
    done: Paragraph
    lessons: Paragraph

    example: ClassVar[dict[str, Any]] = {
        "happened_on": "2017-02-07",
        "what": "Alex Example stayed in the room while a contract of their practice was discussed.",
        "other_names": ["Alex Example"],
        "done": "The decision was taken again without them.",
        "lessons": "The chair reads out the register before each item.",
    }


class PublishBreach(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text by which the public learns of a breach; it names nobody who was involved."""

    text: Paragraph

    example: ClassVar[dict[str, Any]] = {
        "text": "A member stayed in the room while a contract of their practice was discussed."
        " The decision was taken again without them.",
    }


class InvolvedView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was involved."""

    person: UUID | None
    name: str


class BreachPublicationView(msgspec.Struct, frozen=True, kw_only=True):
    """A text by which a breach was published; the latest is the one shown."""

    id: UUID
    breach: UUID
    text: str
    published_by: UUID
    published_at: datetime


class BreachView(msgspec.Struct, frozen=True, kw_only=True):
    """A breach in private, for guardian and auditors."""

    id: UUID
    organisation: UUID
    happened_on: date
    what: str
    involved: list[InvolvedView]
    done: str
    lessons: str
    recorded_by: UUID
    recorded_at: datetime
    publications: list[BreachPublicationView]
