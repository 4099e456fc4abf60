"""The committed API reference is what the code says today, and says something of every field of a task."""

import asyncio
from typing import Literal

import msgspec
import pytest

from monkey_coder_protocol import execute
from tools.reference import TARGET, WORDS, kind, meanings, reference


def test_the_committed_reference_is_current() -> None:
    assert TARGET.read_text(encoding="utf-8") == asyncio.run(reference()), "run `python -m tools.reference`"


@pytest.mark.parametrize(
    "struct", [execute.ExecuteRequest, execute.ExecutionContext, execute.PersonaConfig, execute.FileData]
)
def test_every_field_of_a_task_is_explained(struct: type[msgspec.Struct]) -> None:
    fields = {field.encode_name for field in msgspec.structs.fields(struct)}
    assert fields == set(meanings(struct))
    assert set(WORDS["meanings"].get(struct.__name__, {})) <= fields


def test_every_task_type_and_persona_is_named() -> None:
    assert all(f"`{word}`" in WORDS["meanings"]["ExecuteRequest"]["task_type"] for word in execute.TASK_TYPES)
    assert all(f"`{word}`" in WORDS["meanings"]["PersonaConfig"]["persona"] for word in execute.PERSONAS)


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (str | None, "text or null"),
        (list[execute.FileData] | None, "list of FileData or null"),
        (dict[str, int], "object of whole number"),
        (Literal["a", "b"] | msgspec.UnsetType, "`a` · `b`"),
    ],
)
def test_types_are_written_in_words(hint: object, words: str) -> None:
    assert kind(hint) == words
