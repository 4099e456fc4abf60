"""What is counted at every request: a look-up and an addition; Prometheus' samples are made when somebody reads them.

Used by one thread; the Prometheus library's own counters take a lock for each addition.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

Labels = tuple[str, ...]
"""Label values, in the order of the names."""


class Tally(Collector):
    """A counter for each combination of label values."""

    def __init__(self, registry: CollectorRegistry, name: str, help_text: str, *names: str) -> None:
        self._family = (name, help_text, names)
        self._counts: defaultdict[Labels, int] = defaultdict(int)
        registry.register(self)

    def add(self, labels: Labels, amount: int = 1) -> None:
        """Count; an amount of 0 makes no sample."""
        if amount > 0:
            self._counts[labels] += amount

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The counters now."""
        name, help_text, names = self._family
        family = CounterMetricFamily(name, help_text, labels=names)
        for labels, count in self._counts.items():
            family.add_metric(labels, count)
        yield family


class Durations(Collector):
    """A histogram of seconds for each value of a label. `bounds` are the buckets' upper ends, ascending."""

    def __init__(
        self, registry: CollectorRegistry, name: str, help_text: str, label: str, *, bounds: tuple[float, ...]
    ) -> None:
        self._family = (name, help_text, (label,))
        self._bounds = bounds
        self._names = [*(str(float(bound)) for bound in bounds), "+Inf"]
        self._buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(self._names))
        self._sums: defaultdict[str, float] = defaultdict(float)
        registry.register(self)

    def observe(self, label: str, durations: Iterable[float]) -> None:
        """Count durations, in seconds."""
        buckets = self._buckets[label]
        for seconds in durations:
            buckets[bisect_left(self._bounds, seconds)] += 1
            self._sums[label] += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The histograms now."""
        name, help_text, names = self._family
        family = HistogramMetricFamily(name, help_text, labels=names)
        for label, counts in self._buckets.items():
            buckets = list(zip(self._names, accumulate(counts), strict=True))
            family.add_metric([label], buckets, self._sums[label])
        yield family
