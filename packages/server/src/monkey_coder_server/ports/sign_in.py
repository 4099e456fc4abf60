"""Signing in with an account elsewhere."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.errors import GatewayError


class SignInRefused(GatewayError):
    """What a provider answered proves nothing: the code was no good, or its answer is not to be believed."""

    code = "invalid_credentials"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person is sent to a provider with. `challenge` is the SHA-256 of the verifier (RFC 7636, `S256`)."""

    state: str
    nonce: str
    challenge: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What they come back with, and what only we know of their leaving."""

    code: str
    verifier: str
    nonce: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is at a provider. `subject` never changes; `email` is one the provider has verified, else empty."""

    provider: str
    subject: str
    email: str
    name: str = ""


class SignInProvider(Protocol):
    """One provider; `title` is what people call it. Raises `SignInRefused`, and `Unavailable` when it is away."""

    name: str
    title: str

    async def address(self, asked: Asked) -> str:
        """Where to send the person."""

    async def identity(self, returned: Returned) -> Identity:
        """Who came back."""


class Identities(Protocol):
    """Whose identities at providers are whose here."""

    async def find(self, provider: str, subject: str) -> str | None:
        """The id of the user an identity is linked to."""

    async def link(self, identity: Identity, user_id: str, at: datetime) -> None:
        """Link one for good. Raises `Conflict` when it is linked, or the user has another of that provider."""

    async def of_user(self, user_id: str) -> Sequence[Identity]:
        """What is linked to a user."""

    async def unlink(self, user_id: str, provider: str, *, unless_last_of: Collection[str] = ()) -> None:
        """Take a user's identity at a provider away. Raises `NotFound`.

        Raises `Conflict` where it is the last one of the named providers that is linked to the user.
        """
