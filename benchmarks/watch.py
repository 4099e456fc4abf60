"""What a benchmark of holds reads: how fast they were granted, and how fast all of their requests were booked."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles

_COLUMNS = "{:12} {:>8} {:24} {:>11} {:>10} {:>12} {:>20}"
HEAD = _COLUMNS.format("database", "wallets", "held", "admitted/s", "booked/s", "CPU/request", "hold p50/p99")


@dataclass(slots=True)
class Watch:
    """Over so many requests; it goes on while it is `running`."""

    requests: int
    taken: float = 0.0
    cpu: float = 0.0
    since: float = 0.0
    waits: list[float] = field(default_factory=list)
    admitted: str = ""
    booked: str = ""

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time and the CPU of this process."""
        self.since, cpu = time.perf_counter(), time.process_time()
        yield
        self.taken += time.perf_counter() - self.since
        self.cpu += time.process_time() - cpu
        self.since = 0.0

    @contextmanager
    def hold(self) -> Iterator[None]:
        """The wait for one hold."""
        since = time.perf_counter()
        yield
        self.waits.append(time.perf_counter() - since)

    def all_admitted(self) -> None:
        """The last hold has been granted."""
        self.admitted = self._rate()

    def all_booked(self) -> None:
        """The last ending is in the books."""
        self.booked = self._rate()

    def row(self, database: str, wallets: int, held: str) -> str:
        """A row of the table under `HEAD`."""
        used = f"{self.cpu / self.requests * 1e6:.0f} us"
        return _COLUMNS.format(
            database, wallets, held, self.admitted, self.booked, used, spread(self.waits) if self.waits else ""
        ).rstrip()

    def _rate(self) -> str:
        running = time.perf_counter() - self.since if self.since else 0.0
        return f"{self.requests / (self.taken + running):.0f}"


def percentiles(seconds: list[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    return median(seconds), quantiles(seconds, n=100)[98]


def spread(seconds: list[float]) -> str:
    """Both, for people."""
    p50, p99 = percentiles(seconds)
    return f"{p50 * 1e3:.2f} / {p99 * 1e3:.2f} ms"
