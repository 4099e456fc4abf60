"""The trail as a file: CSV for people, JSON lines for programs and for checking digests."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.ports.audit_log import AuditLog, AuditRecord
from monkey_coder_server.ports.exports import Column, Kind, MakeWriter, Value
from monkey_coder_server.web.plain_tables import CsvTable, JsonLines

FORMATS: Mapping[str, MakeWriter] = {"csv": CsvTable, "jsonl": JsonLines}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = [
    Column("sequence", Kind.COUNT),
    Column("at", Kind.TIME),
    *[
        Column(name, Kind.TEXT)
        for name in ("actor", "action", "target", "account_id", "details", "address", "agent", "outcome")
    ],
    *[Column(name, Kind.TEXT) for name in ("on_behalf_of", "previous", "digest")],
]


def checked(name: str) -> str:
    """The name of a format. Raises `InvalidRequest`."""
    if name not in FORMATS:
        message = f"The format of an export must be one of {', '.join(FORMATS)}."
        raise InvalidRequest(message)
    return name


async def pieces(log: AuditLog, account_id: str | None, format_name: str) -> AsyncIterator[bytes]:
    """The file, a page of entries at a time; no account: every account's."""
    writer = FORMATS[format_name]()
    yield writer.begin(_COLUMNS)
    async for page in log.pages(account_id):
        yield writer.rows([_row(record) for record in page])
    yield writer.end()


def _row(record: AuditRecord) -> Sequence[Value]:
    entry = record.entry
    return (
        record.sequence,
        (entry.at - _EPOCH) // timedelta(microseconds=1),
        entry.actor,
        entry.action,
        entry.target,
        entry.account_id,
        entry.details,
        entry.address,
        entry.agent,
        entry.outcome,
        entry.on_behalf_of,
        record.previous.hex() if record.previous is not None else None,
        record.digest.hex() if record.digest is not None else None,
    )
