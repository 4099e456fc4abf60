"""What people who run the gateway do (`/v1/operator/*`). Times are RFC 3339 UTC, amounts decimal strings in USD."""

import msgspec

from monkey_coder_protocol.billing import LimitStanding


class AccountPerson(msgspec.Struct, kw_only=True):
    """Somebody of an account. `role` is what they are in it; a service account has keys and no log-in."""

    user_id: str
    email: str
    name: str
    role: str
    plan: str
    email_verified: bool
    second_factor: bool
    service_account: bool
    created_at: str


class AccountView(msgspec.Struct, kw_only=True):
    """An account as operators see it: no secret, no prompt. `name` is null unless it is an organization's."""

    account_id: str
    name: str | None
    balance_usd: str
    held_usd: str
    keys_in_use: int
    people: list[AccountPerson]
    limits: list[LimitStanding]


class AccountViews(msgspec.Struct):
    """`GET /v1/operator/accounts?email=…`: a person's own account, then the organizations they belong to."""

    accounts: list[AccountView]
    count: int


class ActRequest(msgspec.Struct, kw_only=True):
    """Whose place to take, why, and for how many minutes (1 to 15). The person reads the `reason`."""

    email: str
    reason: str
    minutes: int = 10


class ActingToken(msgspec.Struct, kw_only=True):
    """A token that sees what the person sees and changes nothing, until `expires_at`. There is no other after it."""

    access_token: str
    expires_at: str
    session_id: str
    user_id: str
    account_id: str


class AppointRequest(msgspec.Struct, kw_only=True):
    """A role for a person: `support`, `billing` or `admin`."""

    email: str
    role: str
    reason: str


class OperatorInfo(msgspec.Struct, kw_only=True):
    """A person in a role. `given_by` is `operator` for the command line, else `operator:` and a user's id."""

    user_id: str
    email: str
    role: str
    given_by: str
    given_at: str


class OperatorList(msgspec.Struct):
    """`GET /v1/operator/operators`."""

    operators: list[OperatorInfo]
    count: int


class GiveCredit(msgspec.Struct, kw_only=True):
    """Credit for an account. `kind` is `promo`, `trial` or `purchase`; the lowest `priority` is spent first.

    Without `expires_days` it never expires.
    """

    amount_usd: str
    reason: str
    kind: str = "promo"
    priority: int = 100
    expires_days: int | None = None


class CreditGrant(msgspec.Struct, kw_only=True):
    """Credit that was given, and what remains of it. `expires_at` null: never."""

    grant_id: str
    kind: str
    priority: int
    amount_usd: str
    remaining_usd: str
    given_at: str
    expires_at: str | None


class CreditGrants(msgspec.Struct):
    """`GET /v1/operator/accounts/{account_id}/grants`, in the order they are spent in."""

    grants: list[CreditGrant]
    count: int


class GiveBack(msgspec.Struct, kw_only=True):
    """What is undone: the charge of `request_id`, or the grant `grant_id`, whole or in part."""

    amount_usd: str
    reason: str
    request_id: str | None = None
    grant_id: str | None = None


class MovedMoney(msgspec.Struct, kw_only=True):
    """What was booked, under which id, and the balance after it."""

    id: str
    amount_usd: str
    balance_usd: str
