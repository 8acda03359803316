"""Signed statements: Ed25519 over canonical JSON, the public key set, and the receipt for a bid.

What is signed is the RFC 8785 canonical JSON of one object with five members: `algorithm`,
`domain` (the constant below), `key_id`, `sandbox` and `statement`. All of it travels with the
signature except the constant domain, so that anybody can check with any Ed25519 library (RFC
8032) and no code of ours.

Whether the database is a sandbox is inside what is signed: a rehearsal cannot be shown as a real
award. Numbers that matter travel as decimal strings and instants as RFC 3339 strings; a float is
refused, because two languages may print it differently.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

import msgspec
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from msgspec import UNSET, Meta, Struct, UnsetType

DOMAIN = "commissioning-support-market/statement/v1"
ALGORITHM: Literal["Ed25519"] = "Ed25519"

_SEED_BYTES = 32
_DERIVED = b"commissioning-support-market/derived/v1\x00"
# Deeper than any statement of ours; a bound, so that a hostile one cannot exhaust the stack.
_DEEPEST = 32

JSON: TypeAlias = bool | int | str | Sequence["JSON"] | Mapping[str, "JSON"] | None

Digest = Annotated[
    str,
    # The length as well: in Python, `$` lets a newline after it pass.
    Meta(
        pattern="^[0-9a-f]{64}$",
        max_length=64,
        description="A SHA-256 digest: 64 lower-case hexadecimal digits.",
    ),
]


class BadSignature(Exception):
    """A statement is not what the holder of this key signed, or not of the expected kind."""


class Unsignable(ValueError):
    """A statement holds something that has no single JSON form. It is a fault of the program."""


class SignedStatement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A statement with its signature (standard base64), as it is handed out and kept."""

    statement: Mapping[str, object]
    key_id: str
    algorithm: Literal["Ed25519"] = ALGORITHM
    sandbox: bool
    signature: str


class PublicKey(Struct, frozen=True, kw_only=True):
    """One Ed25519 public key as a JSON Web Key (RFC 8037, section 2; `alg` by RFC 9864).

    With two members of our own, which others ignore (RFC 7517, section 4): it signed from
    `began_at` on, where that is on record, and not after `retired_at`.
    """

    kid: str
    x: str
    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    alg: Literal["Ed25519"] = ALGORITHM
    use: Literal["sig"] = "sig"
    began_at: datetime | UnsetType = UNSET
    retired_at: datetime | UnsetType = UNSET


class PublicKeySet(Struct, frozen=True, kw_only=True):
    """The keys this market signs or has signed with, as a JSON Web Key Set (RFC 7517)."""

    keys: tuple[PublicKey, ...]


class SigningKey:
    """An Ed25519 private key (RFC 8032). Its seed is never shown."""

    __slots__ = ("_derivation", "_private", "key_id")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self._derivation = HKDF.extract(hashes.SHA256(), None, private.private_bytes_raw())
        self.key_id = key_id_of(self.public())

    @classmethod
    def from_seed(cls, seed: bytes) -> "SigningKey":
        """Make the key that belongs to a 32-byte seed. Raises ValueError for another length."""
        if len(seed) != _SEED_BYTES:
            raise ValueError("The seed of a signing key must be exactly 32 bytes long.")
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    def __repr__(self) -> str:
        return f"SigningKey(key_id={self.key_id!r})"

    def public(self) -> bytes:
        """Return the raw public key, 32 bytes."""
        return self._private.public_key().public_bytes_raw()

    def sign(self, statement: Struct | Mapping[str, object], *, sandbox: bool) -> SignedStatement:
        """Sign a statement. The result holds a plain copy that later changes do not reach.

        Raises Unsignable if it holds a float, an integer beyond 2^53 - 1, a key that is no
        string, a value that has no JSON form, or more than 32 levels.
        """
        plain = _plain(statement)
        message = _message(plain, key_id=self.key_id, sandbox=sandbox)
        return SignedStatement(
            statement=plain,
            key_id=self.key_id,
            sandbox=sandbox,
            signature=base64.b64encode(self._private.sign(message)).decode("ascii"),
        )

    def derive_secret(self, purpose: bytes) -> bytes:
        """Derive 32 secret bytes for one purpose: the same each time, unguessable without the key.

        HKDF-SHA-256 (RFC 5869) of the seed. The purpose is bound in, behind a domain string, so
        that no two purposes share a secret and none has to do with a signature.
        """
        derivation = HKDFExpand(hashes.SHA256(), length=32, info=_DERIVED + purpose)
        return derivation.derive(self._derivation)


