"""WebAuthn ceremonies: what a browser is asked for, and whether what it answers is genuine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a passkey is made for: `handle` is what the authenticator keeps of them, opaque bytes."""

    handle: bytes
    name: str
    display_name: str


@dataclass(frozen=True, slots=True)
class NewCredential:
    """What a genuine registration gives."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a genuine answer says: `sign_count` is for the caller to compare with the last one."""

    sign_count: int
    user_verified: bool


class Ceremonies(Protocol):
    """For one relying party and one origin, both the deployment's own."""

    def registration(self, holder: Holder, challenge: bytes, *, known: Sequence[bytes]) -> Mapping[str, Any]:
        """`PublicKeyCredentialCreationOptions` as JSON (WebAuthn Level 3, section 5.1.9)."""

    def registered(self, credential: Mapping[str, Any], challenge: bytes) -> NewCredential | None:
        """The credential of a genuine answer to that challenge; else None."""

    def authentication(self, challenge: bytes, *, known: Sequence[bytes], verified: bool) -> Mapping[str, Any]:
        """`PublicKeyCredentialRequestOptions` as JSON; none `known` lets the authenticator find one by itself."""

    def authenticated(
        self, credential: Mapping[str, Any], challenge: bytes, *, public_key: bytes, verified: bool
    ) -> Assertion | None:
        """What a genuine answer to that challenge says; else None. `verified`: the person must have been, by it."""
