"""Change what a key may do. Lowered bounds bind within ten seconds, whichever process serves it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from monkey_coder_protocol.auth import KeyCaps, UpdateKeyRequest
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, Period, Unit
from monkey_coder_server.features.accounts import key_caps, key_rates
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.key_checks import (
    checked_list,
    checked_name,
    checked_networks,
)
from monkey_coder_server.features.accounts.keys import Made, refuse_more_rights
from monkey_coder_server.features.accounts.limits import limits_of
from monkey_coder_server.features.accounts.rights import refuse_beyond, role_of, seen_key
from monkey_coder_server.ports.accounts import KeyRecord
from monkey_coder_server.web.audited import entry_of
from monkey_coder_server.web.request import Request


class KeyChange(UpdateKeyRequest, kw_only=True):
    """As it is read: caps of an unknown name are refused."""

    caps: key_caps.WantedCaps | msgspec.UnsetType | None = msgspec.UNSET


async def change_key(use: Dependencies, request: Request, key_id: str, wish: KeyChange) -> Made:
    """Change the fields that were sent. Raises `InvalidRequest`, `Forbidden`, `NotFound`."""
    principal = request.principal
    old = await seen_key(use, principal, key_id)
    if old.revoked_at is not None:
        raise NotFound("This account has no key of that id in use; GET /v1/keys lists them.")
    refuse_beyond(await role_of(use, principal), old.scopes)
    await refuse_more_rights(use, principal, old.scopes)
    fields = _checked(wish)
    new = await use.keys.change(principal.account_id, key_id, lambda record: replace(record, **fields))
    if new is None:
        raise NotFound("This account has no key of that id in use; GET /v1/keys lists them.")
    if wish.caps is not msgspec.UNSET:
        await _cap_tokens(use, new, key_caps.tokens_of(wish.caps))
    if wish.rate is not msgspec.UNSET:
        await key_rates.put_others(use, principal.account_id, key_id, key_rates.others_of(wish.rate))
    await use.recall(principal.account_id)
    told = ", ".join(sorted(_sent(wish)))
    await use.audit.record(
        entry_of(request, "key.change", target=key_id, at=use.clock.now(), details=f"{told}; {_bounds(new)}")
    )
    rates = key_rates.others_among(await use.rates.rules(principal.account_id), key_id)
    return Made(new, "", key_caps.tokens_among(await limits_of(use, new)), rates)


def _sent(wish: KeyChange) -> set[str]:
    return {name for name, value in msgspec.structs.asdict(wish).items() if value is not msgspec.UNSET}


def _checked(wish: KeyChange) -> dict[str, Any]:
    """The fields of a record that change, as they will be kept. Raises `InvalidRequest`."""
    fields: dict[str, Any] = {}
    if wish.name is not msgspec.UNSET:
        fields["name"] = checked_name(wish.name)
    if wish.models is not msgspec.UNSET:
        fields["models"] = checked_list("models", wish.models)
    if wish.rate is not msgspec.UNSET:
        key_rates.others_of(wish.rate)
        fields["rate"] = key_rates.requests_of(wish.rate)
    if wish.ip_allow is not msgspec.UNSET:
        fields["ip_allow"] = checked_networks(wish.ip_allow)
    if wish.caps is not msgspec.UNSET:
        key_caps.tokens_of(wish.caps)
        fields["caps"] = key_caps.money_of(wish.caps)
    return fields


async def _cap_tokens(use: Dependencies, key: KeyRecord, wanted: Mapping[Period, int]) -> None:
    holder, now = Holder(HolderKind.KEY, key.key_id), use.clock.now()
    for period in Period:
        if period in wanted:
            await use.limits.put(key.account_id, Limit(holder, period, Unit.TOKENS, wanted[period]), now)
        else:
            await use.limits.remove(key.account_id, Limit(holder, period, Unit.TOKENS, 0))


def _bounds(key: KeyRecord) -> str:
    """What the key may do now, in words for the trail."""
    caps: KeyCaps | None = key_caps.shown(key.caps, {})
    shown = {} if caps is None else {name: each for name, each in msgspec.structs.asdict(caps).items() if each}
    models = "any model" if key.models is None else " ".join(key.models)
    capped = ", ".join(f"{name} {each}" for name, each in shown.items()) or "no cap"
    return f"now {key.name!r}: {models}, {capped}, {key.rate or 'the usual'} a minute"
