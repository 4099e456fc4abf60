"""`/v1/audit`: what was done in an account, by whom and from where."""

from monkey_coder_protocol import audit as wire
from monkey_coder_protocol.queries import AuditExportQuery, AuditQuery
from monkey_coder_server.domain.scopes import AUDIT_READ
from monkey_coder_server.features.audit.export import FORMATS, pieces
from monkey_coder_server.ports.audit_log import AuditLog, AuditRecord
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.query import read_query
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply
from monkey_coder_server.web.sse import EventStream, EventWriter


class AuditRoutes:
    """Over the trail of the account a request acts for; no other is ever read here."""

    def __init__(self, log: AuditLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    def routes(self) -> tuple[Route, ...]:
        """Every route of the feature."""
        return (
            Route("GET", "/v1/audit", self.page, scope=AUDIT_READ, query=AuditQuery, gives=wire.AuditPage),
            Route(
                "GET", "/v1/audit/export", self.export, scope=AUDIT_READ, action="audit.export", query=AuditExportQuery
            ),
        )

    async def page(self, request: Request) -> Reply:
        """The newest entries, or those before one: `limit`, `before`."""
        query = read_query(AuditQuery, request.pairs)
        most = query.limit
        found = await self._log.newest(request.principal.account_id, before=query.before, most=most + 1)
        shown = found[:most]
        follows = str(shown[-1].audit_id) if len(found) > most else None
        return json_reply(wire.AuditPage([_shown(record) for record in shown], follows))

    async def export(self, request: Request) -> Reply:
        """The whole trail as a file, streamed: `format` csv or jsonl."""
        name = read_query(AuditExportQuery, request.pairs).format
        account_id = request.principal.account_id

        async def run(writer: EventWriter) -> None:
            async for piece in pieces(self._log, account_id, name):
                if writer.gone:
                    return
                if piece:
                    await writer.write(piece)

        disposition = f'attachment; filename="audit-{self._clock.now().date()}.{name}"'.encode()
        return EventStream(
            run,
            headers=[(b"content-disposition", disposition)],
            keep_alive=None,
            content_type=FORMATS[name]().content_type.encode(),
        )


def _shown(record: AuditRecord) -> wire.AuditEntry:
    entry = record.entry
    return wire.AuditEntry(
        id=str(record.audit_id),
        at=entry.at.isoformat(),
        actor=entry.actor,
        action=entry.action,
        target=entry.target,
        outcome=entry.outcome,
        details=entry.details,
        address=entry.address,
        agent=entry.agent,
        on_behalf_of=entry.on_behalf_of,
        sequence=record.sequence,
        previous=record.previous.hex() if record.previous is not None else None,
        digest=record.digest.hex() if record.digest is not None else None,
    )
