"""What of a request's CPU time no gateway in Python can be without: steps beside the whole, interleaved.

See `benchmarks.floor_served` for the steps. The difference between the last and the whole is what a request is here:
its key, limits, plan, price, format, explanation, and what is learnt of it.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvloop

from benchmarks.floor_served import STEPS
from benchmarks.speed import page
from benchmarks.speed.programs import started
from benchmarks.speed.rounds import SITUATIONS, measure
from benchmarks.speed.stacks import ROOT, SECRET, Place, Stack, direct, ours, provider
from tools.processes import free_port

ASKED = tuple(each for each in SITUATIONS if each.name in {"1 client", "16 clients"})


def main() -> None:
    """Run and print the tables."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        place = running.enter_context(provider(Path(folder), Path(folder)))
        steps = [running.enter_context(_step(place, step)) for step in STEPS]
        stacks = [running.enter_context(direct(place)), *steps, running.enter_context(ours(place))]
        sys.stdout.write(page.heading(apart=place.apart))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            for situation in ASKED:
                sys.stdout.write(page.table(situation.name, runner.run(measure(stacks, situation))))
                sys.stdout.flush()


@contextmanager
def _step(place: Place, step: str) -> Iterator[Stack]:
    port, folder = free_port(), place.folder / step
    folder.mkdir()
    base_url = f"http://127.0.0.1:{place.upstream}"
    command = [sys.executable, "-m", "benchmarks.floor_served", step, str(port), base_url, str(folder)]
    with started(command, {}, f"http://127.0.0.1:{port}/", cores=place.cores, folder=ROOT) as program:
        yield Stack(step, port, program, {"Authorization": f"Bearer {SECRET}"})
