"""Second factors of people: one-time codes, passkeys, recovery codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.confirmation import SecondFactors


@dataclass(frozen=True, slots=True)
class Totp:
    """An app that shows one-time codes. `secret` is sealed; `last_step` the newest time step a code was taken of."""

    user_id: str
    secret: bytes
    last_step: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Passkey:
    """A WebAuthn credential. `sign_count` is what its authenticator last said; 0 for one that does not count."""

    passkey_id: str
    user_id: str
    credential_id: bytes
    public_key: bytes
    sign_count: int
    name: str
    created_at: datetime
    last_used: datetime | None = None


class Factors(Protocol):
    """What people prove beside a password that it is them. Writes are durable on return, and seen by every process."""

    async def any(self, user_id: str) -> bool:
        """Whether a person has a second factor; recovery codes alone are none."""

    async def totp(self, user_id: str) -> Totp | None:
        """A person's one-time codes."""

    async def put_totp(self, totp: Totp) -> None:
        """Store them in place of earlier ones."""

    async def use_step(self, user_id: str, step: int, sealed: bytes) -> bool:
        """Take the code of a time step, and the secret sealed anew; False when that step or a later one was taken."""

    async def drop_totp(self, user_id: str) -> bool:
        """Forget them; False when there are none. With the last factor its recovery codes and sessions' proofs go.

        Raises `Conflict` for the last factor of an operator.
        """

    async def passkeys(self, user_id: str) -> Sequence[Passkey]:
        """A person's passkeys, oldest first."""

    async def passkey(self, credential_id: bytes) -> Passkey | None:
        """The passkey of a credential, whose ever it is."""

    async def add_passkey(self, passkey: Passkey, *, most: int | None = None) -> None:
        """Store a new one. Raises `Conflict` when its credential is known, or the person has `most`."""

    async def use_passkey(self, credential_id: bytes, sign_count: int, at: datetime) -> bool:
        """Note a use; False when the counter is not beyond the last one: then there are two of this authenticator."""

    async def rename_passkey(self, user_id: str, passkey_id: str, name: str) -> bool:
        """Give it another name; False when the person has none of that id."""

    async def drop_passkey(self, user_id: str, passkey_id: str) -> bool:
        """Forget it; False when the person has none of that id. Else as `drop_totp`."""

    async def put_recovery_codes(self, user_id: str, digests: Sequence[bytes]) -> None:
        """Store codes in place of all earlier ones."""

    async def use_recovery_code(self, user_id: str, digests: Sequence[bytes]) -> bool:
        """Use up a code that has one of the digests: of many who come with it, one is told True."""

    async def recovery_codes(self, user_id: str) -> int:
        """How many are left."""


class OneTimeCodes(Protocol):
    """Time-based one-time passwords (RFC 6238): six digits, SHA-1, steps of 30 seconds, as every app has them."""

    def new_secret(self) -> str:
        """160 random bits as base32."""

    def address(self, secret: str, *, account: str) -> str:
        """The `otpauth:` URI an app reads from a QR code."""

    def step(self, secret: str, code: str, at: datetime) -> int | None:
        """The time step a code is of: that of the time, the one before or the one after; None for a wrong code."""


@dataclass(frozen=True, slots=True)
class SecondFactorRules:
    """What a deployment asks for, and of whom its people's factors are known."""

    mode: SecondFactors
    factors: Factors

    async def asked_of(self, user_id: str) -> bool:
        """Whether a person must prove a second factor."""
        return self.mode is not SecondFactors.OFF and await self.factors.any(user_id)
