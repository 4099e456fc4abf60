"""What the audit trail is told of operators' doings with accounts."""

from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.web.operating import Actor


async def tell(  # noqa: PLR0913 - a line of the trail, by name
    use: Dependencies,
    by: Actor,
    action: str,
    *,
    target: str,
    account_id: str,
    details: str = "",
    on_behalf_of: str = "",
) -> None:
    """One entry on what an operator did; the members of the account read it."""
    entry = by.entry(
        action,
        target=target,
        at=use.clock.now(),
        account_id=account_id,
        details=details,
        on_behalf_of=on_behalf_of,
    )
    await use.audit.record(entry)
