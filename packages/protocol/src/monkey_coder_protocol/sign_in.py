"""Signing in with an account elsewhere (`/v1/auth/oauth/{provider}/…`)."""

import msgspec


class SignInBegun(msgspec.Struct, kw_only=True):
    """Where to send the person. `state` comes back with them; it is good once, for `expires_in` seconds."""

    authorization_url: str
    state: str
    expires_in: int
    pkce: bool


class SignInAnswer(msgspec.Struct, kw_only=True):
    """What the provider sent the person back with."""

    code: str
    state: str


class IdentityInfo(msgspec.Struct, kw_only=True):
    """An account elsewhere that opens this one."""

    provider: str
    email: str


class IdentityList(msgspec.Struct):
    """`GET /v1/auth/identities`."""

    identities: list[IdentityInfo]
    providers: list[str]
    """Those people can sign in with here."""
