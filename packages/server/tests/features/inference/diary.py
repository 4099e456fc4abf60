"""The log of routing, for tests of the feature."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from monkey_coder_server.ports.routing_store import LoggedDecision, RoutingDecision, RoutingOutcome


class Diary:
    """`ports.routing_store.DecisionLog` in memory; raises what `fail` holds."""

    def __init__(self) -> None:
        self.decisions: dict[str, RoutingDecision] = {}
        self.outcomes: dict[str, RoutingOutcome] = {}
        self.fail: deque[Exception] = deque()
        self.something = asyncio.Event()

    async def write(self, decisions: Sequence[RoutingDecision], outcomes: Sequence[RoutingOutcome]) -> None:
        await asyncio.sleep(0)
        if self.fail:
            raise self.fail.popleft()
        for decision in decisions:
            self.decisions.setdefault(decision.request_id, decision)
        self.something.set()
        self.outcomes |= {outcome.request_id: outcome for outcome in outcomes}

    def between(self, start: datetime, end: datetime) -> AsyncIterator[Sequence[LoggedDecision]]:
        raise NotImplementedError

    async def forget(self, before: datetime) -> int:
        raise NotImplementedError
