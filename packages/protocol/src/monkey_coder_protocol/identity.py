"""What people do with their address, their password and their sessions (`/v1/auth/email|password|sessions`)."""

import msgspec


class AddressRequest(msgspec.Struct, kw_only=True):
    """An e-mail address to write to. The answer is the same whether somebody has an account with it or not."""

    email: str


class TokenRequest(msgspec.Struct, kw_only=True):
    """`token` as it came by mail; each is good for one use."""

    token: str


class ChangeEmailRequest(msgspec.Struct, kw_only=True):
    """`email` is the new address, which counts once the mail that goes there is answered."""

    email: str
    password: str


class ResetPasswordRequest(msgspec.Struct, kw_only=True):
    """`token` as it came by mail; it stays good when `new_password` is refused."""

    token: str
    new_password: str


class ChangePasswordRequest(msgspec.Struct, kw_only=True):
    """The new password ends every other session."""

    current_password: str
    new_password: str


class Done(msgspec.Struct, kw_only=True):
    """`status` is for programs and stays the same, `message` for people."""

    status: str
    message: str


class SessionInfo(msgspec.Struct, kw_only=True):
    """One log-in; times RFC 3339 UTC. `address` and `agent` are of the log-in, `current` is the caller's own."""

    session_id: str
    current: bool
    created_at: str | None
    confirmed_at: str | None
    expires_at: str
    second_factor: bool
    address: str
    agent: str


class SessionList(msgspec.Struct):
    """`GET /v1/auth/sessions`: those that have not ended, newest first."""

    sessions: list[SessionInfo]
    count: int


class EndSessionsRequest(msgspec.Struct, kw_only=True):
    """`this_one` false keeps the session that asks."""

    this_one: bool = True


class EndedSessions(msgspec.Struct, kw_only=True):
    """How many sessions were ended."""

    message: str
    ended: int
