"""A new secret for a key. The old one ends at once, or after a time in which both are good."""

from dataclasses import replace
from datetime import datetime, timedelta

from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.features.accounts import key_caps
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.keys import Made, entry_on, refuse_more_rights
from monkey_coder_server.features.accounts.limits import inherit, limits_of
from monkey_coder_server.features.accounts.rights import refuse_beyond, role_of, seen_key
from monkey_coder_server.ports.accounts import KeyRecord
from monkey_coder_server.web.request import Request

LONGEST_GRACE_HOURS = 168


async def rotate_key(use: Dependencies, request: Request, key_id: str, *, grace_hours: int = 0) -> Made:
    """A key with the same rights; the old one is revoked once it is stored, or expires after the grace.

    Raises `InvalidRequest`, `Forbidden`, `NotFound`.
    """
    if not 0 <= grace_hours <= LONGEST_GRACE_HOURS:
        message = f"The field `grace_hours` must be from 0 to {LONGEST_GRACE_HOURS}."
        raise InvalidRequest(message)
    principal = request.principal
    old = await seen_key(use, principal, key_id)
    if old.revoked_at is not None:
        raise NotFound("This account has no key of that id in use; GET /v1/keys lists them.")
    refuse_beyond(await role_of(use, principal), old.scopes)
    await refuse_more_rights(use, principal, old.scopes)
    fresh, now = use.mint_key(), use.clock.now()
    record = replace(
        old,
        key_id=use.ids.new("key"),
        prefix=fresh.prefix,
        digest=fresh.digest,
        pepper=fresh.pepper,
        created_at=now,
        last_used=None,
    )
    tokens = key_caps.tokens_among(await limits_of(use, old))
    await use.keys.create(record)
    await inherit(use, old, record)
    ends = "at once"
    if grace_hours:
        until = now + timedelta(hours=grace_hours)
        await use.keys.change(principal.account_id, key_id, lambda key: _ending(key, until))
        ends = f"within {grace_hours} hours"
    else:
        await use.keys.revoke(principal.account_id, key_id, now)
    told = f"{key_id} became {record.key_id} and ends {ends}"
    await use.audit.record(replace(entry_on(record, "key.rotate", request), details=told))
    return Made(record, fresh.secret, tokens)


def _ending(key: KeyRecord, until: datetime) -> KeyRecord:
    """Expiring then, or when it would have anyway."""
    return replace(key, expires_at=until if key.expires_at is None else min(until, key.expires_at))
