"""Pure rules about clients' public keys: which are good enough, and how they sign."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key
from msgspec import UNSET, UnsetType

from market.errors import Fault

MOST_KEYS: Final = 5
_SHORTEST_RSA, _LONGEST_RSA = 2048, 4096
_USUAL_EXPONENT = "AQAB"  # 65537; a huge one would make each check slow
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "k")


class PublicJWK(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One public key as a JSON Web Key (RFC 7517): P-256, Ed25519, or RSA of 2048 to 4096 bits.

    The members of private keys are known here only so that they can be refused in words.
    """

    kty: str
    kid: str
    alg: str | UnsetType = UNSET
    use: str | UnsetType = UNSET
    key_ops: list[str] | UnsetType = UNSET
    crv: str | UnsetType = UNSET
    x: str | UnsetType = UNSET
    y: str | UnsetType = UNSET
    n: str | UnsetType = UNSET
    e: str | UnsetType = UNSET
    d: str | UnsetType = UNSET
    p: str | UnsetType = UNSET
    q: str | UnsetType = UNSET
    dp: str | UnsetType = UNSET
    dq: str | UnsetType = UNSET
    qi: str | UnsetType = UNSET
    k: str | UnsetType = UNSET

    def __repr__(self) -> str:
        """Name the key, whatever it holds."""
        return f"PublicJWK(kid={self.kid!r})"


_FAMILIES: Final[dict[tuple[str, str | UnsetType], tuple[str, ...]]] = {
    ("EC", "P-256"): ("ES256",),
    ("OKP", "Ed25519"): ("EdDSA", "Ed25519"),  # the same by its old name and that of RFC 9864
    ("RSA", UNSET): ("PS256", "RS256"),
}


def algorithms_of(jwk: PublicJWK) -> tuple[str, ...]:
    """The algorithms by which this key may sign: those of its kind, or the one that it names.

    Each key has its own list, so that no signature is ever checked by another kind of algorithm
    than its key was made for (RFC 8725, sections 3.1 and 3.2).
    """
    fitting = _FAMILIES.get((jwk.kty, jwk.crv), ())
    return fitting if jwk.alg is UNSET else tuple(name for name in fitting if name == jwk.alg)


def imported(jwk: PublicJWK) -> Key:
    """Make the key ready to check signatures with. Raises ValueError for one that is none."""
    parameters: dict[str, Any] = {
        name: value
        for name in ("kty", "crv", "x", "y", "n", "e")
        if (value := getattr(jwk, name)) is not UNSET
    }
    try:
        return import_key(parameters)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        message = "It is no key of its kind: a member is missing or of the wrong form."
        raise ValueError(message) from error


def key_set_faults(keys: Sequence[PublicJWK]) -> list[Fault]:
    """Everything that is wrong with a set of public keys, each fault at its key."""
    faults = []
    if not 1 <= len(keys) <= MOST_KEYS:
        faults.append(Fault(field="jwks.keys", reason=f"Give from 1 to {MOST_KEYS} keys."))
    if len({jwk.kid for jwk in keys}) != len(keys):
        faults.append(Fault(field="jwks.keys", reason="Each key needs a kid of its own."))
    for number, jwk in enumerate(keys[:MOST_KEYS]):
        if (reason := _why_not(jwk)) is not None:
            faults.append(Fault(field=f"jwks.keys[{number}]", reason=reason))
    return faults


def _why_not(jwk: PublicJWK) -> str | None:
    """Why a key cannot be registered, or None."""
    if any(getattr(jwk, name) is not UNSET for name in _PRIVATE):
        return (
            "This is a private or a shared key: whoever saw it can act as you. Make a new pair and"
            " send its public half alone."
        )
    if not algorithms_of(jwk):
        return (
            "Only keys for ES256 (P-256), EdDSA (Ed25519), PS256 and RS256 (RSA) are taken, and"
            " alg, where it is given, must be the key's own."
        )
    if jwk.use not in {UNSET, "sig"} or (jwk.key_ops is not UNSET and jwk.key_ops != ["verify"]):
        return "The key must be for signatures: use sig, key_ops verify, or neither."
    if jwk.kty == "RSA" and (reason := _why_not_rsa(jwk)) is not None:
        return reason
    try:
        imported(jwk)
    except ValueError as error:
        return str(error)
    return None


def _why_not_rsa(jwk: PublicJWK) -> str | None:
    if jwk.e != _USUAL_EXPONENT:
        return "The public exponent of an RSA key must be 65537 (AQAB)."
    modulus = "" if jwk.n is UNSET else jwk.n
    try:
        number = int.from_bytes(base64.urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4)))
    except (binascii.Error, ValueError):
        return "n must be base64url."
    if not _SHORTEST_RSA <= number.bit_length() <= _LONGEST_RSA:
        return f"An RSA key has from {_SHORTEST_RSA} to {_LONGEST_RSA} bits."
    return None
