"""The sandbox's own books: what was served, to the token and the nano-dollar."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from monkey_coder_server.sandbox.exchange import Usage

Outcome = Literal["served", "error", "faulted", "abandoned"]
_BUCKETS = ("uncached", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning", "citation", "searches")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request the sandbox answered."""

    serial: int
    """1 for the first entry after a start or reset."""
    provider: str
    model: str
    """The model as it was asked for."""
    answer_id: str
    """The id inside the answer (`chatcmpl-…`, `msg_…`, Gemini's `responseId`); empty for errors."""
    request_id: str
    """The id in the response headers."""
    status: int
    outcome: Outcome
    stream: bool
    fault: str
    usage: Usage
    """What was billed, or for `faulted` what would have been."""
    cost_nanos: int
    """Billed, in nano-dollars; 0 for errors and faulted answers."""
    began: datetime
    """When the request had come, UTC."""
    at: datetime
    """When the answer was over, UTC."""
    unbilled_nanos: int = 0
    """What a faulted answer would have cost had it arrived."""


class Tally:
    """All entries since the start or the last reset."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Write an entry down."""
        self.entries.append(entry)

    def clear(self) -> None:
        """Forget everything."""
        self.entries.clear()

    def cost_nanos(self, provider: str = "") -> int:
        """Everything billed, of one provider or overall, in nano-dollars."""
        return sum(entry.cost_nanos for entry in self.entries if provider in {"", entry.provider})

    def document(self, *, with_requests: bool = True) -> dict[str, Any]:
        """The tally as JSON: totals overall and per provider, and each request."""
        providers = sorted({entry.provider for entry in self.entries})
        document: dict[str, Any] = {
            "overall": _totals(self.entries),
            "providers": {name: _totals(e for e in self.entries if e.provider == name) for name in providers},
        }
        if with_requests:
            document["requests"] = [
                asdict(entry) | {"began": entry.began.isoformat(), "at": entry.at.isoformat()} for entry in self.entries
            ]
        return document


def _shown(entry: Entry) -> dict[str, Any]:
    return asdict(entry) | {"began": entry.began.isoformat(), "at": entry.at.isoformat()}


def _totals(entries: Iterable[Entry]) -> dict[str, Any]:
    outcomes: Counter[str] = Counter()
    nanos: Counter[str] = Counter()
    tokens: Counter[str] = Counter()
    for entry in entries:
        outcomes[entry.outcome] += 1
        nanos["cost"] += entry.cost_nanos
        nanos["faulted"] += entry.unbilled_nanos
        if entry.outcome == "abandoned":
            nanos["abandoned"] += entry.cost_nanos
        if entry.outcome in {"served", "abandoned"}:
            tokens.update({bucket: getattr(entry.usage, bucket) for bucket in _BUCKETS})
    return {
        "requests": outcomes.total(),
        **{name: outcomes[name] for name in ("served", "error", "faulted", "abandoned")},
        "cost_nanos": nanos["cost"],
        "abandoned_nanos": nanos["abandoned"],
        "faulted_nanos": nanos["faulted"],
        "tokens": {bucket: tokens[bucket] for bucket in _BUCKETS},
    }
