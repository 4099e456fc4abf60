"""Real coding agents behind whose gateway a provider fails: they finish, or stop by themselves and say why."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.agents.job import CONTENT, Mode
from tests.agents.modes import GOOGLE, MODES
from tests.agents.theatre import Theatre, booked, theatre

pytestmark = [pytest.mark.system, pytest.mark.agents, pytest.mark.timeout(180)]
MOST_CALLS = 4
HARMLESS: Mapping[str, Mapping[str, Any]] = {
    "no usage": {"fault": "no_usage"},
    "slow": {"fault": "slow_drip", "delay": 0.1, "first_token_ms": 1_000},
    "split": {"split": 3},
    "CRLF": {"fault": "crlf"},
    "cut once before a word": {"fault": "cut", "after": 0, "times": 1},
}
"""What the agent must not even notice."""
BROKEN: Mapping[str, Mapping[str, Any]] = {
    "cut": {"fault": "cut", "after": 16, "chunk": 4},
    "ended early": {"fault": "eof", "after": 16, "chunk": 4},
    "no last event": {"fault": "no_end"},
}
"""Every answer breaks in the middle, whenever it is asked for. Gemini's calls have none: each comes in one frame."""


def _runs(faults: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    return [
        pytest.param(
            mode, model, fault, marks=pytest.mark.xdist_group(mode.agent), id=f"{mode.name} on {model}, {name}"
        )
        for number, mode in enumerate(MODES)
        for name, fault in faults.items()
        for model in (_turn(mode, number, faults),)
    ]


def _turn(mode: Mode, number: int, faults: Mapping[str, Any]) -> str:
    """Each mode on another of its models."""
    models = [model for model in mode.models if faults is HARMLESS or model != GOOGLE]
    return models[number % len(models)]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with theatre(tmp_path_factory.mktemp("faults")) as opened:
        yield opened


@pytest.mark.parametrize(("mode", "model", "fault"), _runs(HARMLESS))
def test_an_agent_does_not_notice(stage: Theatre, mode: Mode, model: str, fault: Mapping[str, Any]) -> None:
    played = stage.play(mode, model, fault)
    assert played.ran.status == 0, played.told
    assert played.written == CONTENT, played.told
    booked(played)


@pytest.mark.parametrize(("mode", "model", "fault"), _runs(BROKEN))
def test_an_agent_ends_by_itself(stage: Theatre, mode: Mode, model: str, fault: Mapping[str, Any]) -> None:
    played = stage.play(mode, model, fault)
    assert played.ran.status is not None, played.told
    assert len(played.calls) <= MOST_CALLS, played.told
    assert played.ran.status == 0 or played.ran.output.strip(), played.told
    booked(played)
