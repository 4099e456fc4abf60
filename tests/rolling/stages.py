"""Where several workers are put to the proof."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.kills.gateway import Stage, stage
from tests.rolling.proof import WORKERS
from tools.processes import free_port


@contextmanager
def workers_at(data: Path, database: str = "") -> Iterator[Stage]:
    """A stage whose gateways have workers, and time to end long streams. `database`: a URL; SQLite without."""
    with stage(data, database=database) as where:
        settings = {"WORKERS": str(WORKERS), "DRAIN_SECONDS": "60"}
        yield replace(where, metrics_port=free_port(), settings=settings)
