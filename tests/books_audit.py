"""Reads a stopped gateway's books, straight from its tables, and sets them beside the simulators' own tally."""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

_UNDELIVERED = frozenset({"empty", "content_filter"})
"""Faults whose answers are complete, and billed by the provider, but of no use to anybody."""
_TELLS_NO_REASONING = frozenset({"anthropic"})
"""Providers whose usage does not tell reasoning from the rest of the output."""
_FILTERS_REFUSALS = frozenset({"google"})
"""Providers whose models refuse by the content filter, without a word."""


class Counted(NamedTuple):
    """What tells one answer from another on both sides: who, how, how many tokens."""

    provider: str
    model: str
    stream: bool
    prompt: int
    cached: int
    output: int
    reasoning: int


@dataclass(frozen=True, slots=True)
class Row:
    """A usage row with its hold."""

    request_id: str
    account_id: str
    status: str
    counted: Counted
    price: int
    loss: int
    provider_cost: int
    estimated: bool
    hold: int
    charged: int
    attempts: int


class Books:
    """A database of gateways, opened to read: the folder of a SQLite file, or the URL of a PostgreSQL database."""

    def __init__(self, place: Path | str) -> None:
        self._connection: Any
        self._place = "%s" if isinstance(place, str) else "?"
        if isinstance(place, str):
            self._connection = psycopg.connect(place)
        else:
            (path,) = place.glob("*.db")
            self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def number(self, query: str) -> int:
        """The one figure a query yields; 0 for nothing."""
        (found,) = self._connection.execute(query).fetchone()
        return int(found or 0)

    def by_name(self, query: str) -> dict[str, int]:
        """A query of names and figures."""
        return {name: int(figure) for name, figure in self._connection.execute(query)}

    def rows(self, request_id: str | None = None) -> list[Row]:
        """Every usage row, or that of one request."""
        query = """
            SELECT u.request_id, u.account_id, u.status, u.provider, u.model, u.stream, u.input_tokens,
                   u.cached_tokens, u.output_tokens, u.reasoning_tokens, u.price, u.loss, u.provider_cost, u.estimated,
                   h.amount, h.charged, r.body
            FROM usage u JOIN holds h USING (request_id) LEFT JOIN receipts r USING (receipt_id)
        """
        if request_id is None:
            return [_row(values) for values in self._connection.execute(query)]
        query += f"WHERE u.request_id = {self._place}"
        return [_row(values) for values in self._connection.execute(query, (request_id,))]


def _row(values: tuple[Any, ...]) -> Row:
    request_id, account_id, status, provider, model, stream, prompt, cached, output, reasoning, *rest = values
    counts = Counted(provider, model, bool(stream), prompt, cached, output, reasoning)
    price, loss, cost, estimated, hold, charged, body = rest
    attempts = len(json.loads(body)["attempts"]) if body else 0
    return Row(request_id, account_id, status, counts, price, loss, cost, bool(estimated), hold, charged, attempts)


def counted(entry: Mapping[str, Any]) -> Counted:
    """The simulators' entry in the words of our usage rows: reasoning and citations as the provider bills them."""
    used = entry["usage"]
    prompt = used["uncached"] + used["cache_read"] + used["cache_write_5m"] + used["cache_write_1h"]
    return Counted(
        entry["provider"],
        entry["model"],
        entry["stream"],
        prompt,
        used["cache_read"],
        used["output"] + used["reasoning"],
        0 if entry["provider"] in _TELLS_NO_REASONING else used["reasoning"],
    )


def undelivered(entry: Mapping[str, Any]) -> bool:
    """Whether a simulator was told to answer so that nobody can use it."""
    fault = entry["fault"]
    return fault in _UNDELIVERED or (fault == "refusal" and entry["provider"] in _FILTERS_REFUSALS)


def billed(tally: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The requests the simulators charge for."""
    return [entry for entry in tally["requests"] if entry["outcome"] in {"served", "abandoned"}]


def unmatched(rows: Iterable[Row], tally: Mapping[str, Any]) -> tuple[list[Row], list[Mapping[str, Any]]]:
    """Served requests no simulator knows, and answers of theirs that no served request of ours stands for."""
    entries: defaultdict[Counted, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in sorted(billed(tally), key=undelivered, reverse=True):
        entries[counted(entry)].append(entry)
    lone = [row for row in rows if row.status == "served" and not _taken(entries[row.counted], row)]
    return lone, [entry for left in entries.values() for entry in left]


def _taken(entries: list[Mapping[str, Any]], row: Row) -> bool:
    """Take the entry a row stands for off the list, one of the same cost where there is one."""
    if not entries:
        return False
    same = [place for place, entry in enumerate(entries) if entry["cost_nanos"] == row.provider_cost]
    if not same and row.attempts == 1:
        return False
    entries.pop(same[-1] if same else -1)
    return True


def payable(books: Books) -> dict[str, int]:
    """What the ledger owes each provider, in nano-dollars."""
    return books.by_name("SELECT owner, SUM(amount) FROM entries WHERE kind = 'provider_payable' GROUP BY owner")


def owed(tally: Mapping[str, Any]) -> dict[str, int]:
    """What each simulator charges, in nano-dollars."""
    costs: Counter[str] = Counter()
    for entry in billed(tally):
        costs[entry["provider"]] += entry["cost_nanos"]
    return dict(costs)
