"""`client.mfa`, sync and async: second factors of the person whose access token the client carries."""

from typing import TypeVar

import msgspec

from monkey_coder import _responses
from monkey_coder._accounts import AsyncCaller, Caller
from monkey_coder._requests import Call, Request
from monkey_coder_protocol import auth, factors

T = TypeVar("T")
CONFIRMATION_HEADER = "x-mk-confirmation"
_MFA = "/v1/auth/mfa"


class Mfa:
    """Log in with `auth.login` (and `auth.verify_mfa`) and make a client of the access token: a key changes no factors.

    `confirmation` is what `confirm("factors", …)` gave; who has no factor yet needs none just after a login.
    """

    def __init__(self, client: Caller) -> None:
        self._client = client

    def status(self) -> factors.MfaStatus:
        """Which factors there are."""
        return self._client.call(_status())

    def enroll_totp(self, *, confirmation: str | None = None) -> factors.TotpEnrolment:
        """A secret for an authenticator app; it counts from `confirm_totp` on."""
        return self._client.call(_enroll_totp(confirmation))

    def confirm_totp(self, code: str) -> factors.RecoveryCodes:
        """The app's first code. The answer is the only place that shows the recovery codes."""
        return self._client.call(_confirm_totp(code))

    def disable_totp(self, *, confirmation: str | None = None) -> auth.Message:
        """Take the authenticator app away."""
        return self._client.call(_disable_totp(confirmation))

    def new_recovery_codes(self, *, confirmation: str | None = None) -> factors.RecoveryCodes:
        """New recovery codes; the old ones end."""
        return self._client.call(_new_recovery_codes(confirmation))

    def confirm(
        self, action: str, *, password: str | None = None, code: str | None = None, target: str | None = None
    ) -> factors.Confirmation:
        """Proof for `keys`, `money`, `factors`, `identity` or `organization`, good once and for five minutes."""
        return self._client.call(_confirm(action, password=password, code=code, target=target))


class AsyncMfa:
    """The same, asynchronously."""

    def __init__(self, client: AsyncCaller) -> None:
        self._client = client

    async def status(self) -> factors.MfaStatus:
        """Which factors there are."""
        return await self._client.call(_status())

    async def enroll_totp(self, *, confirmation: str | None = None) -> factors.TotpEnrolment:
        """A secret for an authenticator app; it counts from `confirm_totp` on."""
        return await self._client.call(_enroll_totp(confirmation))

    async def confirm_totp(self, code: str) -> factors.RecoveryCodes:
        """The app's first code. The answer is the only place that shows the recovery codes."""
        return await self._client.call(_confirm_totp(code))

    async def disable_totp(self, *, confirmation: str | None = None) -> auth.Message:
        """Take the authenticator app away."""
        return await self._client.call(_disable_totp(confirmation))

    async def new_recovery_codes(self, *, confirmation: str | None = None) -> factors.RecoveryCodes:
        """New recovery codes; the old ones end."""
        return await self._client.call(_new_recovery_codes(confirmation))

    async def confirm(
        self, action: str, *, password: str | None = None, code: str | None = None, target: str | None = None
    ) -> factors.Confirmation:
        """Proof for `keys`, `money`, `factors`, `identity` or `organization`, good once and for five minutes."""
        return await self._client.call(_confirm(action, password=password, code=code, target=target))


def _status() -> Call[factors.MfaStatus]:
    return Call(Request("GET", _MFA), _responses.parse_as(factors.MfaStatus))


def _enroll_totp(confirmation: str | None) -> Call[factors.TotpEnrolment]:
    return _confirmed("POST", f"{_MFA}/totp/enroll", confirmation, factors.TotpEnrolment)


def _confirm_totp(code: str) -> Call[factors.RecoveryCodes]:
    body = msgspec.json.encode(factors.TotpConfirmRequest(code))
    return Call(Request("POST", f"{_MFA}/totp/confirm", body), _responses.parse_as(factors.RecoveryCodes))


def _disable_totp(confirmation: str | None) -> Call[auth.Message]:
    return _confirmed("DELETE", f"{_MFA}/totp", confirmation, auth.Message)


def _new_recovery_codes(confirmation: str | None) -> Call[factors.RecoveryCodes]:
    return _confirmed("POST", f"{_MFA}/recovery-codes", confirmation, factors.RecoveryCodes)


def _confirm(action: str, **proof: str | None) -> Call[factors.Confirmation]:
    given = {name: value for name, value in proof.items() if value is not None}
    body = msgspec.json.encode({"action": action, **given})
    return Call(Request("POST", "/v1/auth/confirm", body), _responses.parse_as(factors.Confirmation))


def _confirmed(method: str, path: str, confirmation: str | None, kind: type[T]) -> Call[T]:
    headers = {CONFIRMATION_HEADER: confirmation} if confirmation else {}
    return Call(Request(method, path, headers=headers), _responses.parse_as(kind))
