"""An officer's work on their own machine: what of a tender's keys they pass on, open and release.

The private key never leaves the machine, nor does a lot's private key once it is read there: what
goes back to the market are inner layers for other officers, and content keys of single envelopes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar
from uuid import UUID, uuid4

import httpx
import msgspec

from market.runtime import CannotStart
from market.sealing import (
    CannotDecrypt,
    CannotOpen,
    EnvelopeKind,
    KeyFor,
    SharedKey,
    content_key_of,
    fingerprint,
    public_of,
    take_off_inner,
    take_off_outer,
    unseal,
)
from tenders.queries.custody import address_of
from tenders.rules.custody import rehearsal_address
from tenders.schemas.custody import (
    GiveCanary,
    HeadDue,
    KeyRehearsed,
    KeysReleased,
    OfficerKeyView,
    PassShare,
    PassShares,
    RegisterOfficerKey,
    ReleaseKey,
    ReleaseKeys,
    ReleasesDue,
    SharePassedOn,
    SharesPassed,
    SharesView,
    ShareToPass,
)

T = TypeVar("T")
_Which: TypeAlias = tuple[UUID | None, EnvelopeKind | None]
Agreed = Callable[[str], bool]
"""Asks the officer whether to go on, after saying what would happen."""


class OfficerDesk:
    """One officer with their private key, and the market at the other end of a client."""

    def __init__(self, client: httpx.AsyncClient, token: str, private: bytes) -> None:
        """Take a client whose base is the market's address, and a session's token."""
        self._client = client
        self._token = token
        self._private = private
        self._public = public_of(private)
        self._own = fingerprint(self._public).hex()

    async def register(self) -> OfficerKeyView:
        """Register the public half of the officer's key."""
        given = RegisterOfficerKey(public_key=self._public)
        return await self._post("/me/officer-keys", given, OfficerKeyView)

    async def overview(self, tender: UUID) -> list[str]:
        """Say what there is for this officer to do in a tender."""
        shares = await self._shares(tender)
        lines = [
            f"to pass on to {share.inner_officer}: {_named(share.of.lot_number, share.of.envelope)}"
            for share in self._to_pass(shares)
        ]
        lines += [
            f"passed on by {share.outer_officer}: {_named(share.of.lot_number, share.of.envelope)}"
            for share in self._passed_on(shares)
        ]
        return lines or ["Nothing is there for this officer's key to do."]

    async def rehearse(self, tender: UUID) -> list[str]:
        """Do one's part of opening the canary; the second of two officers finishes it.

        Raises:
            CannotStart: a share does not open, or is not of the key that it says.
        """
        shares = await self._shares(tender)
        passed_on = [share for share in self._passed_on(shares) if share.of.lot is None]
        if passed_on:
            private = self._lot_key(tender, passed_on[0])
            try:
                canary = unseal(private, rehearsal_address(tender), shares.canary)
            except CannotOpen as error:
                message = "The canary does not open with the key that was shared."
                raise CannotStart(message) from error
            given = GiveCanary(canary=canary)
            await self._post(f"/tenders/{tender}/key-rehearsals", given, KeyRehearsed)
            return [f"The canary opened: {passed_on[0].outer_officer} and you can release keys."]
        return await self._pass(tender, [s for s in self._to_pass(shares) if s.of.lot is None])

    async def release(self, tender: UUID, agreed: Agreed) -> list[str]:
        """Do one's part of releasing what is due; the second of two officers finishes it.

        Raises:
            CannotStart: a share does not open, or is not of the key that it says.
        """
        said: list[str] = []
        while due := (await self._due(tender)):
            shares = await self._shares(tender)
            keys: dict[_Which, bytes] = {
                (share.of.lot, share.of.envelope): self._lot_key(tender, share)
                for share in self._passed_on(shares)
                if share.of.lot is not None
            }
            at_hand = [head for head in due if (head.lot, head.kind) in keys]
            if not at_hand:
                waiting = {(head.lot, head.kind) for head in due}
                mine = [s for s in self._to_pass(shares) if (s.of.lot, s.of.envelope) in waiting]
                if mine and not agreed(f"Pass on your shares of {_counted(due)}?"):
                    return [*said, "Nothing more was passed on."]
                return said + await self._pass(tender, mine)
            if not agreed(f"Release the content keys of {_counted(at_hand)}?"):
                return [*said, "Nothing more was released."]
            given = ReleaseKeys(
                keys=tuple(self._content_key(tender, head, keys) for head in at_hand)
            )
            done = await self._post(f"/tenders/{tender}/key-releases", given, KeysReleased)
            said.append(f"Released {done.released} content keys of {_counted(at_hand)}.")
            if done.unopenable:
                said.append(
                    f"{done.unopenable} envelopes do not open with their lot's key: another officer"
                    " has to find the same before that counts."
                )
        return said or ["Nothing is due."]

    # ------------------------------------------------------------------------------- with the key

    def _to_pass(self, shares: SharesView) -> list[ShareToPass]:
        return [s for s in shares.to_pass if s.outer == self._own and not s.passed]

    def _passed_on(self, shares: SharesView) -> list[SharePassedOn]:
        return [share for share in shares.passed_on if share.inner == self._own]

    def _lot_key(self, tender: UUID, share: SharePassedOn) -> bytes:
        try:
            private = take_off_inner(self._private, _shared_key(tender, share), share.sealed)
        except CannotDecrypt as error:
            message = f"What {share.outer_officer} passed on does not open with your key."
            raise CannotStart(message) from error
        if public_of(private) != share.of.public_key:
            message = f"What {share.outer_officer} passed on is not the key of this lot."
            raise CannotStart(message)
        return private

    def _content_key(self, tender: UUID, head: HeadDue, keys: Mapping[_Which, bytes]) -> ReleaseKey:
        try:
            found = content_key_of(keys[head.lot, head.kind], address_of(tender, head), head.head)
        except CannotOpen:
            return ReleaseKey(envelope=head.envelope, content_key=None)
        return ReleaseKey(envelope=head.envelope, content_key=found)

    async def _pass(self, tender: UUID, shares: Sequence[ShareToPass]) -> list[str]:
        if not shares:
            return ["Your shares are passed on. Now another officer has to do their part."]
        try:
            passed = tuple(
                PassShare(
                    share=share.share,
                    sealed=take_off_outer(self._private, _shared_key(tender, share), share.sealed),
                )
                for share in shares
            )
        except CannotDecrypt as error:
            message = "One of your shares does not open with your key."
            raise CannotStart(message) from error
        await self._post(f"/tenders/{tender}/key-shares", PassShares(shares=passed), SharesPassed)
        others = sorted({share.inner_officer for share in shares})
        return [f"Passed on. Now {' or '.join(others)} has to do the same as you."]

    # ----------------------------------------------------------------------------- with the market

    async def _shares(self, tender: UUID) -> SharesView:
        return await self._get(f"/tenders/{tender}/key-shares", SharesView)

    async def _due(self, tender: UUID) -> list[HeadDue]:
        return (await self._get(f"/tenders/{tender}/key-releases", ReleasesDue)).due

    async def _get(self, path: str, kind: type[T]) -> T:
        return _read(await self._client.get(f"/api/v1{path}", headers=self._headers()), kind)

    async def _post(self, path: str, given: msgspec.Struct, kind: type[T]) -> T:
        headers = {
            **self._headers(),
            "Idempotency-Key": str(uuid4()),
            "Content-Type": "application/json",
        }
        answer = await self._client.post(
            f"/api/v1{path}", content=msgspec.json.encode(given), headers=headers
        )
        return _read(answer, kind)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}


def _read(answer: httpx.Response, kind: type[T]) -> T:
    """Read what the market gave; a refusal is told in its own words."""
    if answer.is_success:
        return msgspec.json.decode(answer.content, type=kind)
    try:
        reason = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        reason = f"it answered {answer.status_code}"
    message = f"The market refused: {reason}"
    raise CannotStart(message)


def _shared_key(tender: UUID, share: ShareToPass | SharePassedOn) -> SharedKey:
    return SharedKey(
        of=KeyFor(tender=tender, lot=share.of.lot, envelope=share.of.envelope),
        outer=bytes.fromhex(share.outer),
        inner=bytes.fromhex(share.inner),
    )


def _named(lot: int | None, kind: EnvelopeKind | None) -> str:
    return "the rehearsal" if kind is None else f"lot {lot}, {kind.value}"


def _counted(heads: Sequence[HeadDue]) -> str:
    """Say which envelopes these are: how many of which lot and kind."""
    found: dict[str, int] = {}
    for head in heads:
        name = _named(head.lot_number, head.kind)
        found[name] = found.get(name, 0) + 1
    return "; ".join(f"{name}: {count}" for name, count in found.items())
