"""Runs the comparison and prints or writes it down."""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import uvloop

from benchmarks.speed import page
from benchmarks.speed.rounds import SITUATIONS, Figures, measure
from benchmarks.speed.stacks import STACKS, Place, Stack, provider

RIVALS = Path(os.environ.get("RIVALS_DIR", Path.home() / ".cache" / "monkey-coder-rivals"))


def main(arguments: Sequence[str] = ()) -> int:
    """Measure every stack that is installed, or those named; the direct call always."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--stacks", nargs="*", choices=list(STACKS), default=list(STACKS), help="what to compare")
    parser.add_argument("--situations", nargs="*", default=[], help="numbers of situations, from 0 (default all)")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write the page and its pictures there")
    options = parser.parse_args(arguments)
    names = list(dict.fromkeys(["direct", *options.stacks]))
    chosen = [SITUATIONS[int(number)] for number in options.situations] or list(SITUATIONS)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        place = running.enter_context(provider(Path(folder), RIVALS))
        stacks = _start(names, place, running)
        told = page.heading(apart=place.apart)
        sys.stdout.write(told)
        figures: dict[str, Mapping[str, Figures]] = {}
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            for situation in chosen:
                figures[situation.name] = runner.run(measure(stacks, situation))
                sys.stdout.write(page.table(situation.name, figures[situation.name]))
                sys.stdout.flush()
        weights = {stack.name: _weight(stack) for stack in stacks if stack.program}
        sys.stdout.write(page.weights(weights))
        if options.write is not None:
            page.write(options.write, figures, weights, told)
    return 0


def _start(names: Sequence[str], place: Place, running: ExitStack) -> list[Stack]:
    """Start them; what is not installed is told and left out."""
    stacks = []
    for name in names:
        try:
            stacks.append(running.enter_context(STACKS[name](place)))
        except LookupError as missing:
            sys.stdout.write(f"left out: {missing}\n")
        except FileNotFoundError as missing:
            sys.stdout.write(f"left out: {missing.filename} is not there (`make rivals` installs the rivals)\n")
    return stacks


def _weight(stack: Stack) -> tuple[float, float]:
    """Seconds until it answered, and MiB of memory after all it did."""
    assert stack.program is not None
    return stack.program.ready_seconds, stack.program.resident_mebibytes()
