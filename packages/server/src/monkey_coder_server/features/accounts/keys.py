"""API keys: make, list, revoke; `key_care` has what is done to them later."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from monkey_coder_protocol.auth import CreatedKey, CreateKeyRequest, KeyInfo
from monkey_coder_protocol.execute import RoutingWeights
from monkey_coder_server.domain.errors import Forbidden, NotFound
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, Period, Unit
from monkey_coder_server.domain.native_apps import shown_name
from monkey_coder_server.domain.rates import Measure
from monkey_coder_server.domain.scopes import covers
from monkey_coder_server.features.accounts import key_caps, key_rates
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.key_checks import (
    checked_collapse,
    checked_list,
    checked_name,
    checked_networks,
    checked_number,
    checked_scopes,
    checked_weights,
)
from monkey_coder_server.features.accounts.limits import checked_project, limits_of
from monkey_coder_server.features.accounts.organizations.holders import place_of
from monkey_coder_server.features.accounts.rights import granted, seen_key, seen_keys
from monkey_coder_server.ports.accounts import AuditEntry, Caps, KeyRecord, User
from monkey_coder_server.web.audited import entry_of
from monkey_coder_server.web.principal import Principal
from monkey_coder_server.web.request import Request, agent_of

CLI_KEY_NAME = "cli login"
"""The key of a command line that did not say which computer it runs on."""
_CLI_KEY_OF_HOST = "cli on "
MOST_CLI_KEYS = 20
"""Keys that log-ins of a command line made; the oldest is revoked when one more is made."""
MOST_KEYS = 200
LONGEST_LIFE_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Made:
    """A stored key with its secret, which nothing else keeps, its caps on tokens and its rates beside requests."""

    record: KeyRecord
    secret: str
    tokens: Mapping[Period, int]
    rates: Mapping[Measure, int]


async def make_key(
    use: Dependencies, *, account_id: str, user_id: str, wish: CreateKeyRequest, request: Request | None = None
) -> Made:
    """Store a key as wished; the audit trail tells of the request that asked for it.

    Raises `InvalidRequest`, `Conflict` at the most keys an account can have.
    """
    project_id, team_id = await place_of(use, account_id, checked_project(wish.project_id))
    fresh = use.mint_key()
    now = use.clock.now()
    record = KeyRecord(
        key_id=use.ids.new("key"),
        account_id=account_id,
        user_id=user_id,
        name=checked_name(wish.name),
        prefix=fresh.prefix,
        digest=fresh.digest,
        pepper=fresh.pepper,
        scopes=checked_scopes(wish.scopes),
        created_at=now,
        models=checked_list("models", wish.models),
        caps=key_caps.money_of(wish.caps),
        rate=key_rates.requests_of(wish.rate),
        ip_allow=checked_networks(wish.ip_allow),
        expires_at=None,
        project_id=project_id,
        team_id=team_id,
        collapse=checked_collapse(wish.collapse),
        weights=checked_weights(wish.weights),
    )
    days = checked_number("expires_days", wish.expires_days, most=LONGEST_LIFE_DAYS)
    if days is not None:
        record = replace(record, expires_at=now + timedelta(days=days))
    made = Made(record, fresh.secret, key_caps.tokens_of(wish.caps), key_rates.others_of(wish.rate))
    await use.keys.create(record, most=MOST_KEYS)
    await use.audit.record(entry_on(record, "key.create", request))
    holder = Holder(HolderKind.KEY, record.key_id)
    for period, tokens in made.tokens.items():
        await use.limits.put(account_id, Limit(holder, period, Unit.TOKENS, tokens), now)
    if made.rates:
        await key_rates.put_others(use, account_id, record.key_id, made.rates)
    return made


async def make_wished(use: Dependencies, request: Request, wish: CreateKeyRequest) -> Made:
    """A key for the caller, or for a service account of theirs, with no more rights than they have.

    Raises `InvalidRequest`, `Forbidden`, `NotFound`, `Conflict`.
    """
    principal = request.principal
    user_id, scopes = await granted(use, principal, wish)
    await refuse_more_rights(use, principal, frozenset(scopes))
    wish.scopes = scopes
    return await make_key(use, account_id=principal.account_id, user_id=user_id, wish=wish, request=request)


async def make_cli_key(use: Dependencies, request: Request, user: User, host: str | None = None) -> Made:
    """The long-lived key of a command line that just logged in; the oldest of too many such keys is revoked."""
    await _end_oldest(use, request, user, but=MOST_CLI_KEYS - 1)
    named = shown_name(host)
    wish = CreateKeyRequest(name=f"{_CLI_KEY_OF_HOST}{named}" if named else CLI_KEY_NAME)
    made = await make_key(use, account_id=user.account_id, user_id=user.user_id, wish=wish, request=request)
    await _end_oldest(use, request, user, but=MOST_CLI_KEYS)  # others may have logged in meanwhile
    return made


async def _end_oldest(use: Dependencies, request: Request, user: User, *, but: int) -> None:
    """Revoke the oldest keys that log-ins made, but for the newest so many."""
    mine = [key for key in await use.keys.list(user.account_id) if made_by_login(key) and key.revoked_at is None]
    for oldest in mine[: max(0, len(mine) - but)]:
        now = use.clock.now()
        await use.keys.revoke(user.account_id, oldest.key_id, now)
        entry = replace(entry_on(oldest, "key.revoke", request), at=now, details="the oldest of too many")
        await use.audit.record(entry)


def made_by_login(key: KeyRecord) -> bool:
    """Whether a log-in of a command line made this key."""
    return key.name == CLI_KEY_NAME or key.name.startswith(_CLI_KEY_OF_HOST)


async def revoke_key(use: Dependencies, request: Request, key_id: str) -> None:
    """Revoke a key that is the caller's to manage, at once. Raises `NotFound`."""
    await seen_key(use, request.principal, key_id)
    now = use.clock.now()
    if not await use.keys.revoke(request.principal.account_id, key_id, now):
        raise NotFound("This account has no key of that id; GET /v1/keys lists them.")
    await use.audit.record(entry_of(request, "key.revoke", target=key_id, at=now))


