"""Tallies read as the Prometheus library's own counters and histograms do."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import Sample

from monkey_coder_server.adapters.metrics.tallies import Durations, Tally

BOUNDS = (0.1, 1, 2.5)
SECONDS = (0.05, 0.1, 0.100001, 1, 2, 60)


def samples(fill: Callable[[CollectorRegistry], object]) -> list[Sample]:
    registry = CollectorRegistry()
    fill(registry)
    assert generate_latest(registry)
    found = [sample for family in registry.collect() for sample in family.samples]
    return sorted((sample for sample in found if not sample.name.endswith("_created")), key=str)


def test_a_tally_is_a_counter() -> None:
    def ours(registry: CollectorRegistry) -> None:
        tally = Tally(registry, "calls", "Calls.", "who", "how")
        for labels, amount in ((("a", "x"), 1), (("b", "x"), 5), (("a", "x"), 2)):
            tally.add(labels, amount)

    def theirs(registry: CollectorRegistry) -> None:
        counter = Counter("calls", "Calls.", ("who", "how"), registry=registry)
        for labels, amount in ((("a", "x"), 1), (("b", "x"), 5), (("a", "x"), 2)):
            counter.labels(*labels).inc(amount)

    assert samples(ours) == samples(theirs)


def test_nothing_counted_is_no_sample() -> None:
    assert samples(lambda registry: Tally(registry, "calls", "Calls.", "who").add(("a",), 0)) == []


def test_durations_are_a_histogram() -> None:
    def ours(registry: CollectorRegistry) -> None:
        durations = Durations(registry, "took_seconds", "Time.", "who", bounds=BOUNDS)
        for seconds in SECONDS:
            durations.observe("a", [seconds])

    def theirs(registry: CollectorRegistry) -> None:
        histogram = Histogram("took_seconds", "Time.", ("who",), buckets=BOUNDS, registry=registry)
        for seconds in SECONDS:
            histogram.labels("a").observe(seconds)

    assert samples(ours) == samples(theirs)
