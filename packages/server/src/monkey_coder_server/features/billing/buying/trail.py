"""What buying tells the audit trail."""

from monkey_coder_server.features.billing.buying.dependencies import Dependencies, Visitor
from monkey_coder_server.ports.accounts import AuditEntry
from monkey_coder_server.web.audited import entry_of
from monkey_coder_server.web.operating import actor_of
from monkey_coder_server.web.request import Request, agent_of

WATCH = "gateway"
"""The actor of what the gateway does by itself."""


async def note(use: Dependencies, request: Request, action: str, *, target: str = "", details: str = "") -> None:
    """One entry on what the caller did with the account the request acts for."""
    account_id = request.principal.account_id
    at = use.clock.now()
    await use.audit.record(entry_of(request, action, target=target or account_id, at=at, details=details))


async def note_by_operator(
    use: Dependencies, request: Request, action: str, *, account_id: str, details: str = ""
) -> None:
    """One entry on what an operator did to an account; its members read it."""
    entry = actor_of(request).entry(
        action, target=account_id, at=use.clock.now(), account_id=account_id, details=details
    )
    await use.audit.record(entry)


async def note_by_person(  # noqa: PLR0913 - a line of the trail, by name
    use: Dependencies, request: Request, action: str, *, visitor: Visitor, target: str, details: str
) -> None:
    """One entry on what a person did on a page of ours."""
    await use.audit.record(
        AuditEntry(
            actor=visitor.user_id,
            action=action,
            target=target,
            at=use.clock.now(),
            account_id=visitor.account_id,
            details=details,
            address=request.client_ip,
            agent=agent_of(request),
        )
    )


async def note_by_itself(use: Dependencies, action: str, *, account_id: str, details: str = "") -> None:
    """One entry on what was done with nobody there."""
    at = use.clock.now()
    await use.audit.record(AuditEntry(WATCH, action, target=account_id, at=at, account_id=account_id, details=details))
