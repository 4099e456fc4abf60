"""Accounts, sessions and API keys (`/v1/auth/*`, `/v1/keys`)."""

import msgspec

from monkey_coder_protocol.execute import RoutingWeights


class RegisterRequest(msgspec.Struct, kw_only=True):
    """A new account with a wallet. `plan` names a price plan; it never grants a role or credit by itself."""

    email: str
    password: str
    name: str | None = None
    plan: str | None = None


class LoginRequest(msgspec.Struct, kw_only=True):
    """`client: "cli"` asks for a long-lived key beside the session tokens; `host` names the computer it is for."""

    email: str
    password: str
    client: str | None = None
    host: str | None = None


class RefreshRequest(msgspec.Struct):
    """`refresh_token` as the last login or refresh gave it; each is good for one use."""

    refresh_token: str


class UserInfo(msgspec.Struct, kw_only=True):
    """`credits` is whole US cents (published CLIs divide by 100); `credit_usd` is the exact balance."""

    id: str
    email: str
    name: str
    credits: int
    credit_usd: str
    subscription_tier: str
    is_developer: bool
    roles: list[str]


class TokenResponse(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What register, login and refresh answer. `api_key` only for a client that calls itself `cli`."""

    access_token: str
    refresh_token: str
    token_type: str = msgspec.field(default="bearer")
    expires_at: str | msgspec.UnsetType = msgspec.UNSET
    user: UserInfo | msgspec.UnsetType = msgspec.UNSET
    api_key: str | msgspec.UnsetType = msgspec.UNSET


class AuthStatus(msgspec.Struct, kw_only=True):
    """Anonymous callers get `authenticated: false`, never an error."""

    authenticated: bool
    user: UserInfo | None = None
    session_expires: str | None = None


class KeyCaps(msgspec.Struct, omit_defaults=True):
    """Spending caps of one key per UTC day, per UTC month and in total: USD as decimal strings, tokens as numbers."""

    day_usd: str | None = None
    month_usd: str | None = None
    total_usd: str | None = None
    day_tokens: int | None = None
    month_tokens: int | None = None
    total_tokens: int | None = None


class KeyRate(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What one key may ask: requests and tokens a minute, and requests at once. What is left out is not limited here.

    A key without a rate in requests has the gateway's usual one.
    """

    requests: int | None = None
    tokens: int | None = None
    concurrency: int | None = None


class CreateKeyRequest(msgspec.Struct, kw_only=True):
    """All but `name`, `collapse` and `weights` restrict the key; left out they mean no restriction.

    `rate` as a number is requests a minute. `project_id` puts the key under the limits of a project. `collapse` is how
    several models are asked for one answer where a request of this key says nothing of it: one of the words of
    `collapse_strategy`. `weights` count for the choice of a model where a request names none. `service_account` is the
    id of one of the organization that the key is for; scopes left out are all that its user may have.
    """

    name: str
    scopes: list[str] | None = None
    models: list[str] | None = None
    caps: KeyCaps | None = None
    rate: int | KeyRate | None = None
    ip_allow: list[str] | None = None
    expires_days: int | None = None
    project_id: str | None = None
    collapse: str | None = None
    weights: RoutingWeights | None = None
    service_account: str | None = None


class UpdateKeyRequest(msgspec.Struct, kw_only=True):
    """What a key is to be. What is not sent stays, null takes a restriction back; `caps` replaces all caps.

    `rate` replaces all rates; as a number it is requests a minute.
    """

    name: str | msgspec.UnsetType = msgspec.UNSET
    models: list[str] | msgspec.UnsetType | None = msgspec.UNSET
    caps: KeyCaps | msgspec.UnsetType | None = msgspec.UNSET
    rate: int | KeyRate | msgspec.UnsetType | None = msgspec.UNSET
    ip_allow: list[str] | msgspec.UnsetType | None = msgspec.UNSET


class RotateKeyRequest(msgspec.Struct, kw_only=True):
    """For so many hours the old secret stays good beside the new one; 0 ends it at once."""

    grace_hours: int = 0


class LeakedKey(msgspec.Struct, kw_only=True):
    """A key somebody found: `key`, or `token` as GitHub's secret scanning calls it; `url` is where."""

    key: str = ""
    token: str = ""
    url: str = ""


class KeyInfo(msgspec.Struct, kw_only=True):
    """A key without its secret; times RFC 3339 UTC; `rate` in requests a minute, `weights` in percent.

    `rate` is an object where tokens, or requests at once, are limited too.

    `user_id` is whose it is; `former_until` is when the secret before the newest ends, or ended.
    """

    key_id: str
    name: str
    prefix: str
    status: str
    created_at: str
    expires_at: str | None
    last_used: str | None
    scopes: list[str]
    models: list[str] | None
    caps: KeyCaps | None
    rate: int | KeyRate | None = None
    ip_allow: list[str] | None = None
    project_id: str | None = None
    collapse: str | None = None
    weights: RoutingWeights | None = None
    user_id: str | None = None
    former_until: str | None = None


class CreatedKey(KeyInfo, kw_only=True):
    """The answer to a creation: the only time `key` is shown."""

    key: str


class KeyList(msgspec.Struct):
    """`GET /v1/keys`."""

    keys: list[KeyInfo]
    count: int


class Message(msgspec.Struct):
    """A plain acknowledgement."""

    message: str
