"""Sealing of bids: envelopes (HPKE), custody of their private keys, and salted commitments.

What is sealed, and how: each tender, lot and envelope (quality, price) has a key pair. Each
envelope has a content key of its own, under which its content is encrypted with AES-256-GCM; the
content key is sealed to the public key with HPKE (RFC 9180) over the hybrid of ML-KEM-768 (FIPS
203) and X25519, with HKDF-SHA-256 and AES-256-GCM. All is bound to tender, lot, supplier, envelope
and version. Whoever has the public key can seal; only the custodian of the private key can open,
or give away the content key of a single envelope. The format is in `envelopes`, for others to
implement.

Who has the private key: the server, wrapped (`ServerCustodian`, "server" custody, the default), or
officers, who are people (`officers`): every two of them have a share of it, and nobody has it
whole until two put their shares together once the envelope is due. Then they give away the content
keys of the envelopes that are due, and of no others.

What server custody protects against:

- somebody who reads the database, a backup, a replica, a dump or the object store: they see sealed
  bytes, padded lengths, times, and wrapped keys that are of no use without the key-encryption key;
- colleagues and administrators of the database, for the same reason;
- an envelope moved elsewhere (to another tender, lot, supplier, envelope or version): it does not
  open;
- one leaked key: it opens one kind of envelope of one lot, not the market;
- somebody who records today and owns a quantum computer later (the ML-KEM half), and a break of the
  young ML-KEM (the X25519 half).

What officers' custody protects against besides: whoever holds the running process, the
key-encryption key, the database and everything else the server has, until two officers release a
key; one officer alone, with all of that; and the loss of an officer, as long as two are left.

What none of it protects against:

- in server custody, whoever holds both the running process (or its memory) and the
  key-encryption key can open anything, at any time. That an envelope is opened only when its time
  has come is a rule of the commands and the database, not of this package: it opens what it is
  told to open;
- sealing on receipt means that the process has seen the plaintext. Only a supplier who seals before
  sending is spared that; their envelope is then unchecked until it is opened;
- sealing says nothing about who sealed: everybody has the public key. Who sent a bid is known
  from the authenticated request, and kept by the signed receipt;
- what is not content: that there is a bid, when it came, and its size class;
- in officers' custody, two officers who conspire and get at the sealed bytes, or one of them with
  a process that was false already when it published the tender, made the keys and said which
  officers' keys it made the shares for;
- loss: without the key-encryption key, or without two of a tender's officers, nothing opens, ever.
  Back the one up apart from the database, and have more officers than three;
- somebody who can write to the database, and puts their own public key in the place of a tender's
  before bids are sealed to it: have the key in the signed notice, and compare;
- Python cannot wipe memory: a private key stays in the process until its memory is used again.

Nothing here reads a clock, a setting or a table.
"""

from market.sealing.commitments import (
    COMMITMENT_BYTES,
    SALT_BYTES,
    commitment,
    matches_commitment,
    new_salt,
)
from market.sealing.custody import (
    KEY_ENCRYPTION_KEY_BYTES,
    CannotUnwrap,
    Custodian,
    ServerCustodian,
    WrappedKey,
    key_context,
    wrapped_under,
)
from market.sealing.envelopes import (
    CONTENT_KEY_BYTES,
    HEAD_BYTES,
    Address,
    CannotOpen,
    EnvelopeKind,
    content_key_of,
    is_content_key,
    is_sealed,
    open_with_content_key,
    place_of,
    seal,
    sealed_length,
    unseal,
)
from market.sealing.hybrid import (
    PRIVATE_KEY_BYTES,
    PUBLIC_KEY_BYTES,
    CannotDecrypt,
    KeyPair,
    new_key_pair,
    public_of,
)
from market.sealing.kept import KeptColumn
from market.sealing.locked import (
    CannotUnlock,
    Hardness,
    PassphraseTooShort,
    lock,
    read_locked,
    unlock,
)
from market.sealing.officers import (
    KeyFor,
    SharedKey,
    fingerprint,
    shared,
    take_off_inner,
    take_off_outer,
)

__all__ = [
    "COMMITMENT_BYTES",
    "CONTENT_KEY_BYTES",
    "HEAD_BYTES",
    "KEY_ENCRYPTION_KEY_BYTES",
    "PRIVATE_KEY_BYTES",
    "PUBLIC_KEY_BYTES",
    "SALT_BYTES",
    "Address",
    "CannotDecrypt",
    "CannotOpen",
    "CannotUnlock",
    "CannotUnwrap",
    "Custodian",
    "EnvelopeKind",
    "Hardness",
    "KeptColumn",
    "KeyFor",
    "KeyPair",
    "PassphraseTooShort",
    "ServerCustodian",
    "SharedKey",
    "WrappedKey",
    "commitment",
    "content_key_of",
    "fingerprint",
    "is_content_key",
    "is_sealed",
    "key_context",
    "lock",
    "matches_commitment",
    "new_key_pair",
    "new_salt",
    "open_with_content_key",
    "place_of",
    "public_of",
    "read_locked",
    "seal",
    "sealed_length",
    "shared",
    "take_off_inner",
    "take_off_outer",
    "unlock",
    "unseal",
    "wrapped_under",
]
