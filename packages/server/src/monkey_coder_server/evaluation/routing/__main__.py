"""`python -m monkey_coder_server.evaluation.routing`: the product's router on recorded outcomes, beside its rivals."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from monkey_coder_server.evaluation.routing import latency, online, plots, report, sequences, sets
from monkey_coder_server.evaluation.routing.at_once import at_once
from monkey_coder_server.evaluation.routing.data import Row, Set, read_prices, read_rows, set_from, set_names
from monkey_coder_server.evaluation.routing.online import OnlineReport
from monkey_coder_server.evaluation.routing.routers import anchors
from monkey_coder_server.evaluation.routing.sequences import SequenceReport
from monkey_coder_server.evaluation.routing.sets import SetReport
from monkey_coder_server.evaluation.routing.splits import Split, apart, five_folds

KNOWN = ("swebv", "rb", "lcb24", "lcb6", "lcb5", "lcb-repair", "rl-mmlu", "rl-gsm8k")
"""The sets of the protocol, in its order. Others are reported where training rows are given."""

STREAMED = ("swebv", "rb", "lcb24")
"""Those of them that are also played as streams."""

Part = SetReport | SequenceReport | OnlineReport | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Report every set; 0 whatever the figures."""
    options = _options(arguments)
    rows = read_rows(options.items, options.outcomes)
    prices = read_prices(options.models)
    train = None if options.train is None else _training(options.train)
    skipped: dict[str, str] = {}
    found_parts = at_once(_parts([*_planned(rows, train, skipped)], prices, apart_from=train is not None))
    reports = [each for each in found_parts if isinstance(each, SetReport)]
    played = [each for each in found_parts if isinstance(each, SequenceReport)]
    streams = [each for each in found_parts if isinstance(each, OnlineReport)]
    if not played:
        skipped["cascade and race"] = "no set tells how many calls its models made, in training and in its own rows"
    found = report.Report(reports, played, streams, skipped, *latency.measure(rows))
    if options.plots is not None:
        plots.write(found, options.plots)
    sys.stdout.write(json.dumps(report.document(found)) + "\n" if options.json else report.tables(found))
    return 0


def _parts(
    planned: Sequence[tuple[Set, list[Split]]], prices: Mapping[tuple[str, str], float], *, apart_from: bool
) -> list[Callable[[], Part]]:
    """Every part of the report, each kind in the order of the sets; those that take longest first."""
    streamed = [each for each in planned if each[0].name in STREAMED or each[0].name not in KNOWN]
    streams: list[Callable[[], Part]] = [
        partial(online.report, of, prices, splits[0].train if apart_from else None) for of, splits in streamed
    ]
    return [
        *streams,
        *(partial(_sequenced, of, splits, prices) for of, splits in planned),
        *(partial(sets.report, of, splits, prices) for of, splits in planned),
    ]


def _sequenced(of: Set, splits: Sequence[Split], prices: Mapping[tuple[str, str], float]) -> SequenceReport | None:
    return sequences.report(of, splits, anchors(of, splits, prices).strong)


def _planned(
    rows: Sequence[Row], train: Sequence[Row] | None, skipped: dict[str, str]
) -> Iterator[tuple[Set, list[Split]]]:
    """Every set with how it is split; why the others are skipped."""
    present = set_names(rows)
    names = [name for name in KNOWN if name in present]
    if train is not None:
        names += [name for name in present if name not in KNOWN]
    for name in names:
        of = set_from(rows, name)
        if len(of.arms) < 2 or not of.rows:
            skipped[name] = "no two models have outcomes for the same tasks"
            continue
        splits = list(five_folds(of)) if train is None else [apart(of, train)]
        if not all(split.train for split in splits):
            skipped[name] = "none of its models has outcomes to learn from"
            continue
        yield of, splits


def _training(paths: Sequence[Path]) -> list[Row]:
    """Rows of pairs of files, items before outcomes."""
    return [row for place in range(0, len(paths), 2) for row in read_rows(paths[place], paths[place + 1])]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m monkey_coder_server.evaluation.routing", description=__doc__)
    parser.add_argument("--items", type=Path, required=True, help="tasks, JSON lines; may be gzipped, as all may")
    parser.add_argument("--outcomes", type=Path, required=True, help="quality and cost of models at tasks, CSV")
    parser.add_argument("--models", type=Path, required=True, help="list prices, CSV")
    parser.add_argument(
        "--train",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="items and outcomes to learn from, in pairs; without, five folds of the rows themselves",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="also write plots there, as SVG")
    options = parser.parse_args(arguments)
    if options.train is not None and len(options.train) % 2:
        parser.error("--train takes pairs: a file of items, then its file of outcomes")
    return options


if __name__ == "__main__":
    sys.exit(main())
