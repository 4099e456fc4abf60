"""What other processes change in one SQLite file: asked for a few times a second, in one statement."""

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import func, literal_column, select

from monkey_coder_server.adapters.storage.following import (
    ACCOUNT_PLANS,
    KEYS,
    MARKUPS,
    MODEL_RULES,
    PRICE_BOOKS,
    RATES,
    News,
)
from monkey_coder_server.adapters.storage.limit_tables import rate_rules
from monkey_coder_server.adapters.storage.operations import Reading
from monkey_coder_server.adapters.storage.people import api_keys
from monkey_coder_server.adapters.storage.plan_tables import account_plans
from monkey_coder_server.adapters.storage.price_tables import markups, price_activations
from monkey_coder_server.adapters.storage.team_tables import model_rules
from monkey_coder_server.adapters.storage.transaction import Query, Row
from monkey_coder_server.domain.errors import Unavailable

logger = logging.getLogger(__name__)

LOOK = timedelta(milliseconds=250)
_REVISIONS = {
    KEYS: api_keys.c.revision,
    MODEL_RULES: model_rules.c.revision,
    RATES: rate_rules.c.revision,
    ACCOUNT_PLANS: account_plans.c.revision,
    MARKUPS: markups.c.revision,
    PRICE_BOOKS: price_activations.c.number,
}
_NEWEST = Query(
    select(
        *[
            func.coalesce(select(func.max(column)).scalar_subquery(), literal_column("0"))
            for column in _REVISIONS.values()
        ]
    )
)
"""The end of an index each."""


class FileWatch:
    """`following.Watching` by looking."""

    def __init__(self, readers: Reading, news: News) -> None:
        self.apart = timedelta(0)
        self._readers = readers
        self._news = news
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the background."""
        self._task = asyncio.create_task(self._watch(), name="file watch")

    async def close(self) -> None:
        """Stop. Harmless when it never began."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _watch(self) -> None:
        seen: Row = ()
        while True:
            with suppress(Unavailable):  # too many read: it is asked again
                newest = await self._readers.read(lambda reading: reading.row(_NEWEST, {}))
                self._tell(seen, newest or ())
                seen = newest or ()
            await asyncio.sleep(LOOK.total_seconds())

    def _tell(self, seen: Row, newest: Row) -> None:
        """Tell what is not as it was; at first that is all."""
        for what, before, after in zip(_REVISIONS, seen or (None,) * len(_REVISIONS), newest, strict=False):
            if before != after:
                self._news.tell(what)
