"""Seal a bid before sending it, and send it: with httpx and cryptography, and nothing of ours.

    api = httpx.Client(base_url="https://market.example/api/v1/", headers={"Authorization": …})
    api.headers["Idempotency-Key"] = str(uuid.uuid4())  # keep it: a retry with it gets the receipt
    receipt, kept = give_sealed_bid(api, tender_id, 1, supplier_id, quality=…, price=…)

`supplier_id` is the organisation of `GET /me`; `quality` and `price` are as
`POST /tenders/{tender_id}/lots/{lot_number}/bids` takes them. Keep `kept` with the receipt, and
secret: the salts prove which bid it was; the market adds the one of the participants. The layout
is explained in `market/sealing/envelopes.py`.
Copy this file; the market does not run it.
"""

import base64
import hashlib
import json
import os
from typing import Any
from uuid import UUID

import httpx
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

OURS = b"commissioning-support-market/"
SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def sealed(
    key: dict[str, Any], supplier: UUID, content: object, salt: bytes, number: tuple[int, int]
) -> dict[str, str]:
    """Seal one envelope to its key for a variant (0: the main bid) and version of the bid."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    plain = b'{"content":%b,"salt":"%b"}' % (text, salt.hex().encode())
    kind = b"\x01" if key["envelope"] == "quality" else b"\x02"
    place = base64.b64decode(key["info_begins"]) + supplier.bytes + kind
    info = place + number[0].to_bytes(1, "big") + number[1].to_bytes(8, "big")
    content_key, public = os.urandom(32), base64.b64decode(key["public_key"])
    bound = OURS + b"content-key/v1\0" + hashlib.sha256(info).digest()
    derived = HKDF(hashes.SHA256(), length=64, salt=None, info=bound).derive(content_key)
    halves = (
        MLKEM768PublicKey.from_public_bytes(public[:1184]),
        X25519PublicKey.from_public_bytes(public[1184:]),
    )
    recipient = hpke.MLKEM768X25519PublicKey(*halves)
    head = b"\x01" + SUITE.encrypt(content_key, recipient, info=info) + derived[32:]
    size = max(4096, 8 + len(plain))  # its size class, by Padmé: a length tells next to nothing
    step = 1 << (size.bit_length() - 1 - (size.bit_length() - 1).bit_length())
    padded = (len(plain).to_bytes(8, "big") + plain).ljust(-(-size // step) * step, b"\0")
    envelope = head + AESGCM(derived[:32]).encrypt(bytes(12), padded, head)
    committed = hashlib.sha256(OURS + b"commitment/v1\0" + salt + text).hexdigest()
    return {"sealed": base64.b64encode(envelope).decode(), "commitment": committed}


def give_sealed_bid(  # noqa: PLR0913  # what a bid is made of
    api: httpx.Client, tender: UUID, lot: int, supplier: UUID, *, quality: object, price: object
) -> tuple[dict[str, Any], dict[str, str]]:
    """Seal a first bid for a lot and send it; give the signed receipt, and the salts to keep."""
    keys = {
        key["envelope"]: key
        for key in api.get(f"tenders/{tender}/keys").raise_for_status().json()
        if key["lot_number"] == lot
    }
    salts = {"quality": os.urandom(32), "price": os.urandom(32)}
    body: dict[str, Any] = {"version": 1}
    for name, content in (("quality", quality), ("price", price)):
        body[name] = sealed(keys[name], supplier, content, salts[name], (0, 1))
    answer = api.post(f"tenders/{tender}/lots/{lot}/sealed-bids", json=body).raise_for_status()
    kept = (answer.json()["salts"] or {}) | {name: salt.hex() for name, salt in salts.items()}
    return answer.json()["receipt"], kept
