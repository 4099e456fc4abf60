"""The text is what the library's own, heavier module writes."""

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from monkey_coder_server.adapters.metrics import Metrics
from monkey_coder_server.adapters.metrics.exposition import text_of
from monkey_coder_server.adapters.metrics.tallies import Durations, Tally

ODD = 'a "quoted" \\ word\nin two lines'


def test_every_kind_is_written_as_the_library_does() -> None:
    registry = CollectorRegistry()
    Gauge("plain", f"Help, {ODD}.", registry=registry).set(0.1)
    Gauge("labelled", "Help.", ("b", "a"), registry=registry).labels(ODD, "2").set(float("nan"))
    Gauge("large", "Help.", registry=registry).set(1.5e30)
    Gauge("without_end", "Help.", registry=registry).set(float("-inf"))
    Tally(registry, "asked", "Help.", "by").add((ODD,), 3)
    Durations(registry, "taken", "Help.", "where", bounds=(0.1, 1)).observe("here", 0.5)
    assert text_of(registry.collect()) == generate_latest(registry)


def test_the_gateways_own_metrics_are_all_there() -> None:
    metrics = Metrics("1.2.3")
    metrics.observe_http("GET", "/v1/models", 200, 0.01)
    written = [line.split(" ")[0] for line in metrics.text().decode().splitlines()]
    assert written == [line.split(" ")[0] for line in generate_latest(metrics.registry).decode().splitlines()]
