"""The authorization code flow as the market walks it: state, PKCE, nonce, and who answers."""

import base64
import hashlib
import hmac
from urllib.parse import urlencode

import msgspec

from market.single_sign_on.errors import IdentityNotProven


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What ties an answer to its request: the PKCE code verifier (RFC 7636) and the nonce."""

    verifier: str
    nonce: str

    @property
    def challenge(self) -> str:
        """The verifier as it travels through the browser: method S256, RFC 7636 section 4.2."""
        return _text(hashlib.sha256(self.verifier.encode("ascii")).digest())


def proof_of(secret: bytes, state: str, binding: str) -> Proof:
    """Derive the proof of one sign-in from its two random texts and a secret of the market.

    HMAC-SHA-256, 256 bits each: whoever sees the state in a browser, or the database's digests,
    cannot make them, and the market can make them again without having kept them.
    """
    said = hashlib.sha256(state.encode()).digest() + hashlib.sha256(binding.encode()).digest()
    return Proof(
        verifier=_text(hmac.digest(secret, b"verifier\x00" + said, "sha256")),
        nonce=_text(hmac.digest(secret, b"nonce\x00" + said, "sha256")),
    )


def _text(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def authorization_address(  # noqa: PLR0913  # the parameters of one request, each by its name
    endpoint: str,
    *,
    client_id: str,
    redirect_uri: str,
    scopes: str,
    state: str,
    proof: Proof,
    fresh: bool,
) -> str:
    """Where to send the person: OpenID Connect Core 1.0, section 3.1.2.1.

    A fresh sign-in asks the provider to ask the person, whatever it remembers of them.
    """
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": scopes,
        "state": state,
        "nonce": proof.nonce,
        "code_challenge": proof.challenge,
        "code_challenge_method": "S256",
    }
    if fresh:
        asked |= {"prompt": "login", "max_age": "0"}
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"


def ensure_own_answer(issuer: str, said: str | None, *, always_said: bool) -> None:
    """Refuse an answer that came from another provider (RFC 9207).

    Raises:
        IdentityNotProven: `iss` is another one's, or is missing though the provider always says it.
    """
    if said is None and always_said:
        message = "The answer lacks `iss`, which this identity provider always sends."
        raise IdentityNotProven(message)
    if said is not None and said != issuer:
        message = "The answer comes from another identity provider than the one that was asked."
        raise IdentityNotProven(message)
