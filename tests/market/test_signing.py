import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any
from uuid import UUID

import msgspec
import pytest
import rfc8785
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from market.signing import (
    DOMAIN,
    BadSignature,
    BidReceipt,
    ConfirmationReceipt,
    Sealing,
    SignedStatement,
    SigningKey,
    Unsignable,
    WithdrawalReceipt,
    key_id_of,
    key_set,
    verify,
    verify_confirmation,
    verify_receipt,
    verify_withdrawal,
)

KEY = SigningKey.from_seed(b"s" * 32)
OTHER_KEY = SigningKey.from_seed(b"o" * 32)
STATEMENT = {
    "kind": "checkpoint",
    "position": 17,
    "price": "12.50",
    "final": True,
    "note": None,
    "lots": [{"number": 1}, {"number": 2}],
}
RECEIPT = BidReceipt(
    tender=UUID(int=1),
    lot=UUID(int=2),
    supplier=UUID(int=3),
    bid=UUID(int=4),
    version=1,
    received_at=datetime(2024, 3, 28, 11, 59, 59, 999999, tzinfo=UTC),
    quality_commitment="a" * 64,
    price_commitment="b" * 64,
    participants_commitment="f" * 64,
    quality_sealed_digest="c" * 64,
    price_sealed_digest="d" * 64,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
statements = st.dictionaries(st.text(), json_values, max_size=5)


# ---------------------------------------------------------------------------- signing


@given(statement=statements, sandbox=st.booleans())
def test_what_is_signed_verifies_also_after_a_journey_as_json(
    *, statement: dict[str, Any], sandbox: bool
) -> None:
    signed = KEY.sign(statement, sandbox=sandbox)
    received = msgspec.json.decode(msgspec.json.encode(signed), type=SignedStatement)

    assert received == signed
    assert received.statement == statement
    verify(received, KEY.public())


def test_anybody_can_verify_with_an_ed25519_library_and_canonical_json() -> None:
    signed = json.loads(msgspec.json.encode(KEY.sign(STATEMENT, sandbox=False)))
    signature = base64.b64decode(signed.pop("signature"))

    assert set(signed) == {"algorithm", "key_id", "sandbox", "statement"}
    message = rfc8785.dumps({**signed, "domain": "commissioning-support-market/statement/v1"})
    Ed25519PublicKey.from_public_bytes(KEY.public()).verify(signature, message)
    assert DOMAIN == "commissioning-support-market/statement/v1"


@given(statement=statements, data=st.data())
def test_the_order_of_members_makes_no_difference(
    statement: dict[str, Any], data: st.DataObject
) -> None:
    names = data.draw(st.permutations(list(statement)))
    reordered = {name: statement[name] for name in names}

    assert (
        KEY.sign(reordered, sandbox=False).signature == KEY.sign(statement, sandbox=False).signature
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda s: {**s, "kind": "receipt"},
        lambda s: {**s, "position": 18},
        lambda s: {**s, "position": "17"},
        lambda s: {**s, "price": "12.5"},
        lambda s: {**s, "final": False},
        lambda s: {**s, "final": 1},
        lambda s: {**s, "note": ""},
        lambda s: {**s, "lots": s["lots"][::-1]},
        lambda s: {**s, "lots": s["lots"][:1]},
        lambda s: {**s, "more": None},
        lambda s: {name: value for name, value in s.items() if name != "note"},
    ],
)
def test_a_change_of_any_member_breaks_the_signature(
    change: Callable[[Any], dict[str, object]],
) -> None:
    signed = KEY.sign(STATEMENT, sandbox=False)
    changed = msgspec.structs.replace(signed, statement=change(STATEMENT))

    with pytest.raises(BadSignature):
        verify(changed, KEY.public())


@pytest.mark.parametrize("sandbox", [True, False])
def test_the_sandbox_flag_cannot_be_flipped(*, sandbox: bool) -> None:
    signed = KEY.sign(STATEMENT, sandbox=sandbox)

    verify(signed, KEY.public())
    assert signed.sandbox is sandbox
    with pytest.raises(BadSignature):
        verify(msgspec.structs.replace(signed, sandbox=not sandbox), KEY.public())