async def refuse_more_rights(use: Dependencies, principal: Principal, wanted: frozenset[str]) -> None:
    """A key never makes a key that may do more than itself. Raises `Forbidden`."""
    key = principal.key
    if key is None:
        return
    ruled = key.models is not None or any(rule.holder.kind is HolderKind.KEY for rule in principal.rules)
    if ruled or key.rate is not None or key.ip_allow is not None or key.expires_at is not None:
        raise Forbidden("A key with restrictions cannot make keys; use an unrestricted one or log in.")
    if any(rule.holder == Holder(HolderKind.KEY, key.key_id) for rule in use.rates.standing(key.account_id)):
        raise Forbidden("A key with rates of its own cannot make keys; use one without or log in.")
    if key.caps != Caps() or key.project_id is not None or await limits_of(use, key):
        raise Forbidden("A key with spending limits or of a project cannot make keys; use one without or log in.")
    missing = [scope for scope in wanted if not covers(key.scopes, scope)]
    if missing:
        message = f"This key lacks the scope `{min(missing)}`, so it cannot give it to another key."
        raise Forbidden(message)


async def list_keys(use: Dependencies, principal: Principal) -> list[KeyInfo]:
    """The keys that are the caller's to manage, without their secrets, revoked ones included, for the wire."""
    standings = await use.limits.standings(principal.account_id, use.clock.now())
    limits: defaultdict[Holder, list[Limit]] = defaultdict(list)
    for standing in standings:
        limits[standing.limit.holder].append(standing.limit)
    rates = await use.rates.rules(principal.account_id)
    return [
        KeyInfo(
            **_shown(
                record,
                key_status(record, use),
                key_caps.tokens_among(limits[Holder(HolderKind.KEY, record.key_id)]),
                key_rates.others_among(rates, record.key_id),
            )
        )
        for record in await seen_keys(use, principal)
    ]


def shown_key(made: Made, use: Dependencies) -> KeyInfo:
    """A key without its secret, for the wire."""
    return KeyInfo(**_shown(made.record, key_status(made.record, use), made.tokens, made.rates))


def created_key(made: Made) -> CreatedKey:
    """A key with its secret, for the one answer that shows it."""
    return CreatedKey(key=made.secret, **_shown(made.record, "active", made.tokens, made.rates))


def key_status(record: KeyRecord, use: Dependencies) -> str:
    """`active`, `revoked` or `expired`."""
    if record.revoked_at is not None:
        return "revoked"
    expired = record.expires_at is not None and record.expires_at <= use.clock.now()
    return "expired" if expired else "active"


def entry_on(record: KeyRecord, action: str, request: Request | None) -> AuditEntry:
    """An entry of the audit trail on a key as it was made, by a request's caller, else by who owns it."""
    if request is not None and not request.principal.anonymous:
        return entry_of(request, action, target=record.key_id, at=record.created_at, details=record.name)
    return AuditEntry(
        record.user_id,
        action,
        target=record.key_id,
        at=record.created_at,
        account_id=record.account_id,
        details=record.name,
        address="" if request is None else request.client_ip,
        agent="" if request is None else agent_of(request),
    )


def _shown(
    record: KeyRecord, status: str, tokens: Mapping[Period, int], rates: Mapping[Measure, int]
) -> dict[str, Any]:
    return {
        "key_id": record.key_id,
        "user_id": record.user_id,
        "name": record.name,
        "prefix": record.prefix,
        "status": status,
        "created_at": record.created_at.isoformat(),
        "expires_at": record.expires_at.isoformat() if record.expires_at else None,
        "former_until": record.former.until.isoformat() if record.former else None,
        "last_used": record.last_used.isoformat() if record.last_used else None,
        "scopes": sorted(record.scopes),
        "models": list(record.models) if record.models is not None else None,
        "caps": key_caps.shown(record.caps, tokens),
        "rate": key_rates.shown(record.rate, rates),
        "ip_allow": list(record.ip_allow) if record.ip_allow is not None else None,
        "project_id": record.project_id,
        "collapse": record.collapse,
        "weights": None if record.weights is None else RoutingWeights(**record.weights.shown()),
    }
