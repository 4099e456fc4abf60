"""What the audit trail is told of log-ins."""

from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.ports.accounts import REFUSED, AuditEntry, User
from monkey_coder_server.web.audited import entry_of
from monkey_coder_server.web.request import Request, agent_of


async def note(use: Dependencies, request: Request, user: User, action: str, details: str = "") -> None:
    """One entry on what a person did, with the place they did it from."""
    await use.audit.record(
        AuditEntry(
            actor=user.user_id,
            action=action,
            target=user.account_id,
            at=use.clock.now(),
            account_id=user.account_id,
            details=details,
            address=request.client_ip,
            agent=agent_of(request),
        )
    )


async def refuse(use: Dependencies, request: Request, action: str, error: GatewayError) -> None:
    """One entry on what a person was refused, with the code and not the words."""
    await use.audit.record(
        entry_of(request, action, target="", at=use.clock.now(), details=error.code, outcome=REFUSED)
    )
