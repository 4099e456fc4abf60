"""What is asked of the gateway as the audit trail tells it."""

import asyncio
from contextlib import suppress
from datetime import datetime

from monkey_coder_server.domain.errors import GatewayError, Unavailable
from monkey_coder_server.ports.accounts import DONE, REFUSED, Audit, AuditEntry
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.problem import status_of
from monkey_coder_server.web.request import Request, agent_of

ANONYMOUS_ACTOR = "anonymous"
LONGEST_TARGET = 200
_SERVER_ERRORS = 500


def entry_of(  # noqa: PLR0913 - a line of the trail, by name
    request: Request, action: str, *, target: str, at: datetime, details: str = "", outcome: str = DONE
) -> AuditEntry:
    """An entry on what the caller of a request did, for the account the request acts for."""
    principal = request.principal
    return AuditEntry(
        actor=principal.impersonator or principal.user_id or ANONYMOUS_ACTOR,
        action=action,
        target=target,
        at=at,
        account_id=principal.account_id or request.concerns,
        details=details,
        address=request.client_ip,
        agent=agent_of(request),
        outcome=outcome,
        on_behalf_of=principal.user_id if principal.impersonator else "",
    )


def look_of(request: Request, at: datetime) -> AuditEntry:
    """An entry on what an operator looks at in somebody's place."""
    return entry_of(request, "session.look", target=request.scope["path"][:LONGEST_TARGET], at=at)


class Refusals:
    """Notes what was refused of routes that name an action: told in the trail, with the code and not the words.

    And what an operator looks at in somebody's place.
    """

    def __init__(self, audit: Audit, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock
        self._writing: set[asyncio.Task[None]] = set()

    async def note(self, route: Route, request: Request, error: GatewayError) -> None:
        """Write it down unless the mistake is ours.

        Who is not known does not wait for it: how long they wait must not tell whether there is such an account.
        """
        if not route.action or status_of(error) >= _SERVER_ERRORS:
            return
        target = next(iter(request.parameters.values()), "")
        entry = entry_of(
            request, route.action, target=target, at=self._clock.now(), details=error.code, outcome=REFUSED
        )
        if not request.principal.anonymous:
            await self._write(entry)
            return
        writing = asyncio.create_task(self._write(entry), name="audit-refusal")
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)

    async def look(self, request: Request) -> None:
        """Tell what is looked at in somebody's place, before it is shown. Raises `Unavailable`: then it is not."""
        await self._audit.record(look_of(request, self._clock.now()))

    async def settle(self) -> None:
        """Wait until what was noted is written."""
        await asyncio.gather(*self._writing)

    async def _write(self, entry: AuditEntry) -> None:
        with suppress(Unavailable):  # a store that is away keeps nobody from their answer
            await self._audit.record(entry)
