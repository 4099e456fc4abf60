import json
import logging
from collections.abc import MutableMapping
from typing import Any

import pytest
from msgspec.structs import replace

from monkey_coder_server.adapters.metrics import Metrics, MetricsEndpoint, registry
from monkey_coder_server.adapters.metrics.log_format import REQUESTS, JsonLines, TextLines
from monkey_coder_server.ports.ledger import AttemptRecord
from monkey_coder_server.ports.telemetry import RequestRecord

RECORD = RequestRecord(
    request_id="req_1",
    account_id="acc_1",
    key_id="key_1",
    endpoint="execute",
    status="served",
    provider="openai",
    model="gpt-5",
    stream=False,
    task_type="chat",
    persona="developer",
    latency_ms=1500,
    first_byte_ms=200,
    input_tokens=10,
    output_tokens=5,
    price=123,
    provider_cost=100,
    attempts=(AttemptRecord("openai", "gpt-5", "served"),),
)


def test_a_request_is_counted_with_its_tokens_and_money() -> None:
    metrics = Metrics("1.2.3")
    metrics.record(RECORD)
    metrics.record(replace(RECORD, status="provider_error", provider=None, model=None, first_byte_ms=None, price=0))
    text = metrics.text().decode()
    assert 'monkey_coder_info{version="1.2.3"} 1.0' in text
    assert 'monkey_coder_tokens_total{kind="input",model="gpt-5",provider="openai"} 10.0' in text
    assert 'monkey_coder_nano_dollars_total{kind="price",model="gpt-5",provider="openai"} 123.0' in text
    assert 'status="provider_error"' in text


def test_no_more_requests_wait_to_be_counted_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "COUNTED_TOGETHER", 2)
    metrics, labels = Metrics("1"), {"provider": "openai", "model": "gpt-5", "kind": "input"}
    counted = []
    for _ in range(3):
        metrics.record(RECORD)
        counted.append(metrics.registry.get_sample_value("monkey_coder_tokens_total", labels))
    assert counted == [None, 20.0, 20.0]
    assert 'monkey_coder_tokens_total{kind="input",model="gpt-5",provider="openai"} 30.0' in metrics.text().decode()


def test_requests_that_are_alike_are_counted_together_as_each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(RECORD, model="gpt-5-mini", stream=True, latency_ms=40, first_byte_ms=None, loss=7, price=1)
    asked = [
        RECORD,
        other,
        replace(RECORD, input_tokens=3, latency_ms=90),
        replace(other, attempts=RECORD.attempts * 2),
    ]

    def counted() -> list[str]:
        metrics = Metrics("1")
        for record in asked:
            metrics.record(record)
        lines = metrics.text().decode().splitlines()
        return sorted(line for line in lines if line.startswith("monkey_coder_") and "_created" not in line)

    together = counted()
    assert 'monkey_coder_tokens_total{kind="input",model="gpt-5",provider="openai"} 13.0' in together
    assert 'monkey_coder_execution_duration_seconds_count{provider="openai"} 4.0' in together
    assert 'monkey_coder_first_byte_seconds_count{provider="openai"} 2.0' in together
    assert 'monkey_coder_attempts_total{model="gpt-5",outcome="served",provider="openai"} 5.0' in together
    monkeypatch.setattr(registry, "COUNTED_TOGETHER", 1)
    assert counted() == together


def test_a_request_is_logged_with_names_and_figures(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics("1")
    with caplog.at_level(logging.WARNING):
        metrics.record(RECORD)
    assert not caplog.records
    with caplog.at_level(logging.INFO):
        metrics.record(RECORD)
    line = json.loads(JsonLines().format(caplog.records[0]))
    assert (line["level"], line["message"], line["logger"]) == ("info", "request", REQUESTS)
    assert (line["request_id"], line["price"], line["attempts"]) == ("req_1", 123, 1)
    assert "request_id=req_1" in TextLines().format(caplog.records[0])


def test_an_invented_method_makes_no_new_series() -> None:
    metrics = Metrics("1")
    for method in ("BREW", "GULP"):
        metrics.observe_http(method, "unmatched", 405, 0.001)
    assert 'http_requests_total{endpoint="unmatched",method="other",status="405"} 2.0' in metrics.text().decode()


def test_a_defect_is_logged_without_what_its_message_quotes(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics("1")
    with pytest.raises(ValueError, match="canary") as raised:
        int("canary prompt text")
    metrics.defect("somewhere", raised.value)
    assert "ValueError" in str(caplog.records[0].__dict__["fields"])
    assert "canary" not in JsonLines().format(caplog.records[0])
    assert 'monkey_coder_defects_total{where="somewhere"} 1.0' in metrics.text().decode()


def test_a_log_line_is_one_json_object_or_one_line_of_text() -> None:
    record = logging.LogRecord("monkey", logging.INFO, "f", 1, "a\nb", None, None)
    record.fields = {"key": "c\nd"}
    assert json.loads(JsonLines().format(record))["key"] == "c\nd"
    assert "\n" not in TextLines().format(record)


async def test_the_metrics_port_serves_metrics_only() -> None:
    endpoint = MetricsEndpoint(Metrics("1").read)
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        raise AssertionError

    await endpoint({"method": "GET", "path": "/metrics"}, receive, send)
    await endpoint({"method": "GET", "path": "/v1/execute"}, receive, send)
    assert [message["status"] for message in sent if "status" in message] == [200, 404]
    assert b"monkey_coder_info" in sent[1]["body"]
