"""Recorded outcomes of many models at the same tasks: reading them, and the sets and folds of the protocol."""

import csv
import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple, TextIO

from monkey_coder_server.domain.bandit.context import Context

FOLDS = 5
LCB24_ARMS = frozenset(
    (
        "Claude-2",
        "Claude-3-Haiku",
        "Claude-3-Opus",
        "Claude-3-Sonnet",
        "Claude-Instant-1",
        "DSCoder-1.3b-Ins",
        "DSCoder-33b-Ins",
        "DSCoder-6.7b-Ins",
        "GPT-3.5-Turbo-0301",
        "GPT-4-0613",
        "GPT-4-Turbo-1106",
        "GPT-4-Turbo-2024-04-09",
        "Gemini-Pro",
        "MagiCoderS-CL-7B",
        "MagiCoderS-DS-6.7B",
        "Mistral-Large",
        "Phind-34B-V2",
    )
)
FAMILIES = {"rb": "rb-", "lcb24": "lcb24-"}
"""Sets of several benchmarks, by what the names of those begin with; any other benchmark is a set of its own."""
MOSTLY = 0.9
"""An arm belongs to a set when it has outcomes for this share of the rows of each of its benchmarks."""


class Outcome(NamedTuple):
    """Quality 0 to 1 and cost in USD; 0 where no cost is known."""

    quality: float
    cost: float


@dataclass(frozen=True, slots=True)
class Row:
    """A task and what came of it at each model. `calls` counts the model's turns where they are known."""

    item_id: str
    benchmark: str
    context: Context
    prompt: str | None
    outcomes: Mapping[str, Outcome]
    calls: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Set:
    """Rows that each have an outcome of every arm."""

    name: str
    arms: tuple[str, ...]
    rows: tuple[Row, ...]


def read_rows(items: Path, outcomes: Path) -> list[Row]:
    """Every task that has an outcome, in the order of the file; either file may be gzipped."""
    found: defaultdict[str, dict[str, Outcome]] = defaultdict(dict)
    calls: defaultdict[str, dict[str, float]] = defaultdict(dict)
    with _opened(outcomes) as lines:
        for line in csv.DictReader(lines):
            found[line["item_id"]][line["model"]] = Outcome(float(line["quality"]), float(line["cost_usd"] or 0.0))
            if line.get("effort"):
                calls[line["item_id"]][line["model"]] = float(line["effort"])
    with _opened(items) as lines:
        return [_row(item, found, calls) for item in map(json.loads, lines) if item["item_id"] in found]


def read_prices(models: Path) -> dict[tuple[str, str], float]:
    """USD an answer is assumed to cost, by benchmark and model, where the file gives list prices and tokens."""
    with _opened(models) as lines:
        return {
            (line["benchmark"], line["model"]): price
            for line in csv.DictReader(lines)
            if (price := _assumed_price(line)) is not None
        }


def set_names(rows: Sequence[Row]) -> list[str]:
    """The sets the rows make up, in the order in which they first appear."""
    return list(dict.fromkeys(set_of(row.benchmark) for row in rows))


def set_of(benchmark: str) -> str:
    """The set a benchmark belongs to."""
    return next((name for name, start in FAMILIES.items() if benchmark.startswith(start)), benchmark)


def set_from(rows: Sequence[Row], name: str) -> Set:
    """The set of a name: the arms that nearly all its rows tried, and the rows that all of these tried."""
    members = [row for row in rows if set_of(row.benchmark) == name]
    benchmarks: defaultdict[str, list[Row]] = defaultdict(list)
    for row in members:
        benchmarks[row.benchmark].append(row)
    arms = {arm for row in members for arm in row.outcomes}
    for several in benchmarks.values():
        arms = {arm for arm in arms if sum(arm in row.outcomes for row in several) >= MOSTLY * len(several)}
    if name == "lcb24":
        arms &= LCB24_ARMS
    return Set(name, tuple(sorted(arms)), tuple(row for row in members if arms <= row.outcomes.keys()))


def fold_of(item_id: str) -> int:
    """The protocol's fold, 0 to 4."""
    return int(hashlib.sha256(f"mc-fold|{item_id}".encode()).hexdigest()[:8], 16) % FOLDS


def _row(
    item: dict[str, str | None], found: Mapping[str, dict[str, Outcome]], calls: Mapping[str, dict[str, float]]
) -> Row:
    item_id, day, prompt = str(item["item_id"]), item.get("date"), item.get("prompt")
    context = Context.of(
        item.get("task_kind") or "",
        item.get("lang") or "",
        item.get("group") or "",
        day=date.fromisoformat(day) if day else None,
        prompt=prompt,
    )
    return Row(item_id, str(item["benchmark"]), context, prompt, found[item_id], calls.get(item_id, {}))


def _assumed_price(line: Mapping[str, str]) -> float | None:
    rates = [line.get(f"price_{side}_per_m") for side in ("in", "out")]
    tokens = [line.get(f"assumed_{side}_tokens") for side in ("in", "out")]
    if not all(rates) or not all(tokens):
        return None
    return sum(float(rate or 0) * float(count or 0) for rate, count in zip(rates, tokens, strict=True)) / 1e6


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield lines
