"""Personas differ, and the caller's choice always stands."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_protocol.execute import PERSONAS as PROTOCOL_PERSONAS
from monkey_coder_protocol.execute import TASK_TYPES
from monkey_coder_server.domain.artifacts import CONVENTION_TASKS
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.personas import (
    PERSONA_OF_TASK,
    PERSONAS,
    SLASH_COMMANDS,
    choose,
    compose_system_prompt,
    leading_command,
)

COMMANDS = st.lists(st.sampled_from([*SLASH_COMMANDS, "/security", "nonsense"]), max_size=3)
TASKS = st.none() | st.sampled_from(TASK_TYPES) | st.just("unheard_of")


def test_the_personas_are_those_of_the_protocol() -> None:
    assert set(PROTOCOL_PERSONAS) == PERSONAS.keys()
    assert len(PERSONAS) == 8
    assert set(PERSONA_OF_TASK) == set(TASK_TYPES)
    assert set(TASK_TYPES) >= CONVENTION_TASKS


def test_no_two_personas_are_alike() -> None:
    personas = sorted(PERSONAS.values(), key=lambda persona: persona.instructions)
    assert all(one.instructions != other.instructions for one, other in pairwise(personas))
    assert len({(each.temperature, each.weights, each.default_task) for each in personas}) >= 7
    assert all(each.default_task in TASK_TYPES and 0 <= each.temperature <= 1 for each in personas)


@given(st.sampled_from(sorted(PERSONAS)), COMMANDS, TASKS)
@settings(max_examples=60)
def test_an_explicit_choice_is_never_overridden(name: str, commands: list[str], task_type: str | None) -> None:
    choice = choose(name.upper(), slash_commands=commands, task_type=task_type)
    assert (choice.persona.name, choice.decided_by) == (name, "explicit")


@pytest.mark.parametrize(
    ("commands", "task_type", "name", "decided_by"),
    [
        (["/security"], "code_generation", "security_analyst", "slash_command"),
        (["nonsense", "PERF"], None, "performance_expert", "slash_command"),
        (["nonsense"], "testing", "tester", "task_type"),
        ([], "code_review", "reviewer", "task_type"),
        ([], "unheard_of", "developer", "default"),
        ([], None, "developer", "default"),
    ],
)
def test_without_a_choice_commands_decide_before_the_task(
    commands: list[str], task_type: str | None, name: str, decided_by: str
) -> None:
    for nothing in (None, ""):
        choice = choose(nothing, slash_commands=commands, task_type=task_type)
        assert (choice.persona.name, choice.decided_by) == (name, decided_by)


def test_an_unknown_persona_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidRequest, match="choose one of developer, architect"):
        choose("wizard")


@pytest.mark.parametrize(
    ("prompt", "command", "rest"),
    [
        ("/sec look at this", "sec", "look at this"),
        ("  /Review  this", "review", "this"),
        ("/review", None, "/review"),
        ("/unknown this", None, "/unknown this"),
        ("review this", None, "review this"),
        ("/etc/passwd is world readable", None, "/etc/passwd is world readable"),
        ("", None, ""),
    ],
)
def test_a_slash_command_is_taken_off_the_front_of_a_prompt(prompt: str, command: str | None, rest: str) -> None:
    assert leading_command(prompt) == (command, rest)


@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_the_file_convention_is_asked_for_exactly_where_files_are_wanted(task_type: str) -> None:
    prompt = compose_system_prompt(PERSONAS["developer"], task_type)
    assert ("path=src/app.py" in prompt) == (task_type in CONVENTION_TASKS)
    assert prompt.startswith(PERSONAS["developer"].instructions)
    assert PERSONAS["developer"].conventions in prompt


def test_the_callers_own_instructions_come_last_and_count_most() -> None:
    prompt = compose_system_prompt(PERSONAS["custom"], "chat", "  Speak like a pirate. ")
    assert prompt.endswith("take precedence over the style rules above:\nSpeak like a pirate.")
    assert compose_system_prompt(PERSONAS["custom"], "chat", "  ") == compose_system_prompt(PERSONAS["custom"], "chat")
