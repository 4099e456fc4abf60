"""API keys as rows."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, literal_column, null, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage.bounded import refuse_full
from monkey_coder_server.adapters.storage.following import KEYS, change_followed
from monkey_coder_server.adapters.storage.moments import (
    from_micros,
    optional_from_micros,
    optional_to_micros,
    to_micros,
)
from monkey_coder_server.adapters.storage.people import api_keys, memberships, organizations
from monkey_coder_server.adapters.storage.team_tables import projects
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Row, Transaction
from monkey_coder_server.domain.errors import Conflict, Forbidden, NotFound
from monkey_coder_server.domain.limits import Holder, HolderKind
from monkey_coder_server.domain.roles import narrowed
from monkey_coder_server.domain.weights import Weights
from monkey_coder_server.ports.accounts import Caps, FormerSecret, KeyRecord

_FULL = "This account has {} keys in use, which is the most; revoke one first."
_COLUMNS = [column for column in api_keys.columns if column.name != "revision"]
_REVISION = select(func.coalesce(func.max(api_keys.c.revision), literal_column("0")) + literal_column("1"))
_NEXT = _REVISION.scalar_subquery()
_KEY: Select[Any] = select(*_COLUMNS, api_keys.c.revision)
_OWN = (api_keys.c.key_id == bindparam("wanted"), api_keys.c.account_id == bindparam("account"))

_ADD = Query(
    insert_or_not(api_keys)
    .values({column.name: bindparam(column.name) for column in _COLUMNS} | {"revision": _NEXT})
    .on_conflict_do_nothing()
)
_CHANGED = Query(_KEY.where(api_keys.c.revision > bindparam("seen")).order_by(api_keys.c.revision))
_OF_ACCOUNT = Query(
    _KEY.where(api_keys.c.account_id == bindparam("account")).order_by(api_keys.c.created_at, api_keys.c.key_id)
)
_REVOKE = Query(
    update(api_keys)
    .where(*_OWN)
    .values(revoked_at=func.coalesce(api_keys.c.revoked_at, bindparam("at")), revision=_NEXT)
)
_SECRET = ("prefix", "digest", "pepper")
_FORMER = (*[f"former_{name}" for name in _SECRET], "former_until")
_CHANGEABLE = (
    *("name", "models", "cap_day", "cap_month", "cap_total", "rate", "ip_allow", "expires_at"),
    *_SECRET,
    *_FORMER,
)
_CHANGE = Query(
    update(api_keys)
    .where(*_OWN)
    .values({**{name: bindparam(f"new_{name}") for name in _CHANGEABLE}, "revision": _NEXT})
)
_ONE = Query(_KEY.where(*_OWN))
_CAPS = {"day": api_keys.c.cap_day, "month": api_keys.c.cap_month, "total": api_keys.c.cap_total}
_SET_CAP = {
    period: Query(update(api_keys).where(*_OWN).values({cap.name: bindparam("allowed"), "revision": _NEXT}))
    for period, cap in _CAPS.items()
}
_CLEAR_CAP = {
    period: Query(update(api_keys).where(*_OWN, cap.is_not(None)).values({cap.name: null(), "revision": _NEXT}))
    for period, cap in _CAPS.items()
}
_SET_RATE = Query(update(api_keys).where(*_OWN).values(rate=bindparam("allowed"), revision=_NEXT))
_CAPPED = Query(
    select(api_keys.c.key_id).where(
        api_keys.c.account_id == bindparam("account"),
        api_keys.c.revoked_at.is_(None),
        func.coalesce(*_CAPS.values()).is_not(None),
    )
)
_HOW_MANY = Query(
    select(func.count()).where(api_keys.c.account_id == bindparam("account"), api_keys.c.revoked_at.is_(None))
)
_OWNED = Query(select(api_keys.c.key_id).where(*_OWN))
_USED = Query(update(api_keys).where(api_keys.c.key_id == bindparam("wanted")).values(last_used=bindparam("at")))
_STRANGE = Query(
    select(organizations.c.account_id)
    .outerjoin(
        memberships,
        and_(memberships.c.account_id == organizations.c.account_id, memberships.c.user_id == bindparam("user")),
    )
    .where(organizations.c.account_id == bindparam("account"), memberships.c.user_id.is_(None))
)
"""An organization the user is no member of."""
_OF_USER = Query(
    select(api_keys.c.key_id, api_keys.c.scopes).where(
        api_keys.c.account_id == bindparam("account"),
        api_keys.c.user_id == bindparam("user"),
        api_keys.c.revoked_at.is_(None),
    )
)
_GONE = Query(
    select(projects.c.project_id).where(
        projects.c.account_id == bindparam("account"),
        projects.c.project_id == bindparam("named"),
        projects.c.archived_at.is_not(None),
    )
)
_IN_USE = (api_keys.c.account_id == bindparam("account"), api_keys.c.revoked_at.is_(None))
_REVOKE_OF = {
    HolderKind.ORGANIZATION: Query(update(api_keys).where(*_IN_USE).values(revoked_at=bindparam("at"), revision=_NEXT)),
    **{
        kind: Query(
            update(api_keys)
            .where(*_IN_USE, column == bindparam("named"))
            .values(revoked_at=bindparam("at"), revision=_NEXT)
        )
        for kind, column in ((HolderKind.TEAM, api_keys.c.team_id), (HolderKind.PROJECT, api_keys.c.project_id))
    },
}
_NARROW = Query(update(api_keys).where(*_OWN).values(scopes=bindparam("allowed"), revision=_NEXT))


def add(record: KeyRecord, most: int | None, transaction: Transaction) -> None:
    """Store a key. Raises `Forbidden` for whom the organization has lost, `NotFound` for a deleted project.

    Raises `Conflict` when its id or digest is taken, or the account has `most` in use.
    """
    change_followed(transaction, KEYS)
    refuse_full(transaction, _HOW_MANY, {"account": record.account_id}, most=most, told=_FULL)
    if transaction.row(_STRANGE, {"account": record.account_id, "user": record.user_id}) is not None:
        raise Forbidden("The user is no member of this organization, so they can have no key of it.")
    if transaction.row(_GONE, {"account": record.account_id, "named": record.project_id}) is not None:
        raise NotFound("This organization's project of that `project_id` was deleted.")
    if not transaction.change(_ADD, _row(record)):
        raise Conflict("This API key exists already.")


def changed_since(revision: int, transaction: Transaction) -> list[tuple[KeyRecord, int]]:
    """Keys made or changed after a revision, each with its own."""
    return [(_record(row), row[-1]) for row in transaction.rows(_CHANGED, {"seen": revision})]


def of_account(account_id: str, transaction: Transaction) -> list[KeyRecord]:
    """An account's keys, oldest first."""
    return [_record(row) for row in transaction.rows(_OF_ACCOUNT, {"account": account_id})]


