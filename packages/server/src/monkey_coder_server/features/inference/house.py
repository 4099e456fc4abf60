"""Calls that outlive their requests: seen through to their end, then booked as the house's own."""

import asyncio
from contextlib import suppress

from msgspec.structs import replace

from monkey_coder_server.domain.errors import GatewayError, Unavailable
from monkey_coder_server.features.inference.attempt import SERVED, STOPPED
from monkey_coder_server.features.inference.beaten import Beaten
from monkey_coder_server.features.inference.job import Job
from monkey_coder_server.features.inference.running import Running
from monkey_coder_server.features.inference.settlement import Settlements
from monkey_coder_server.features.inference.trail import Trail
from monkey_coder_server.ports.ledger import HOUSE, FailedRequest, Ledger
from monkey_coder_server.web.principal import Principal

BEATEN_UNPAID = "beaten_unpaid"
"""Outcome of a call whose second, or whose first, spoke sooner, unasked: the house pays."""
ITSELF = Principal(account_id=HOUSE, session_id=HOUSE, key_id=HOUSE)


class House:
    """Each call ends in the books as a request of the house, under the request's id and `.beaten`; nobody is charged.

    From the moment it is taken over the books hold it at its prompt, estimated: they are right after a crash, too.
    """

    def __init__(self, ledger: Ledger, settlements: Settlements, running: Running) -> None:
        self._ledger = ledger
        self._settlements = settlements
        self._running = running

    def take(self, job: Job, beaten: Beaten) -> None:
        """See a call through whose request is about to end."""
        own = replace(job, request_id=f"{job.request_id}.beaten", principal=ITSELF)
        hold = self._ledger.bear(own.request_id, own.at)
        with suppress(Unavailable):  # nothing can be noted any more: its end may still be booked
            self._ledger.underway(hold, self._ending(own, Trail(wasted=[beaten.silent()]), beaten))
        self._running.keep(self._see_through(own, beaten))

    async def _see_through(self, own: Job, beaten: Beaten) -> None:
        """To its end, or until this process ends: then what came is booked."""
        with suppress(asyncio.CancelledError):
            await beaten.wait()
        await beaten.stop()
        trail = beaten.contender.trail
        trail.wasted.extend(beaten.unpaid)
        with suppress(Unavailable):  # it is booked later
            await self._settlements.bear(self._ending(own, trail, beaten))

    def _ending(self, own: Job, trail: Trail, beaten: Beaten) -> FailedRequest:
        trail.route = beaten.contender.route
        said = GatewayError("Another call of the same request was answered sooner; this one is the house's.")
        records = tuple(
            [
                replace(each, outcome=BEATEN_UNPAID) if each.outcome in {SERVED, STOPPED} else each
                for each in trail.records
            ]
        )
        return replace(self._settlements.unpaid(own, said, trail), error_code=BEATEN_UNPAID, attempts=records)
