"""What the API takes and gives about single sign-on."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from market.people.schemas import Secret

Code = Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"^[\x20-\x7e]+$")]
Issuer = Annotated[str, Meta(min_length=1, max_length=2000)]


class AskSignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Begin to sign in by the identity provider.

    `organisation`: for which to act. `invitation`: its secret, to take it up by signing in.
    `fresh`: the provider asks the person anew, whatever it remembers. `link`: not to sign in, but
    to link the identity to oneself, from a session.
    """

    organisation: UUID | None = None
    invitation: Secret | None = None
    fresh: bool = False
    link: bool = False

    example: ClassVar[dict[str, Any]] = {"fresh": True}

    def __post_init__(self) -> None:
        """Refuse to link and to sign in at once.

        Raises:
            ValueError: `link` comes with an organisation or an invitation.
        """
        if self.link and (self.organisation is not None or self.invitation is not None):
            message = "Linking takes neither an organisation nor an invitation."
            raise ValueError(message)


class SignInAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in under way: send the person to the address.

    Keep `binding` where the person's browser keeps secrets, and send it with the answer: it shows
    that the answer comes back to where the request came from. It is shown here and never again.
    """

    authorization_url: str
    binding: str
    expires_at: datetime


class SignInAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the identity provider sent the person back with, and the binding that was kept."""

    state: Secret
    code: Code
    binding: Secret
    iss: Issuer | None = None

    example: ClassVar[dict[str, Any]] = {
        "state": "M6tq1rT3cWcW0y1y3G2n0bXo2v0r1cQJ0w9o0m1e5gU",
        "code": "SplxlOBeZQQYbYS6WxSbIA",
        "binding": "xG0q1b2T3cWcW0y1y3G2n0bXo2v0r1cQJ0w9o0m1e5g",
        "iss": "https://identity.example",
    }


class IdentityView(msgspec.Struct, frozen=True, kw_only=True):
    """An identity by which one can sign in."""

    id: UUID
    issuer: str
    subject: str
    linked_at: datetime