def revoke(account_id: str, key_id: str, at: datetime, transaction: Transaction) -> bool:
    """Revoke unless revoked; False when the account has no such key."""
    change_followed(transaction, KEYS)
    own = {"wanted": key_id, "account": account_id, "at": to_micros(at)}
    return bool(transaction.change(_REVOKE, own))


def change(
    account_id: str, key_id: str, edit: Callable[[KeyRecord], KeyRecord], transaction: Transaction
) -> KeyRecord | None:
    """Store what `edit` makes of a key; None when the account has no such key."""
    change_followed(transaction, KEYS)
    own = {"wanted": key_id, "account": account_id}
    row = transaction.row(_ONE, own)
    if row is None:
        return None
    edited = edit(_record(row))
    stored = _row(edited)
    transaction.change(_CHANGE, {**own, **{f"new_{name}": stored[name] for name in _CHANGEABLE}})
    return edited


def revoke_of(transaction: Transaction, account_id: str, holder: Holder, at: datetime) -> int:
    """Revoke every key of an organization, or of a team or project of it; how many were in use."""
    change_followed(transaction, KEYS)
    whose: Parameters = {"account": account_id, "at": to_micros(at)}
    if holder.kind is not HolderKind.ORGANIZATION:
        whose = {**whose, "named": holder.id}
    return transaction.change(_REVOKE_OF[holder.kind], whose)


def narrow(transaction: Transaction, account_id: str, user_id: str, allowed: frozenset[str], at: datetime) -> None:
    """Take from a user's keys what is not allowed any more; one that could do nothing at all is revoked."""
    change_followed(transaction, KEYS)
    for key_id, scopes in transaction.rows(_OF_USER, {"account": account_id, "user": user_id}):
        held = frozenset(json.loads(scopes))
        left, own = narrowed(held, allowed), {"wanted": key_id, "account": account_id}
        if not left:
            transaction.change(_REVOKE, own | {"at": to_micros(at)})
        elif left != held:
            transaction.change(_NARROW, own | {"allowed": json.dumps(sorted(left))})


