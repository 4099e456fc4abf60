"""A new secret for a key. The old one ends at once, or after a time in which both are good.

It stays one key: whatever it may spend, its two secrets spend together, and what was spent before counts on.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from monkey_coder_server.domain.errors import Conflict, InvalidRequest, NotFound
from monkey_coder_server.features.accounts import key_caps, key_rates
from monkey_coder_server.features.accounts.dependencies import Dependencies, FreshKey
from monkey_coder_server.features.accounts.keys import Made, refuse_more_rights
from monkey_coder_server.features.accounts.limits import limits_of
from monkey_coder_server.features.accounts.rights import refuse_beyond, role_of, seen_key
from monkey_coder_server.ports.accounts import FormerSecret, KeyRecord
from monkey_coder_server.web.audited import entry_of
from monkey_coder_server.web.request import Request

LONGEST_GRACE_HOURS = 168
_NOT_IN_USE = "This account has no key of that id in use; GET /v1/keys lists them."


async def rotate_key(use: Dependencies, request: Request, key_id: str, *, grace_hours: int = 0) -> Made:
    """The same key with a new secret; of many who rotate it at once, one does.

    Raises `InvalidRequest`, `Forbidden`, `NotFound`, `Conflict` for the others.
    """
    if not 0 <= grace_hours <= LONGEST_GRACE_HOURS:
        message = f"The field `grace_hours` must be from 0 to {LONGEST_GRACE_HOURS}."
        raise InvalidRequest(message)
    principal = request.principal
    old = await seen_key(use, principal, key_id)
    if old.revoked_at is not None:
        raise NotFound(_NOT_IN_USE)
    refuse_beyond(await role_of(use, principal), old.scopes)
    await refuse_more_rights(use, principal, old.scopes)
    fresh, now = use.mint_key(), use.clock.now()
    until = now + timedelta(hours=grace_hours)
    new = await use.keys.change(principal.account_id, key_id, lambda key: _turned(key, old.digest, fresh, until))
    if new is None:
        raise NotFound(_NOT_IN_USE)
    ends = f"within {grace_hours} hours" if grace_hours else "at once"
    told = f"{old.prefix} became {new.prefix} and ends {ends}"
    await use.audit.record(entry_of(request, "key.rotate", target=key_id, at=now, details=told))
    rates = key_rates.others_among(await use.rates.rules(principal.account_id), key_id)
    return Made(new, fresh.secret, key_caps.tokens_among(await limits_of(use, new)), rates)


async def end_former(use: Dependencies, key: KeyRecord, at: datetime) -> None:
    """End the former secret of a key, which stays good with its new one."""
    await use.keys.change(key.account_id, key.key_id, lambda record: _without(record, key.digest, at))


def _turned(key: KeyRecord, expected: bytes, fresh: FreshKey, until: datetime) -> KeyRecord:
    if key.revoked_at is not None:
        raise NotFound(_NOT_IN_USE)
    if key.digest != expected:
        raise Conflict("This key was given another secret in this moment: use that one, or rotate it again.")
    former = FormerSecret(key.prefix, key.digest, key.pepper, until)
    return replace(key, prefix=fresh.prefix, digest=fresh.digest, pepper=fresh.pepper, former=former)


def _without(key: KeyRecord, digest: bytes, at: datetime) -> KeyRecord:
    former = key.former
    if former is None or former.digest != digest or former.until <= at:
        return key
    return replace(key, former=replace(former, until=at))
