"""Second factors and confirmations (`/v1/auth/mfa/*`, `/v1/auth/confirm`)."""

from typing import Any

import msgspec


class MfaRequired(msgspec.Struct, kw_only=True):
    """What log-in answers when a second factor must follow; `methods` are some of `totp`, `passkey`, `recovery_code`.

    `mfa_token` is good for `POST /v1/auth/mfa/verify` during `expires_in` seconds.
    """

    mfa_required: bool
    mfa_token: str
    methods: list[str]
    expires_in: int


class MfaVerifyRequest(msgspec.Struct, kw_only=True):
    """The second step of a log-in: `code` is a one-time code or a recovery code, `passkey` a browser's answer."""

    mfa_token: str
    code: str | None = None
    passkey: dict[str, Any] | None = None


class TotpEnrolment(msgspec.Struct, kw_only=True):
    """What an authenticator app is given: the URI as a QR code, or the secret (base32) typed in. Shown once."""

    secret: str
    otpauth_uri: str


class TotpConfirmRequest(msgspec.Struct):
    """The first code the app shows: it proves that the app has the secret."""

    code: str


class RecoveryCodes(msgspec.Struct):
    """Each is good once in place of a second factor. This answer is the only place that shows them."""

    recovery_codes: list[str]


class PasskeyInfo(msgspec.Struct, kw_only=True):
    """A passkey of the caller; times RFC 3339 UTC."""

    passkey_id: str
    name: str
    created_at: str
    last_used: str | None


class AddedPasskey(msgspec.Struct, kw_only=True):
    """A new passkey. `recovery_codes` are shown here only; empty when the caller has some from an earlier factor."""

    passkey: PasskeyInfo
    recovery_codes: list[str]


class PasskeyList(msgspec.Struct):
    """`GET /v1/auth/mfa/passkeys`."""

    passkeys: list[PasskeyInfo]
    count: int


class PasskeyRegistration(msgspec.Struct, kw_only=True):
    """A browser's answer to `options`: what `PublicKeyCredential.toJSON()` gives. `name` is for the caller's list."""

    credential: dict[str, Any]
    name: str | None = None


class PasskeyName(msgspec.Struct):
    """Another name for a passkey."""

    name: str


class PasskeyOptions(msgspec.Struct, kw_only=True):
    """`options` for `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`."""

    options: dict[str, Any]
    expires_in: int


class MfaTokenRequest(msgspec.Struct):
    """Whose passkeys are asked for: who has the token from a log-in."""

    mfa_token: str


class PasskeyLogin(msgspec.Struct, kw_only=True):
    """A log-in by passkey alone; `client: "cli"` asks for a long-lived key too, `host` names the computer it is for."""

    credential: dict[str, Any]
    client: str | None = None
    host: str | None = None


class MfaStatus(msgspec.Struct, kw_only=True):
    """The caller's factors. `verified`: one of them was proved in this session."""

    required: bool
    totp: bool
    passkeys: int
    recovery_codes_left: int
    verified: bool


class ConfirmRequest(msgspec.Struct, kw_only=True):
    """Proof for one `action`: `keys`, `money`, `factors`, `identity`, `organization` or `operator`.

    With `target`, an id in its path, it is only for that.
    `passkey` alone, or `password` and, from who has a second factor, `code` (one-time or recovery code).
    """

    action: str
    target: str | None = None
    password: str | None = None
    code: str | None = None
    passkey: dict[str, Any] | None = None


class ConfirmOptionsRequest(msgspec.Struct):
    """For which action a passkey is to prove who its owner is."""

    action: str


class Confirmation(msgspec.Struct, kw_only=True):
    """To be sent once, in the header `x-mk-confirmation`, with the action it is for."""

    confirmation: str
    action: str
    expires_in: int
