"""What a person did, for the audit trail."""

from dataclasses import replace

from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.ports.accounts import DONE, REFUSED, User
from monkey_coder_server.web.audited import entry_of
from monkey_coder_server.web.request import Request


async def note(  # noqa: PLR0913 - what an entry tells, each by name
    use: Dependencies,
    request: Request,
    user: User,
    action: str,
    *,
    target: str = "",
    details: str = "",
    outcome: str = DONE,
    account_id: str = "",
) -> None:
    """One entry on what a person did, also before a credential of theirs named them.

    It is of their own account, whichever they act for, unless one is named; without a target it is about the account.
    """
    entry = entry_of(
        request,
        action,
        target=target or user.account_id,
        at=use.clock.now(),
        details=details,
        outcome=outcome,
    )
    actor = user.user_id if request.principal.anonymous else entry.actor
    await use.audit.record(replace(entry, actor=actor, account_id=account_id or user.account_id))


async def refuse(use: Dependencies, request: Request, action: str, error: GatewayError) -> None:
    """One entry on what a person was refused, with the code and not the words."""
    entry = entry_of(request, action, target="", at=use.clock.now(), details=error.code, outcome=REFUSED)
    await use.audit.record(entry)