def key_id_of(public_key: bytes) -> str:
    """Name a raw Ed25519 public key by its JWK thumbprint (RFC 7638; RFC 8037, appendix A.3)."""
    thumbprint = rfc8785.dumps({"crv": "Ed25519", "kty": "OKP", "x": _base64url(public_key)})
    return _base64url(hashlib.sha256(thumbprint).digest())


def public_key(
    raw: bytes, *, began_at: datetime | None = None, retired_at: datetime | None = None
) -> PublicKey:
    """Write a raw public key to be published, with the times that are known."""
    return PublicKey(
        kid=key_id_of(raw),
        x=_base64url(raw),
        began_at=began_at or UNSET,
        retired_at=retired_at or UNSET,
    )


def key_set(public_keys: Iterable[bytes]) -> PublicKeySet:
    """Make a key set from raw public keys: the current one, then the retired ones."""
    return PublicKeySet(keys=tuple(public_key(key) for key in public_keys))


def verify(signed: SignedStatement, public_key: bytes) -> None:
    """Check that the holder of this raw public key signed exactly this statement.

    Says nothing on whether the statement is true, or from a sandbox: read `signed.sandbox`. Raises
    BadSignature.
    """
    if signed.algorithm != ALGORITHM:
        raise BadSignature(f"The algorithm must be {ALGORITHM}.")
    if signed.key_id != key_id_of(public_key):
        raise BadSignature("This statement is signed with another key.")
    try:
        signature = _signature(signed.signature)
        message = _message(_plain(signed.statement), key_id=signed.key_id, sandbox=signed.sandbox)
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise BadSignature("The signature does not belong to this statement.") from error


class Sealing(StrEnum):
    """Who sealed a bid, in the words of the receipt: it decides what the sealing protects from."""

    SERVER = "on receipt by the server"
    SUPPLIER = "before sending by the supplier"

    def meaning(self) -> str:
        """Say in a sentence or two what follows for the bid."""
        if self is Sealing.SERVER:
            return (
                "The market checked that the bid was complete, and sealed it. The salts beside the"
                " receipt prove which bid it was."
            )
        return (
            "The market has not seen the bid, and cannot tell whether it is complete. At the"
            " opening, an envelope that does not open, is not what it commits to or does not fit"
            " the lot is recorded as that, and its bid is excluded."
        )


class BidReceipt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bidder gets for an accepted bid: proof of what was received, and when.

    The commitments are `market.sealing.commitment` in hexadecimal, over what the bidder sent in
    each envelope, and over the participants named beside them; the bidder is given the salts
    beside the receipt, and can show with them which bid it was. The sealed digests are plain
    SHA-256 of the sealed envelopes as stored, and need no salt. The time is the database's, and in
    UTC: raises ValueError otherwise.
    """

    kind: Literal["bid_receipt"] = "bid_receipt"
    tender: UUID
    lot: UUID
    supplier: UUID
    bid: UUID
    variant: Annotated[int, Meta(ge=0)] = 0
    version: Annotated[int, Meta(ge=1)]
    received_at: Annotated[datetime, Meta(tz=True)]
    quality_commitment: Digest
    price_commitment: Digest
    participants_commitment: Digest
    quality_sealed_digest: Digest
    price_sealed_digest: Digest
    sealing: Sealing = Sealing.SERVER

    def __post_init__(self) -> None:
        if self.received_at.utcoffset() != timedelta(0):
            raise ValueError("The time of receipt must be in UTC.")


class WithdrawalReceipt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bidder gets for withdrawing a bid: proof that from then on it did not stand.

    `version` is the number of the withdrawal itself. The time is the database's, and in UTC:
    raises ValueError otherwise.
    """

    kind: Literal["withdrawal_receipt"] = "withdrawal_receipt"
    tender: UUID
    lot: UUID
    supplier: UUID
    bid: UUID
    variant: Annotated[int, Meta(ge=0)] = 0
    version: Annotated[int, Meta(ge=2)]
    withdrawn_at: Annotated[datetime, Meta(tz=True)]

    def __post_init__(self) -> None:
        if self.withdrawn_at.utcoffset() != timedelta(0):
            raise ValueError("The time of withdrawal must be in UTC.")


