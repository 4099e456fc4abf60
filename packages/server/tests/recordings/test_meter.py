"""No recorded stream is longer, by the gateway's own meter, than its provider says it was."""

import pytest

from monkey_coder_server.domain.pricing import PriceRow, Rates
from monkey_coder_server.domain.stream_events import Answer, UsageReported
from monkey_coder_server.domain.usage import normalise
from monkey_coder_server.features.inference.meter import Meter
from monkey_coder_server.features.inference.tariff import Tariff
from packages.server.tests.recordings import replay

TARIFF = Tariff(PriceRow(provider="any", model="any", rates=Rates.of(input=1, output=1)), 0, "book")
STREAMS = [
    record
    for record in replay.records()
    if record["stream"] and not replay.is_http_error(record) and not record["expected"].get("truncated_stream")
]
LEAST = 100
"""So many streams are kept in the repository."""


@pytest.mark.parametrize("relay", [False, True])
def test_no_provider_that_keeps_to_its_limit_is_stopped(*, relay: bool) -> None:
    measured = 0
    for record in STREAMS:
        rule = replay.usage_rule_of(record)
        decoder = replay.dialect_of(record["provider"], record["api"]).decoder(relay=relay)
        events = [*decoder.feed(replay.body_of(record)), *decoder.finish()]
        answer = Answer()
        for event in events:
            answer.apply(event)
        if answer.usage is None or answer.finish is None:
            continue
        reports = [
            event.usage for event in events if isinstance(event, UsageReported)
        ]  # one Gemini stream takes some back
        most = max(normalise(rule, report).output for report in reports)
        meter = Meter(most, held=10**15, tariff=TARIFF, rule=rule)
        for event in events:
            meter.see(event)
            assert not meter.over, record["id"]
        measured += 1
    assert measured >= LEAST
