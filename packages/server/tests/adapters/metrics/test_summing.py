"""Figures of several processes read as those of one: counts only grow, gauges stay apart."""

from prometheus_client.parser import text_string_to_metric_families

from monkey_coder_server.adapters.metrics import Metrics, Sums


def figures(answers: int, *, seconds: float = 0.02, gauge: float = 1.0) -> str:
    """What a process tells after so many answers."""
    metrics = Metrics("1")
    metrics.track("monkey_coder_active_requests", "Requests being answered now.", lambda: gauge)
    for _ in range(answers):
        metrics.observe_http("GET", '/v1/{odd "name"}', 200, seconds)
    return metrics.text().decode()


def read(text: str) -> dict[tuple[str, str], float]:
    """Samples by name and worker, read by Prometheus' own parser."""
    return {
        (sample.name, sample.labels.get("worker", "") + sample.labels.get("le", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_counters_and_buckets_are_added_and_gauges_are_told_apart() -> None:
    found = read(Sums().text({"1": figures(2, gauge=3), "2": figures(5, seconds=100, gauge=4)}))
    assert found["http_requests_total", ""] == 7
    assert found["http_request_duration_seconds_count", ""] == 7
    assert found["http_request_duration_seconds_bucket", "0.025"] == 2
    assert found["http_request_duration_seconds_bucket", "120.0"] == 7
    assert found["http_request_duration_seconds_bucket", "+Inf"] == 7
    assert found["monkey_coder_active_requests", "1"] == 3
    assert found["monkey_coder_active_requests", "2"] == 4
    assert ("monkey_coder_active_requests", "") not in found


def test_what_a_process_counted_stays_when_it_ends_and_another_takes_its_number() -> None:
    sums = Sums()
    before = read(sums.text({"1": figures(2), "2": figures(5)}))
    sums.retire(figures(5))
    after = read(sums.text({"1": figures(2), "2": figures(0)}))
    assert after["http_requests_total", ""] == before["http_requests_total", ""]
    assert read(sums.text({}))["http_requests_total", ""] == 5
    assert not [name for name, _ in read(sums.text({})) if name == "monkey_coder_active_requests"]


def test_each_metric_has_one_head_and_odd_values_are_kept() -> None:
    text = Sums().text({"1": figures(1, gauge=float("inf")), "2": figures(1, gauge=float("-inf"))})
    assert text.count("# TYPE http_requests_total counter\n") == 1
    found = read(text)
    assert found["monkey_coder_active_requests", "1"] == float("inf")
    assert found["monkey_coder_active_requests", "2"] == float("-inf")
