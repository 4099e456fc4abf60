"""Recorded answers come through a running gateway into every official SDK as the provider's own SDK read them.

A tenth of them in the suite; all of them with RECORDINGS=all. `test_through_*.py` beside the recordings prove the
codecs on every one; here they pass sockets, pipeline and books.
"""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal

import pytest

from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.stream_events import FinishReason
from monkey_coder_server.domain.usage import ReportedUsage, normalise
from monkey_coder_server.features.inference.exchange import SILENCE_IS_MEANT
from monkey_coder_server.features.inference.pipeline import MERELY_CUT
from packages.server.tests.recordings import replay
from packages.server.tests.recordings.replay import Record
from tests.matrix.drivers import DIALECTS
from tests.matrix.models import PLAIN, PROVIDERS
from tests.matrix.stage import Gateway, gateway
from tests.recordings.reading import APIS, differences
from tests.recordings.replayer import prompt, replayer

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("recordings"), pytest.mark.timeout(600)]
AT_ONCE = 8
ONE_IN = 1 if os.environ.get("RECORDINGS") == "all" else 10
RECORDS = [record for record in replay.records() if record["response"]["status"] < 500][::ONE_IN]
"""Errors of a provider's server are asked for again, which takes a while and is tried elsewhere."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Future[list[str]]]]:
    with (
        replayer({record["id"]: record for record in RECORDS}) as address,
        gateway(tmp_path_factory.mktemp("recordings"), dict.fromkeys(PROVIDERS, address)) as running,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        yield {record["id"]: pool.submit(_play, record, running) for record in RECORDS}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("record", RECORDS, ids=[record["id"] for record in RECORDS])
def test_an_answer_comes_through(record: Record, played: Mapping[str, Future[list[str]]]) -> None:
    assert played[record["id"]].result() == []


def _play(record: Record, running: Gateway) -> list[str]:
    """What is wrong with the recording, asked for in each dialect."""
    asked = [dialect for dialect in DIALECTS if _is_how_it_is_asked(record, dialect)]
    return [f"{dialect}: {wrong}" for dialect in asked for wrong in _ask(record, running, dialect)]


def _is_how_it_is_asked(record: Record, dialect: str) -> bool:
    """Whether a caller of the dialect makes the gateway speak the API the recording is of."""
    speaks_both = record["provider"] in {"openai", "xai"}
    return record["api"] == "openai-responses" or not (speaks_both and dialect == "responses")


def _model(record: Record) -> str:
    """One that makes the gateway speak that API, whatever the caller speaks."""
    if record["api"] == "openai-responses":
        return "openai/gpt-5.3-codex"
    provider = record["provider"] if record["provider"] in PROVIDERS else "moonshot"  # the rest are Kimi models
    return f"{provider}/{PLAIN[provider]}"


def _ask(record: Record, running: Gateway, dialect: str) -> Iterator[str]:
    driver = running.drivers[dialect]
    talk = driver.talk(_model(record))
    talk.say(f"{prompt(record)} in {dialect}")
    kind = _error(record, relayed=record["api"] == APIS[dialect])
    if kind is not None:
        expected = driver.broken if kind == "broken" else driver.errors[kind][0]
        with pytest.raises(expected):
            talk.ask(stream=record["stream"])
        return
    answer = replay.fold(replay.read(record))
    usage = normalise(replay.usage_rule_of(record), answer.usage or ReportedUsage())
    said = talk.ask(stream=record["stream"])
    yield from differences(record, answer, usage, said, driver)
    row = running.row(said.request_id)
    if said.cost != Decimal(usd(row.charged)):
        yield f"cost {said.cost}, booked {usd(row.charged)}"
    if row.status != ("served" if answer.failure is None else "failed"):
        yield f"booked as {row.status}"


def _error(record: Record, *, relayed: bool) -> str | None:
    """Which error of the caller's SDK it must become, if any."""
    if replay.is_http_error(record):
        return _told(replay.failure_of(record).kind)
    answer = replay.fold(replay.read(record))
    spoken = bool("".join(answer.text) or "".join(answer.refusal) or answer.calls)
    failed = answer.failure
    if failed is None:
        if spoken or answer.finish in SILENCE_IS_MEANT or (relayed and answer.server_items):
            return None
        filtered = answer.finish is FinishReason.CONTENT_FILTER
        return _told(FailureKind.CONTENT_FILTER if filtered else FailureKind.MALFORMED)
    if not (spoken or answer.thinking or answer.server_items):
        return _told(failed.kind)
    return None if failed.kind in MERELY_CUT else "broken"


def _told(kind: FailureKind) -> str:
    theirs = {FailureKind.INVALID_REQUEST, FailureKind.CONTENT_FILTER, FailureKind.CONTEXT_TOO_LONG}
    return "refused" if kind in theirs else "provider"
