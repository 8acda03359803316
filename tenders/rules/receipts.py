"""What a bidder can tell from a receipt without the market: whose word it is, and of which bid."""

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
import rfc8785
from msgspec import Struct

from market.sealing import EnvelopeKind, matches_commitment
from market.signing import (
    BadSignature,
    BidReceipt,
    ConfirmationReceipt,
    PublicKeySet,
    SignedStatement,
    WithdrawalReceipt,
    verify,
)
from tenders.rules.bids import PriceEnvelope, QualityEnvelope
from tenders.rules.envelopes import canonical
from tenders.rules.participants import Participant

Receipt: TypeAlias = BidReceipt | WithdrawalReceipt | ConfirmationReceipt

_KINDS: dict[object, type[Receipt]] = {
    "bid_receipt": BidReceipt,
    "withdrawal_receipt": WithdrawalReceipt,
    "confirmation_receipt": ConfirmationReceipt,
}
PARTICIPANTS: Final = "participants"
_PARTS: Final[dict[str, Any]] = {
    EnvelopeKind.QUALITY.value: QualityEnvelope,
    EnvelopeKind.PRICE.value: PriceEnvelope,
    PARTICIPANTS: tuple[Participant, ...],
}


class NoReceipt(ValueError):
    """A file is none of what the market gives, so that nothing in it can be judged."""


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that was checked, in a plain sentence, and whether it is as it must be."""

    good: bool
    sentence: str


class Salts(Struct, frozen=True, kw_only=True):
    """The salts of a receipt's commitments, in hexadecimal.

    Keep them with the receipt and the bid, and keep them secret until the award: they prove which
    bid was received, to whoever is shown all three. The market does not store them in the clear,
    and has those of the envelopes only where it sealed them.
    """

    quality: str | None = None
    price: str | None = None
    participants: str | None = None

    def filled_by(self, others: "Salts") -> "Salts":
        """Take those that are lacking from others."""
        return Salts(
            quality=self.quality or others.quality,
            price=self.price or others.price,
            participants=self.participants or others.participants,
        )


def canonical_participants(named: Sequence[Participant]) -> bytes:
    """Write who takes part in a bid as canonical JSON (RFC 8785), which is what is committed to."""
    return rfc8785.dumps(msgspec.to_builtins(named))


def good(sentence: str) -> Finding:
    """Say what was checked and is as it must be."""
    return Finding(good=True, sentence=sentence)


def bad(sentence: str) -> Finding:
    """Say what is not as it must be."""
    return Finding(good=False, sentence=sentence)


class Given(Struct, frozen=True, kw_only=True):
    """What a file holds: a signed statement, and the salts where it is a whole answer."""

    receipt: SignedStatement
    salts: Salts | None = None


class LoggedAct(Struct, frozen=True):
    """What a verified record of a tender says of one act on a bid."""

    action: str
    bid: UUID
    version: int
    position: int


class OpenedEnvelope(Struct, frozen=True):
    """What the minutes of an opening say of one envelope. Other members are left alone."""

    kind: EnvelopeKind
    sealed_digest: str
    commitment: str
    opened_at: datetime | None
    failure: str | None


class _OpenedBid(Struct, frozen=True):
    envelopes: list[OpenedEnvelope]


class _OpenedLot(Struct, frozen=True):
    bids: list[_OpenedBid]


class Minutes(Struct, frozen=True):
    """The minutes of an opening, as `GET /tenders/{tender_id}/opening` gives them."""

    tender: UUID
    lots: list[_OpenedLot]


def read_receipt(content: bytes) -> Given:
    """Read a receipt, or a whole answer of the market with a receipt in it. Raises NoReceipt."""
    try:
        try:
            return Given(receipt=msgspec.json.decode(content, type=SignedStatement))
        except msgspec.ValidationError:
            return msgspec.json.decode(content, type=Given)
    except (msgspec.MsgspecError, ValueError) as error:
        message = f"This is neither a signed receipt nor an answer with one: {error}"
        raise NoReceipt(message) from error


def judge_signature(signed: SignedStatement, keys: PublicKeySet) -> tuple[Receipt | None, Finding]:
    """Check whose word a receipt is by the market's key set; give it where it is the market's."""
    named = [key for key in keys.keys if key.kid == signed.key_id]
    if not named:
        reason = f"The key set has no key {signed.key_id}: this market did not sign the receipt."
        return None, bad(reason)
    kind = _KINDS.get(signed.statement.get("kind"))
    try:
        public = base64.urlsafe_b64decode(named[0].x + "=" * (-len(named[0].x) % 4))
        verify(signed, public)
        if kind is None:
            return None, bad("This is signed by the market, and is no receipt.")
        receipt = msgspec.convert(signed.statement, kind)
    except (BadSignature, ValueError) as error:
        return None, bad(f"The receipt is not as the market signed it: {error}")
    return receipt, good(f"The market signed the receipt, with its key {named[0].kid}.")


def told(receipt: Receipt) -> str:
    """Say in a sentence what a receipt states."""
    what = f"version {receipt.version} of bid {receipt.bid} of organisation {receipt.supplier}"
    if not isinstance(receipt, ConfirmationReceipt) and receipt.variant:
        what += f", variant {receipt.variant},"
    where = f"for lot {receipt.lot} of tender {receipt.tender}"
    match receipt:
        case BidReceipt():
            when = _instant(receipt.received_at)
            return f"It states: {what} {where} was received at {when}, sealed {receipt.sealing}."
        case WithdrawalReceipt():
            return (
                f"It states: by {what} {where} the bid was withdrawn at"
                f" {_instant(receipt.withdrawn_at)}; from then on it did not stand."
            )
        case _:
            return (
                f"It states: {what} {where} was confirmed under amendment {receipt.amendment} at"
                f" {_instant(receipt.confirmed_at)}."
            )


def judge_bid(receipt: Receipt, bid: bytes, salts: Salts) -> Iterator[Finding]:
    """Check that exactly this bid was received: `quality`, `price` and `participants` as sent."""
    if not isinstance(receipt, BidReceipt):
        yield bad("A bid can only be compared with the receipt of a bid.")
        return
    try:
        parts = msgspec.json.decode(bid, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, ValueError) as error:
        yield bad(f"The bid cannot be read: {error}")
        return
    parts.setdefault(PARTICIPANTS, msgspec.Raw(b"[]"))
    for name, committed, salt in (
        (EnvelopeKind.QUALITY.value, receipt.quality_commitment, salts.quality),
        (EnvelopeKind.PRICE.value, receipt.price_commitment, salts.price),
        (PARTICIPANTS, receipt.participants_commitment, salts.participants),
    ):
        part = parts.get(name)
        if part is None:
            yield bad(f"The bid has no {name} part.")
        elif salt is None:
            yield bad(f"There is no salt for the {name} part, so that it cannot be compared.")
        elif _proves(committed, salt, name, bytes(part)):
            yield good(f"The {name} part is exactly what was received.")
        else:
            yield bad(f"The {name} part is not what was received, or the salt is not its own.")


def _proves(committed: str, salt: str, name: str, part: bytes) -> bool:
    """Compare both as it was sent and with what the market adds to a bid that it seals."""
    try:
        key, digest = bytes.fromhex(salt), bytes.fromhex(committed)
        plain = msgspec.json.decode(part)
        forms = [rfc8785.dumps(plain)]
        try:
            completed = msgspec.json.decode(part, type=_PARTS[name])
            is_part = isinstance(completed, QualityEnvelope | PriceEnvelope)
            plain_form = msgspec.to_builtins(completed)
            forms.append(canonical(completed) if is_part else rfc8785.dumps(plain_form))
        except msgspec.MsgspecError:
            pass  # what never fitted the lot is still compared as it was sent
        return any(matches_commitment(digest, key, form) for form in forms)
    except (msgspec.MsgspecError, ValueError, rfc8785.CanonicalizationError):
        return False


def judge_record(receipt: Receipt, acts: Sequence[LoggedAct]) -> Iterator[Finding]:
    """Look for the act in a verified record of the tender, and for later ones on the same bid."""
    wanted = {
        BidReceipt: {"bid.submitted", "bid.replaced"},
        WithdrawalReceipt: {"bid.withdrawn"},
        ConfirmationReceipt: {"bid.confirmed"},
    }[type(receipt)]
    mine = [act for act in acts if act.bid == receipt.bid]
    found = [act for act in mine if act.action in wanted and act.version == receipt.version]
    if not found:
        yield bad("The record of the tender does not hold what the receipt states.")
        return
    yield good(f"The log holds it at position {found[0].position}.")
    later = max((act.version for act in mine), default=0)
    if later > receipt.version:
        reason = f"Version {later} of the same bid came later, so this one did not stand."
        yield good(reason)
    for act in mine:
        if act.action == "bid.lapsed":
            yield good(f"The bid lapsed (position {act.position}), so it was not opened.")


def judge_minutes(receipt: Receipt, minutes: Minutes) -> Iterator[Finding]:
    """Look for both envelopes among those that stood, and say what became of each."""
    if not isinstance(receipt, BidReceipt):
        yield bad("Only the receipt of a bid can be compared with an opening.")
        return
    if minutes.tender != receipt.tender:
        yield bad("These are the minutes of another tender.")
        return
    held = [one for lot in minutes.lots for bid in lot.bids for one in bid.envelopes]
    for kind, digest, committed in (
        (EnvelopeKind.QUALITY, receipt.quality_sealed_digest, receipt.quality_commitment),
        (EnvelopeKind.PRICE, receipt.price_sealed_digest, receipt.price_commitment),
    ):
        same = [one for one in held if (one.kind, one.sealed_digest) == (kind, digest)]
        name = f"{kind.value} envelope"
        if not same:
            yield bad(f"The minutes do not hold the {name} that was received.")
        elif same[0].commitment != committed:
            yield bad(f"The minutes give another commitment for the {name}.")
        elif same[0].opened_at is None:
            yield good(f"The {name} stood at the deadline, and is still sealed.")
        elif same[0].failure is not None:
            why = same[0].failure
            yield good(f"The {name} was opened, and could not be used: {why}")
        else:
            yield good(f"The {name} was opened at {_instant(same[0].opened_at)}.")


def _instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
