"""What is noted of what people do in organizations."""

from dataclasses import replace

from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.web.audited import entry_of
from monkey_coder_server.web.request import Request


class Notes:
    """Entries for the audit trail."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    async def add(
        self, request: Request, action: str, target: str, details: str = "", *, account_id: str | None = None
    ) -> None:
        """Append one entry on what the caller did, for the account they act for if no other is named."""
        entry = entry_of(request, action, target=target, at=self._use.clock.now(), details=details)
        await self._use.audit.record(replace(entry, account_id=account_id or entry.account_id))