class ConfirmationReceipt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bidder gets for confirming a bid after a material amendment.

    It says that this version of the bid stands as it is under the amendment of that number. The
    time is the database's, and in UTC: raises ValueError otherwise.
    """

    kind: Literal["confirmation_receipt"] = "confirmation_receipt"
    tender: UUID
    lot: UUID
    supplier: UUID
    bid: UUID
    version: Annotated[int, Meta(ge=1)]
    amendment: Annotated[int, Meta(ge=1)]
    confirmed_at: Annotated[datetime, Meta(tz=True)]

    def __post_init__(self) -> None:
        if self.confirmed_at.utcoffset() != timedelta(0):
            raise ValueError("The time of confirmation must be in UTC.")


def verify_receipt(signed: SignedStatement, public_key: bytes) -> BidReceipt:
    """Check the signature of a bid receipt and return the receipt. Raises BadSignature."""
    verify(signed, public_key)
    try:
        return msgspec.convert(signed.statement, BidReceipt)
    except msgspec.ValidationError as error:
        raise BadSignature("This statement is signed, but it is not a bid receipt.") from error


def verify_withdrawal(signed: SignedStatement, public_key: bytes) -> WithdrawalReceipt:
    """Check the signature of a withdrawal's receipt and return it. Raises BadSignature."""
    verify(signed, public_key)
    try:
        return msgspec.convert(signed.statement, WithdrawalReceipt)
    except msgspec.ValidationError as error:
        raise BadSignature("This statement is signed, but it is not of a withdrawal.") from error


def verify_confirmation(signed: SignedStatement, public_key: bytes) -> ConfirmationReceipt:
    """Check the signature of a confirmation's receipt and return it. Raises BadSignature."""
    verify(signed, public_key)
    try:
        return msgspec.convert(signed.statement, ConfirmationReceipt)
    except msgspec.ValidationError as error:
        raise BadSignature("This statement is signed, but it is not of a confirmation.") from error


def _message(statement: Mapping[str, JSON], *, key_id: str, sandbox: bool) -> bytes:
    """Return the bytes that are signed."""
    try:
        return rfc8785.dumps(
            {
                "algorithm": ALGORITHM,
                "domain": DOMAIN,
                "key_id": key_id,
                "sandbox": sandbox,
                "statement": statement,
            }
        )
    except rfc8785.CanonicalizationError as error:
        raise Unsignable(f"The statement has no canonical form: {error}") from error


def _signature(text: str) -> bytes:
    """Decode a signature in its one spelling, so that a signed statement has a single digest.

    Python's decoder drops the unused bits of the last letter even with `validate`.
    """
    signature = base64.b64decode(text, validate=True)
    if base64.b64encode(signature).decode("ascii") != text:
        raise ValueError("The signature is not in canonical base64.")
    return signature


def _plain(statement: Struct | Mapping[str, object]) -> dict[str, JSON]:
    """Copy a statement into plain JSON. Only in a Struct do types say how to write a value."""
    value: object = statement
    if isinstance(statement, Struct):
        try:
            value = msgspec.to_builtins(statement)
        except TypeError as error:
            raise Unsignable(f"The statement holds a value without a JSON form: {error}") from error
    if not isinstance(value, Mapping):
        raise Unsignable("A statement is an object with named members.")
    return _plain_object(value, depth=1)


def _plain_object(value: Mapping[object, object], depth: int) -> dict[str, JSON]:
    members: dict[str, JSON] = {}
    for name, member in value.items():
        if not isinstance(name, str):
            raise Unsignable("The names of members must be strings.")
        members[name] = _plain_value(member, depth + 1)
    return members


def _plain_value(value: object, depth: int) -> JSON:
    if depth > _DEEPEST:
        raise Unsignable(f"A statement may not be nested more than {_DEEPEST} levels deep.")
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return _plain_object(value, depth)
    if isinstance(value, list | tuple):
        return [_plain_value(item, depth + 1) for item in value]
    if isinstance(value, float):
        raise Unsignable("A statement may not hold a float: write a decimal string.")
    raise Unsignable(f"A statement may not hold a {type(value).__name__}: write a string.")


def _base64url(data: bytes) -> str:
    """Encode without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
