"""What the audit trail is told of people's addresses, passwords and sessions."""

from dataclasses import replace

from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.ports.accounts import AuditEntry, User
from monkey_coder_server.web.audited import entry_of
from monkey_coder_server.web.request import Request


async def note(use: Dependencies, request: Request, user: User, action: str, *, details: str = "") -> None:
    """One entry on what a person did to their account, by a credential or by a link that came by mail."""
    await use.audit.record(entry(use, request, user, action, details=details))


def entry(use: Dependencies, request: Request, user: User, action: str, *, details: str = "") -> AuditEntry:
    """The same, not written yet."""
    told = entry_of(request, action, target=user.user_id, at=use.clock.now(), details=details)
    actor = user.user_id if request.principal.anonymous else told.actor
    return replace(told, actor=actor, account_id=user.account_id)