def test_another_key_does_not_verify_under_either_name() -> None:
    signed = KEY.sign(STATEMENT, sandbox=False)

    with pytest.raises(BadSignature, match="another key"):
        verify(signed, OTHER_KEY.public())
    with pytest.raises(BadSignature, match="does not belong"):
        verify(msgspec.structs.replace(signed, key_id=OTHER_KEY.key_id), OTHER_KEY.public())
    with pytest.raises(BadSignature, match="another key"):
        verify(msgspec.structs.replace(signed, key_id=OTHER_KEY.key_id), KEY.public())


def test_another_algorithm_is_refused() -> None:
    signed = KEY.sign(STATEMENT, sandbox=False)

    with pytest.raises(BadSignature, match="algorithm"):
        verify(msgspec.structs.replace(signed, algorithm="none"), KEY.public())
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**msgspec.to_builtins(signed), "algorithm": "none"}, SignedStatement)


@pytest.mark.parametrize("position", range(0, 64, 7))
def test_a_change_of_any_byte_of_the_signature_is_noticed(position: int) -> None:
    signed = KEY.sign(STATEMENT, sandbox=False)
    changed = bytearray(base64.b64decode(signed.signature))
    changed[position] ^= 1

    with pytest.raises(BadSignature):
        verify(
            msgspec.structs.replace(signed, signature=base64.b64encode(changed).decode()),
            KEY.public(),
        )


@pytest.mark.parametrize("signature", ["", "AAAA", "not base64!", "é", "A" * 87, "A" * 88 + "\n"])
def test_what_is_no_signature_is_refused(signature: str) -> None:
    signed = msgspec.structs.replace(KEY.sign(STATEMENT, sandbox=False), signature=signature)

    with pytest.raises(BadSignature):
        verify(signed, KEY.public())


def test_a_signature_has_one_spelling() -> None:
    signed = KEY.sign(STATEMENT, sandbox=False)
    # 64 bytes leave four unused bits in the last letter of base64, which decoders drop.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet.index(signed.signature[-3])
    respelled = signed.signature[:-3] + alphabet[last + 1] + "=="

    assert base64.b64decode(respelled) == base64.b64decode(signed.signature)
    with pytest.raises(BadSignature):
        verify(msgspec.structs.replace(signed, signature=respelled), KEY.public())


def test_what_is_no_public_key_verifies_nothing() -> None:
    signed = msgspec.structs.replace(
        KEY.sign(STATEMENT, sandbox=False), key_id=key_id_of(b"too short")
    )

    with pytest.raises(BadSignature):
        verify(signed, b"too short")


# ---------------------------------------------------------------------------- what can be signed


class Decision(Struct, frozen=True):
    price: Decimal
    at: datetime
    lot: UUID
    marks: tuple[int, ...]


class Measured(Struct, frozen=True):
    score: float


class Ratio(Struct, frozen=True):
    score: Fraction


class Pair(Struct, frozen=True, array_like=True):
    first: str


def test_decimals_instants_and_identifiers_of_a_struct_become_strings() -> None:
    at = datetime(2024, 3, 28, 12, tzinfo=UTC)
    signed = KEY.sign(
        Decision(price=Decimal("12.50"), at=at, lot=UUID(int=1), marks=(1, 2)), sandbox=False
    )

    assert signed.statement == {
        "price": "12.50",
        "at": "2024-03-28T12:00:00Z",
        "lot": "00000000-0000-0000-0000-000000000001",
        "marks": [1, 2],
    }
    verify(signed, KEY.public())


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ({"score": 1.5}, "float"),
        ({"score": 1.0}, "float"),
        ({"lots": [{"score": [float("nan")]}]}, "float"),
        (Measured(score=1.5), "float"),
        (Ratio(score=Fraction(1, 3)), "without a JSON form"),
        ({"score": Fraction(1, 3)}, "Fraction"),
        ({"price": Decimal("1.5")}, "Decimal"),
        ({"salt": b"bytes"}, "bytes"),
        ({"lots": {1, 2}}, "set"),
        ({"lot": {1: "a"}}, "names of members"),
        ({1: "a"}, "names of members"),
        (Pair(first="a"), "named members"),
        (["a"], "named members"),
        ({"position": 2**53}, "canonical form"),
        ({"text": "\ud800"}, "canonical form"),
    ],
)
def test_what_has_no_single_json_form_is_refused(statement: Any, reason: str) -> None:
    with pytest.raises(Unsignable, match=reason):
        KEY.sign(statement, sandbox=False)


