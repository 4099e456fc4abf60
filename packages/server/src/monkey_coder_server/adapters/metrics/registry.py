"""Prometheus counters and the request log line: figures and names, never a prompt or an answer."""

import logging
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from monkey_coder_server.adapters.metrics.log_format import REQUESTS
from monkey_coder_server.adapters.metrics.tallies import Durations, Tally
from monkey_coder_server.ports.telemetry import RequestRecord

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_Alike = tuple[str, str, str, str, bool]
"""Endpoint, status, provider, model, and whether it is a stream."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
COUNTED_TOGETHER = 64
"""About a quarter of a millisecond of work; who reads the figures has the rest counted first."""
_EVERY_LINE = vars(logging.LogRecord(REQUESTS, logging.INFO, __file__, 0, "request", None, None))
_requests = logging.getLogger(REQUESTS)
_defects = logging.getLogger("monkey_coder_server.defects")


class RequestLine(logging.LogRecord):
    """The line of a request, made directly: but for the time and its fields, each is like the others."""

    request: RequestRecord

    def __init__(self, request: RequestRecord) -> None:
        now = time.time()
        self.__dict__ = {**_EVERY_LINE, "created": now, "msecs": int(now % 1 * 1000) + 0.0, "request": request}

    @property
    def fields(self) -> dict[str, object]:
        """What is told of the request, found when the line is put into words."""
        return _logged(self.request)


class Metrics:
    """One registry a process. Implements `ports.telemetry.Telemetry`, and observes every HTTP answer."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        info = Gauge("monkey_coder_info", "What is running.", ("version",), registry=self.registry)
        info.labels(version).set(1)
        self._http = self._tally("http_requests", "HTTP answers.", "method", "endpoint", "status")
        self._http_seconds = self._durations("http_request_duration_seconds", "Time to the answer's end.", "endpoint")
        self._served = self._tally(
            "monkey_coder_requests", "Inference requests.", "endpoint", "status", "provider", "model", "stream"
        )
        self._tokens = self._tally("monkey_coder_tokens", "Tokens of served requests.", "provider", "model", "kind")
        self._money = self._tally(
            "monkey_coder_nano_dollars", "Nano-dollars charged, paid and lost.", "provider", "model", "kind"
        )
        self._seconds = self._durations("monkey_coder_execution_duration_seconds", "Whole requests.", "provider")
        self._first = self._durations("monkey_coder_first_byte_seconds", "Time to the first byte.", "provider")
        self._attempts = self._tally("monkey_coder_attempts", "Calls to providers.", "provider", "model", "outcome")
        self._unexplained = self._by_comparison(
            "monkey_coder_reconciliation_unexplained_nano_dollars", "Unexplained at the newest reconciliation."
        )
        self._findings = self._by_comparison(
            "monkey_coder_reconciliation_findings", "Findings of the newest reconciliation."
        )
        self._reconciled_at = self._by_comparison(
            "monkey_coder_reconciliation_timestamp_seconds", "When the newest reconciliation was made."
        )
        self._uncounted: list[RequestRecord] = []
        self._mistakes = self._tally("monkey_coder_defects", "Unforeseen exceptions that were contained.", "where")

    def reconciled(self, provider: str, compared_with: str, *, unexplained: int, findings: int, at: float) -> None:
        """The newest comparison of a provider's books with its `invoice` or its `answers`.

        Nano-dollars nobody can explain, findings, Unix seconds.
        """
        self._unexplained.labels(provider, compared_with).set(unexplained)
        self._findings.labels(provider, compared_with).set(findings)
        self._reconciled_at.labels(provider, compared_with).set(at)

    def track(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """A gauge that is asked for its value whenever the metrics are read."""
        Gauge(name, help_text, registry=self.registry).set_function(value)

    def observe_http(self, method: str, endpoint: str, status: int, seconds: float) -> None:
        """Count one HTTP answer."""
        known = method if method in _METHODS else "other"
        self._http.add((known, endpoint, str(status)))
        self._http_seconds.observe(endpoint, (seconds,))

    def record(self, record: RequestRecord) -> None:
        """Count and log one finished inference request."""
        self._uncounted.append(record)
        if len(self._uncounted) >= COUNTED_TOGETHER:
            self._count_all()
        if _requests.isEnabledFor(logging.INFO):
            _requests.handle(RequestLine(record))

    def defect(self, where: str, error: BaseException) -> None:
        """Count and log an unforeseen exception: its type and where it rose, not its message, which may quote input."""
        self._mistakes.add((where,))
        frames = [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
        ]
        fields = {"where": where, "type": type(error).__qualname__, "frames": frames[-8:]}
        _defects.error("an unforeseen exception was contained", extra={"fields": fields})

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        self._count_all()
        return generate_latest(self.registry)

    async def read(self) -> bytes:
        """The same, for whoever may have to wait for it elsewhere."""
        return self.text()

    def _count_all(self) -> None:
        """Count what was recorded: one after another costs less than each between requests."""
        alike: defaultdict[_Alike, list[RequestRecord]] = defaultdict(list)
        for record in self._uncounted:
            labels = (record.endpoint, record.status, record.provider or "none", record.model or "none", record.stream)
            alike[labels].append(record)
        self._uncounted.clear()
        for labels, records in alike.items():
            self._count(labels, records)

    def _count(self, labels: _Alike, records: list[RequestRecord]) -> None:
        """Count what the requests of the same labels come to together."""
        endpoint, status, provider, model, stream = labels
        self._served.add((endpoint, status, provider, model, "true" if stream else "false"), len(records))
        self._tokens.add((provider, model, "input"), sum([record.input_tokens for record in records]))
        self._tokens.add((provider, model, "cached"), sum([record.cached_tokens for record in records]))
        self._tokens.add((provider, model, "output"), sum([record.output_tokens for record in records]))
        self._tokens.add((provider, model, "reasoning"), sum([record.reasoning_tokens for record in records]))
        self._money.add((provider, model, "price"), sum([record.price for record in records]))
        self._money.add((provider, model, "provider_cost"), sum([record.provider_cost for record in records]))
        self._money.add((provider, model, "loss"), sum([record.loss for record in records]))
        self._seconds.observe(provider, [record.latency_ms / 1000 for record in records])
        first = [record.first_byte_ms / 1000 for record in records if record.first_byte_ms is not None]
        if first:
            self._first.observe(provider, first)
        calls = Counter([(each.provider, each.model, each.outcome) for record in records for each in record.attempts])
        for called, count in calls.items():
            self._attempts.add(called, count)

    def _by_comparison(self, name: str, help_text: str) -> Gauge:
        return Gauge(name, help_text, ("provider", "compared_with"), registry=self.registry)

    def _tally(self, name: str, help_text: str, *labels: str) -> Tally:
        return Tally(self.registry, name, help_text, *labels)

    def _durations(self, name: str, help_text: str, label: str) -> Durations:
        return Durations(self.registry, name, help_text, label, bounds=_SECONDS)


def _logged(record: RequestRecord) -> dict[str, object]:
    """What the log line says of a request; money in nano-dollars."""
    return {
        "request_id": record.request_id,
        "account_id": record.account_id,
        "key_id": record.key_id,
        "endpoint": record.endpoint,
        "status": record.status,
        "provider": record.provider,
        "model": record.model,
        "stream": record.stream,
        "latency_ms": record.latency_ms,
        "first_byte_ms": record.first_byte_ms,
        "input_tokens": record.input_tokens,
        "output_tokens": record.output_tokens,
        "price": record.price,
        "provider_cost": record.provider_cost,
        "attempts": len(record.attempts),
        "client_gone": record.client_gone,
    }
