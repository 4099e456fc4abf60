"""Real coding agents do a task with a tool call through the gateway, on models of several providers each."""

from collections.abc import Iterator

import pytest

from tests.agents.job import CONTENT, Mode
from tests.agents.modes import MODES
from tests.agents.theatre import Theatre, booked, theatre

pytestmark = [pytest.mark.system, pytest.mark.agents, pytest.mark.timeout(180)]
RUNS = [
    pytest.param(mode, model, marks=pytest.mark.xdist_group(mode.agent), id=f"{mode.name} on {model}")
    for mode in MODES
    for model in mode.models
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with theatre(tmp_path_factory.mktemp("agents")) as opened:
        yield opened


@pytest.mark.parametrize(("mode", "model"), RUNS)
def test_an_agent_writes_the_file_it_was_asked_for(stage: Theatre, mode: Mode, model: str) -> None:
    played = stage.play(mode, model)
    assert played.ran.status == 0, played.told
    assert played.written == CONTENT, played.told
    assert {call["provider"] for call in played.calls} == {model.partition("/")[0]}, played.told
    assert all(call["outcome"] == "served" for call in played.calls), played.told
    booked(played)