def test_a_statement_that_is_nested_too_deeply_is_refused_and_never_verified() -> None:
    deep: dict[str, object] = {}
    for _ in range(31):
        deep = {"inner": deep}
    signed = KEY.sign(deep, sandbox=False)

    with pytest.raises(Unsignable, match="32 levels"):
        KEY.sign({"inner": deep}, sandbox=False)
    with pytest.raises(BadSignature):
        verify(msgspec.structs.replace(signed, statement={"inner": deep}), KEY.public())


def test_a_float_in_a_received_statement_is_a_bad_signature() -> None:
    signed = KEY.sign({"position": 1}, sandbox=False)

    with pytest.raises(BadSignature):
        verify(msgspec.structs.replace(signed, statement={"position": 1.0}), KEY.public())


def test_later_changes_of_what_was_given_do_not_reach_what_was_signed() -> None:
    lots = [1, 2]
    given_statement = {"lots": lots}
    signed = KEY.sign(MappingProxyType(given_statement), sandbox=False)
    lots.append(3)
    given_statement["more"] = []

    assert signed.statement == {"lots": [1, 2]}
    verify(signed, KEY.public())


# ---------------------------------------------------------------------------- keys


def test_a_key_is_named_by_its_thumbprint_as_in_rfc_8037() -> None:
    """RFC 8037, appendices A.1 to A.3."""
    seed = base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    key = SigningKey.from_seed(seed)

    assert key.key_id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert json.loads(msgspec.json.encode(key_set([key.public()]))) == {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "alg": "Ed25519",
                "use": "sig",
                "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            }
        ]
    }


def test_a_key_set_keeps_retired_keys_in_the_order_given() -> None:
    published = key_set([KEY.public(), OTHER_KEY.public()])

    assert [key.kid for key in published.keys] == [KEY.key_id, OTHER_KEY.key_id]
    assert base64.urlsafe_b64decode(published.keys[1].x + "=") == OTHER_KEY.public()


def test_the_same_seed_makes_the_same_key_and_is_never_shown() -> None:
    seed = bytes(range(32))
    key = SigningKey.from_seed(seed)

    assert key.public() == SigningKey.from_seed(seed).public()
    assert repr(key) == f"SigningKey(key_id='{key.key_id}')"
    assert not hasattr(key, "__dict__")


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_seed_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="exactly 32 bytes"):
        SigningKey.from_seed(bytes(length))


# ---------------------------------------------------------------------------- receipts


def test_a_receipt_says_what_it_is_and_who_sealed() -> None:
    signed = KEY.sign(RECEIPT, sandbox=False)

    assert signed.statement["kind"] == "bid_receipt"
    assert signed.statement["received_at"] == "2024-03-28T11:59:59.999999Z"
    assert signed.statement["sealing"] == "on receipt by the server"
    assert verify_receipt(signed, KEY.public()) == RECEIPT


def test_a_receipt_for_a_bid_the_supplier_sealed_says_so() -> None:
    receipt = msgspec.structs.replace(RECEIPT, sealing=Sealing.SUPPLIER)
    signed = KEY.sign(receipt, sandbox=True)

    assert verify_receipt(signed, KEY.public()).sealing == "before sending by the supplier"
    assert signed.sandbox


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "bid_withdrawal"),
        ("tender", str(UUID(int=9))),
        ("lot", str(UUID(int=9))),
        ("supplier", str(UUID(int=9))),
        ("bid", str(UUID(int=9))),
        ("version", 2),
        ("received_at", "2024-03-28T11:59:59.999998Z"),
        ("quality_commitment", "e" * 64),
        ("price_commitment", "e" * 64),
        ("participants_commitment", "e" * 64),
        ("variant", 1),
        ("quality_sealed_digest", "e" * 64),
        ("price_sealed_digest", "e" * 64),
        ("sealing", "before sending by the supplier"),
    ],
)
def test_no_field_of_a_receipt_can_be_changed(field: str, value: object) -> None:
    signed = KEY.sign(RECEIPT, sandbox=False)
    changed = msgspec.structs.replace(signed, statement={**signed.statement, field: value})

    assert field in signed.statement
    with pytest.raises(BadSignature):
        verify_receipt(changed, KEY.public())


