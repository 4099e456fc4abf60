"""What the operator's commands about routing do, on the log of the configured gateway."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from monkey_coder_server.adapters.exports.parquet import ParquetTable
from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.features.inference import decision_table, policy_replay
from monkey_coder_server.ports.exports import MakeWriter
from monkey_coder_server.settings import Settings
from monkey_coder_server.web.plain_tables import CsvTable, JsonLines

FORMATS: Mapping[str, MakeWriter] = MappingProxyType({"csv": CsvTable, "jsonl": JsonLines, "parquet": ParquetTable})


@dataclass(frozen=True, slots=True)
class Time:
    """UTC days, both included; no last one means until now."""

    first: date
    last: date | None = None

    def bounds(self) -> tuple[datetime, datetime]:
        """Its beginning and the moment after its end."""
        last = datetime.now(UTC).date() if self.last is None else self.last
        return _midnight(self.first), _midnight(last + timedelta(days=1))


async def replay(settings: Settings, time: Time, policy: str) -> dict[str, Any]:
    """What a policy would have come to. Raises `GatewayError`."""
    replayed = policy_replay.Replay(policy_replay.rule_of(policy))
    start, end = time.bounds()
    async with open_books(settings) as books:
        await replayed.take(books.storage.decisions.between(start, end))
    return {"policy": policy, "since": str(time.first), **replayed.document()}


async def export(settings: Settings, time: Time, name: str, out: Callable[[bytes], object]) -> bool:
    """Write the log as a file of a format, piece by piece. Raises `GatewayError`."""
    start, end = time.bounds()
    writer = FORMATS[name]()
    async with open_books(settings) as books:
        await books.note("decisions.export", "every account", f"{time.first} to {time.last or 'now'}")
        async for piece in decision_table.pieces(books.storage.decisions.between(start, end), writer):
            out(piece)
    return True


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
