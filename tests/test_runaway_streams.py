"""Providers that ignore their limit, callers who leave long answers: over sockets, against the simulators' tally."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.matrix.cells import told
from tests.matrix.drivers import DIALECTS
from tests.matrix.models import PLAIN, PROVIDERS
from tests.matrix.stage import Stage, stage
from tests.matrix.words import Options

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("runaway")]

LIMIT = 200
LONG = 3_000
"""Tokens."""
READ_TO_THE_END = {"google", "groq", "perplexity", "moonshot"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("runaway"), []) as made:
        yield made


def last_entry(running: Stage, provider: str) -> Any:
    tally = running.simulators.get("/__sandbox/tally").body["requests"]
    return next(entry for entry in reversed(tally) if entry["provider"] == provider)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_without_end_is_landed_as_length(running: Stage, dialect: str, provider: str) -> None:
    driver = running.drivers[dialect]
    talk = driver.talk(f"{provider}/{PLAIN[provider]}")
    talk.say(told(f"fault=no_limit output_tokens={LONG} reasoning_tokens=0", f"Go on, {dialect}."))
    said = talk.ask(Options(max_tokens=LIMIT), stream=True)
    assert said.finish == driver.finishes["length"]
    assert LIMIT * 4 <= len(said.text) <= LIMIT * 8
    row = running.row(said.request_id)
    assert (row.status, row.estimated) == ("served", True)
    assert row.counted.output == pytest.approx(len(said.text) / 4, rel=0.05)
    assert row.charged <= row.hold
    assert row.loss <= row.charged // 2


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_of_its_limit_is_the_providers_own(running: Stage, provider: str) -> None:
    for dialect in DIALECTS:
        talk = running.drivers[dialect].talk(f"{provider}/{PLAIN[provider]}")
        talk.say(told(f"output_tokens={LONG} reasoning_tokens=0 chunk=1", f"Keep to it, {dialect}."))
        said = talk.ask(Options(max_tokens=LIMIT), stream=True)
        assert said.finish == running.drivers[dialect].finishes["length"]
        row = running.row(said.request_id)
        assert (row.counted.output, row.estimated, row.loss) == (LIMIT, False, 0)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_who_leaves_a_long_answer_pays_for_no_more_than_it_takes_to_know_the_price(
    running: Stage, provider: str
) -> None:
    talk = running.drivers["chat"].talk(f"{provider}/{PLAIN[provider]}")
    talk.say(told(f"output_tokens={LONG} tokens_per_second=1500 reasoning_tokens=0", "Stay a while."))
    request_id = asyncio.run(talk.leave(Options(max_tokens=2 * LONG), after=4))
    row = running.row(request_id)
    entry = last_entry(running, provider)
    billed = entry["usage"]["output"] + entry["usage"]["reasoning"]
    if provider in READ_TO_THE_END:
        assert (row.counted.output, row.estimated, entry["outcome"]) == (LONG, False, "served")
        assert row.provider_cost == entry["cost_nanos"]
        return
    assert (row.estimated, entry["outcome"]) == (True, "abandoned")
    assert row.counted.output < LONG // 3
    assert row.counted.output == pytest.approx(billed, rel=0.25)
