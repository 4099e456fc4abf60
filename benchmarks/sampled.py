"""`python -m benchmarks.sampled FILE serve …`: `monkey-server` that notes where its event loop spends CPU time.

The kernel interrupts the process at each tick of its clock (mostly 4 ms) that finds it using CPU time; the main thread
notes by files which functions it was in. Time in C code counts for the function that called it; what the event loop
itself does between two callbacks counts for the later one. SIGUSR1 begins to note, SIGUSR2 writes FILE: a line for each
stack, innermost file first, with its count.
"""

import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from monkey_coder_server.__main__ import main

EVERY_SECONDS = 0.001
"""Shorter than any tick: each counts."""
SEPARATOR = ";"


class Sampler:
    """Stacks by how often they were found."""

    def __init__(self, written_to: Path) -> None:
        self._written_to = written_to
        self._found: Counter[tuple[str, ...]] = Counter()

    def begin(self, _number: int, _frame: FrameType | None) -> None:
        """Note from now on."""
        self._found.clear()
        signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)

    def note(self, _number: int, frame: FrameType | None) -> None:
        """Where the main thread is."""
        files = []
        while frame is not None:
            files.append(frame.f_code.co_filename)
            frame = frame.f_back
        self._found[tuple(files)] += 1

    def end(self, _number: int, _frame: FrameType | None) -> None:
        """Note no more; write what was found."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        lines = [f"{SEPARATOR.join(files)} {count}\n" for files, count in self._found.items()]
        partial = self._written_to.with_suffix(".partial")
        partial.write_text("".join(lines), encoding="utf-8")
        partial.rename(self._written_to)


def _sample(written_to: Path) -> None:
    sampler = Sampler(written_to)
    for number, handle in (
        (signal.SIGUSR1, sampler.begin),
        (signal.SIGPROF, sampler.note),
        (signal.SIGUSR2, sampler.end),
    ):
        signal.signal(number, handle)


if __name__ == "__main__":
    _sample(Path(sys.argv.pop(1)))
    sys.exit(main())