def belongs(transaction: Transaction, account_id: str, key_id: str) -> bool:
    """Whether the account has the key, revoked or not."""
    return transaction.row(_OWNED, {"wanted": key_id, "account": account_id}) is not None


def set_cap(transaction: Transaction, account_id: str, key_id: str, period: str, allowed: int) -> None:
    """Store one cap of a key: `day`, `month` or `total`."""
    change_followed(transaction, KEYS)
    transaction.change(_SET_CAP[period], {"wanted": key_id, "account": account_id, "allowed": allowed})


def clear_cap(transaction: Transaction, account_id: str, key_id: str, period: str) -> bool:
    """Take one cap of a key back; False when there is none."""
    change_followed(transaction, KEYS)
    return bool(transaction.change(_CLEAR_CAP[period], {"wanted": key_id, "account": account_id}))


def set_rate(transaction: Transaction, account_id: str, key_id: str, allowed: int | None) -> None:
    """Store what a key may ask in a minute; None leaves it to the usual."""
    change_followed(transaction, KEYS)
    transaction.change(_SET_RATE, {"wanted": key_id, "account": account_id, "allowed": allowed})


def capped(transaction: Transaction, account_id: str) -> list[str]:
    """The keys in use that have caps."""
    return [row[0] for row in transaction.rows(_CAPPED, {"account": account_id})]


def note_uses(uses: dict[str, datetime], transaction: Transaction) -> None:
    """Write when keys were last used."""
    for key_id, at in sorted(uses.items()):
        transaction.change(_USED, {"wanted": key_id, "at": to_micros(at)})


def _list(names: tuple[str, ...] | None) -> str | None:
    return None if names is None else json.dumps(names)


def _tuple(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(json.loads(text))


def _percentages(weights: Weights | None) -> str | None:
    return None if weights is None else json.dumps([weights.quality, weights.cost, weights.latency])


def _weights(text: str | None) -> Weights | None:
    return None if text is None else Weights(*json.loads(text))


def _row(record: KeyRecord) -> Parameters:
    return {
        "key_id": record.key_id,
        "account_id": record.account_id,
        "user_id": record.user_id,
        "name": record.name,
        "prefix": record.prefix,
        "digest": record.digest,
        "scopes": json.dumps(sorted(record.scopes)),
        "models": _list(record.models),
        "cap_day": record.caps.day,
        "cap_month": record.caps.month,
        "cap_total": record.caps.total,
        "rate": record.rate,
        "ip_allow": _list(record.ip_allow),
        "created_at": to_micros(record.created_at),
        "expires_at": optional_to_micros(record.expires_at),
        "revoked_at": optional_to_micros(record.revoked_at),
        "last_used": optional_to_micros(record.last_used),
        "project_id": record.project_id,
        "collapse": record.collapse,
        "weights": _percentages(record.weights),
        "pepper": record.pepper or None,
        "team_id": record.team_id,
        **_former(record.former),
    }


def _former(secret: FormerSecret | None) -> Parameters:
    if secret is None:
        return dict.fromkeys(_FORMER)
    kept = (secret.prefix, secret.digest, secret.pepper or None, to_micros(secret.until))
    return dict(zip(_FORMER, kept, strict=True))


def _record(row: Row) -> KeyRecord:
    named = dict(zip(_NAMES, row, strict=True))
    return KeyRecord(
        key_id=named["key_id"],
        account_id=named["account_id"],
        user_id=named["user_id"],
        name=named["name"],
        prefix=named["prefix"],
        digest=named["digest"],
        scopes=frozenset(json.loads(named["scopes"])),
        created_at=from_micros(named["created_at"]),
        models=_tuple(named["models"]),
        caps=Caps(named["cap_day"], named["cap_month"], named["cap_total"]),
        rate=named["rate"],
        ip_allow=_tuple(named["ip_allow"]),
        expires_at=optional_from_micros(named["expires_at"]),
        revoked_at=optional_from_micros(named["revoked_at"]),
        last_used=optional_from_micros(named["last_used"]),
        project_id=named["project_id"],
        collapse=named["collapse"],
        weights=_weights(named["weights"]),
        pepper=named["pepper"] or "",
        team_id=named["team_id"],
        former=_read_former([named[name] for name in _FORMER]),
    )


def _read_former(kept: Sequence[Any]) -> FormerSecret | None:
    prefix, digest, pepper, until = kept
    return None if digest is None else FormerSecret(prefix, bytes(digest), pepper or "", from_micros(until))


_NAMES = [column.name for column in _COLUMNS] + ["revision"]
