"""How a person stands to a company, and a company to a bid, as first and last steps of a path."""

from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from msgspec import Struct

from market.money import plain_text
from market.ownership.rules.paths import Node, Start, Step, Target
from tenders.rules.participants import ParticipantRole

_PHRASES = {
    "employee": ("is employed by", "employs"),
    "director": ("is a director of", "has as a director"),
    "member": ("is a member of", "has as a member"),
    "partner": ("is a partner in", "has as a partner"),
    "owner": ("owns", "is owned by"),
    "shareholder": ("holds shares in", "has as a shareholder"),
    "trustee": ("is a trustee of", "has as a trustee"),
    "office_holder": ("holds an office of", "has as an office holder"),
    "contractor": ("works as a contractor for", "has as a contractor"),
    "adviser": ("advises", "is advised by"),
    "beneficiary": ("benefits from", "benefits"),
    "loyalty": ("has a loyalty to", "has the loyalty of"),
    "other": ("has an interest in", "is of interest to"),
}


class Place(Struct, frozen=True, kw_only=True):
    """Where a person stands: a node of the ownership graph, and by what they stand there."""

    party: UUID
    name: str
    source: str
    relationship: str | None
    associate: str | None
    share: Decimal | None


def start_at(person: Node, place: Place) -> Start:
    """Begin a path with a person, by what they said of themselves or the market knows."""
    party = Node(place.party, place.name, is_person=place.source == "ownership")
    if place.source == "ownership":
        return Start(Node(place.party, person.name, is_person=True))
    if place.source == "membership" or place.relationship is None:
        forward, backward = "is a member of", "has as a member"
    else:
        forward, backward = _PHRASES.get(place.relationship, _PHRASES["other"])
    strength = Fraction(1)
    if place.share is not None:
        strength = Fraction(place.share) / 100
        share = plain_text(place.share)
        forward, backward = f"holds {share} % of", f"is {share} % held by"
    if place.associate is not None:
        forward = f"is close to somebody ({place.associate}) who {forward}"
        backward = f"is linked, through somebody close ({place.associate}), with"
    return Start(
        party,
        Step(
            source=person,
            target=party,
            forward=forward,
            backward=backward,
            strength=strength,
            kind=place.relationship or place.source,
        ),
    )


def target_at(bidder: Node, party: UUID, name: str, role: str) -> Target:
    """End a path with a bidder: at one of its own nodes, or through who takes part in its bid."""
    if role == "lead":
        return Target(Node(party, bidder.name))
    member = role == ParticipantRole.CONSORTIUM_MEMBER.value
    node = Node(party, name)
    return Target(
        node,
        Step(
            source=node,
            target=bidder,
            forward="bids jointly with" if member else "is a subcontractor of",
            backward="bids jointly with" if member else "has as a subcontractor",
            strength=Fraction(1),
            kind=role,
        ),
    )
