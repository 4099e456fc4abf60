"""Webhooks in SQL."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, insert, select, update

from monkey_coder_server.adapters.storage import holds
from monkey_coder_server.adapters.storage.alert_tables import webhooks
from monkey_coder_server.adapters.storage.bounded import refuse_full
from monkey_coder_server.adapters.storage.moments import from_micros, optional_from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction, change
from monkey_coder_server.ports.webhooks import Webhook

_ADDING = "webhooks"
"""One is added at a time, so that of many added at once none is beyond the most."""
_FULL = "This account has {} webhooks, which is the most; remove one first."
_COLUMNS = (
    *("webhook_id", "account_id", "url", "kinds", "secret", "created_by", "created_at"),
    *("former_secret", "former_until"),
)
_WEBHOOK: Select[Any] = select(*[webhooks.c[name] for name in _COLUMNS])
_OF_ACCOUNT = webhooks.c.account_id == bindparam("account")
_THIS = and_(_OF_ACCOUNT, webhooks.c.webhook_id == bindparam("wanted"))
_LIST = Query(_WEBHOOK.where(_OF_ACCOUNT).order_by(webhooks.c.webhook_id))
_FIND = Query(_WEBHOOK.where(_THIS))
_HOW_MANY = Query(select(func.count()).where(_OF_ACCOUNT))
_ADD = Query(insert(webhooks))
_ROTATE = Query(
    update(webhooks)
    .where(_THIS, webhooks.c.secret == bindparam("known"))
    .values(secret=bindparam("fresh"), former_secret=bindparam("known"), former_until=bindparam("until"))
)
_REMOVE = Query(delete(webhooks).where(_THIS))


class SqlWebhooks:
    """`ports.webhooks.Webhooks`."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def add(self, webhook: Webhook, *, most: int) -> None:
        """Store a new one. Raises `NotFound`, `Conflict`."""
        await self._writer.perform(partial(_add, webhook, most))

    async def of_account(self, account_id: str) -> Sequence[Webhook]:
        """An account's webhooks, oldest first."""
        rows = await self._readers.read_of(account_id, lambda reader: reader.rows(_LIST, {"account": account_id}))
        return [_webhook(row) for row in rows]

    async def find(self, account_id: str, webhook_id: str) -> Webhook | None:
        """One that was not removed."""
        row = await self._readers.read_of(account_id, lambda reader: reader.row(_FIND, _of(account_id, webhook_id)))
        return None if row is None else _webhook(row)

    async def rotate(self, webhook: Webhook, secret: bytes, *, until: datetime) -> bool:
        """Sign with a new secret, and with that of `webhook` until then."""
        values = {"known": webhook.secret, "fresh": secret, "until": to_micros(until)}
        values |= _of(webhook.account_id, webhook.webhook_id)
        return bool(await self._writer.perform(partial(change, _ROTATE, values)))

    async def remove(self, account_id: str, webhook_id: str) -> bool:
        """Tell nothing there any more; False when there is none."""
        return bool(await self._writer.perform(partial(change, _REMOVE, _of(account_id, webhook_id))))


def _add(webhook: Webhook, most: int, transaction: Transaction) -> None:
    transaction.alone(_ADDING)
    holds.read_wallet(transaction, webhook.account_id)
    refuse_full(transaction, _HOW_MANY, {"account": webhook.account_id}, most=most, told=_FULL)
    transaction.change(
        _ADD,
        {
            "webhook_id": webhook.webhook_id,
            "account_id": webhook.account_id,
            "url": webhook.url,
            "kinds": " ".join(sorted(webhook.kinds)),
            "secret": webhook.secret,
            "former_secret": None,
            "former_until": None,
            "created_by": webhook.created_by,
            "created_at": to_micros(webhook.created_at),
        },
    )


def _of(account_id: str, webhook_id: str) -> dict[str, Any]:
    return {"account": account_id, "wanted": webhook_id}


def _webhook(row: Row) -> Webhook:
    webhook_id, account_id, url, kinds, secret, created_by, created_at, former_secret, former_until = row
    return Webhook(
        webhook_id=webhook_id,
        account_id=account_id,
        url=url,
        kinds=frozenset(kinds.split()),
        secret=bytes(secret),
        created_by=created_by,
        created_at=from_micros(created_at),
        former_secret=None if former_secret is None else bytes(former_secret),
        former_until=optional_from_micros(former_until),
    )