def test_every_field_of_a_receipt_is_tried_above() -> None:
    tried = {
        mark.args[1][index][0]
        for mark in test_no_field_of_a_receipt_can_be_changed.pytestmark  # type: ignore[attr-defined]  # pytest puts its marks there
        for index in range(len(mark.args[1]))
    }

    assert tried == set(BidReceipt.__struct_fields__)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "bid_withdrawal"},
        {"more": "x"},
        {"version": 0},
        {"received_at": "2024-03-28T11:59:59"},
        {"received_at": "2024-03-28T12:59:59+01:00"},
        {"price_commitment": "b" * 63},
        {"price_commitment": "b" * 64 + "\n"},
        {"sealing": "perhaps"},
    ],
)
def test_what_is_signed_but_no_receipt_is_not_taken_for_one(change: dict[str, object]) -> None:
    signed = KEY.sign({**KEY.sign(RECEIPT, sandbox=False).statement, **change}, sandbox=False)

    verify(signed, KEY.public())
    with pytest.raises(BadSignature, match="not a bid receipt"):
        verify_receipt(signed, KEY.public())


@pytest.mark.parametrize(
    "zone", [None, timezone(timedelta(hours=1))], ids=["no zone", "an hour east"]
)
def test_a_receipt_has_its_time_in_utc(zone: timezone | None) -> None:
    with pytest.raises(ValueError, match="UTC"):
        msgspec.structs.replace(RECEIPT, received_at=datetime(2024, 3, 28, 12, tzinfo=zone))


def test_a_withdrawal_s_receipt_verifies_and_is_no_bid_receipt() -> None:
    receipt = WithdrawalReceipt(
        tender=RECEIPT.tender,
        lot=RECEIPT.lot,
        supplier=RECEIPT.supplier,
        bid=RECEIPT.bid,
        version=2,
        withdrawn_at=datetime(2024, 3, 28, 12, tzinfo=UTC),
    )
    signed = KEY.sign(receipt, sandbox=False)

    assert verify_withdrawal(signed, KEY.public()) == receipt
    with pytest.raises(BadSignature, match="not a bid receipt"):
        verify_receipt(signed, KEY.public())
    with pytest.raises(BadSignature, match="not of a withdrawal"):
        verify_withdrawal(KEY.sign(RECEIPT, sandbox=False), KEY.public())
    with pytest.raises(ValueError, match="UTC"):
        msgspec.structs.replace(receipt, withdrawn_at=datetime(2024, 3, 28, 12))  # noqa: DTZ001  # refused


def test_a_confirmation_s_receipt_verifies_and_is_no_other() -> None:
    receipt = ConfirmationReceipt(
        tender=RECEIPT.tender,
        lot=RECEIPT.lot,
        supplier=RECEIPT.supplier,
        bid=RECEIPT.bid,
        version=1,
        amendment=2,
        confirmed_at=datetime(2024, 3, 28, 12, tzinfo=UTC),
    )
    signed = KEY.sign(receipt, sandbox=False)

    assert verify_confirmation(signed, KEY.public()) == receipt
    with pytest.raises(BadSignature, match="not a bid receipt"):
        verify_receipt(signed, KEY.public())
    with pytest.raises(BadSignature, match="not of a confirmation"):
        verify_confirmation(KEY.sign(RECEIPT, sandbox=False), KEY.public())
    with pytest.raises(ValueError, match="UTC"):
        msgspec.structs.replace(receipt, confirmed_at=datetime(2024, 3, 28, 12))  # noqa: DTZ001  # refused


def test_a_derived_secret_is_the_same_each_time_and_another_for_each_purpose_and_key() -> None:
    secret = KEY.derive_secret(b"one")
    assert len(secret) == 32
    # HKDF-SHA-256 of the seed, whole, by the library
    info = b"commissioning-support-market/derived/v1\x00one"
    assert HKDF(hashes.SHA256(), 32, None, info).derive(b"s" * 32) == secret
    assert KEY.derive_secret(b"one") == secret
    other = SigningKey.from_seed(bytes(32))
    assert len({secret, KEY.derive_secret(b"two"), other.derive_secret(b"one")}) == 3
