"""Vectors by the model that lies in a wheel: offline, the same each time; or one sentence of what to do."""
# ruff: noqa: S603 - the process started is this repository's own code

import asyncio
import subprocess
import sys
import threading
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from monkey_coder_server.adapters.embedding import wordllama
from monkey_coder_server.adapters.embedding.wordllama import WordLlama, missing
from monkey_coder_server.domain.rewording import LONGEST, similarity

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture(scope="module")
def model() -> WordLlama:
    return WordLlama()


def test_a_vector_has_length_1_and_is_the_same_each_time(model: WordLlama) -> None:
    first, again = model.vector_of("Write a function."), model.vector_of("Write a function.")
    assert list(first) == list(again)
    assert len(first) == 256
    assert sum(each * each for each in first) == pytest.approx(1.0, abs=1e-5)


def test_what_means_nearly_the_same_is_nearer(model: WordLlama) -> None:
    one, near, far = map(model.vector_of, ("How is a file deleted?", "How do I delete a file?", "Who painted this?"))
    assert similarity(one, near) > 0.5 > similarity(one, far)


def test_a_text_without_a_token_is_like_no_other(model: WordLlama) -> None:
    assert similarity(model.vector_of(""), model.vector_of("a word")) == 0.0


@pytest.mark.parametrize("text", ["\x00\ud7ff\U0001f648", "x" * LONGEST, "\u0301" * LONGEST, " " * LONGEST])
def test_every_text_has_one(model: WordLlama, text: str) -> None:
    assert similarity(model.vector_of(text), model.vector_of(text)) == pytest.approx(1.0, abs=1e-5)


async def test_nothing_else_waits_for_it(model: WordLlama, monkeypatch: pytest.MonkeyPatch) -> None:
    loops, threads = threading.get_ident(), []
    vector_of = model.vector_of

    def noted(text: str) -> object:
        threads.append(threading.get_ident())
        return vector_of(text)

    monkeypatch.setattr(model, "vector_of", noted)
    told = await asyncio.gather(*(model.vector("a word") for _ in range(4)))
    assert [list(each) for each in told] == [list(vector_of("a word"))] * 4
    assert loops not in threads


def test_its_name_tells_the_model_and_its_edition(model: WordLlama) -> None:
    assert model.name.startswith("wordllama-0.4")
    assert model.name.endswith("-l2-supercat-256")


def test_nothing_is_missing_here() -> None:
    assert missing() is None


@pytest.mark.parametrize("package", ["wordllama", "tokenizers", "safetensors", "numpy"])
def test_without_one_of_its_packages_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    find = wordllama.find_spec
    monkeypatch.setattr(wordllama, "find_spec", lambda name: None if name == package else find(name))
    told = missing()
    assert told is not None
    assert told.startswith(f"{package} not installed; `pip install monkey-coder-server[semantic]`")
    if package == "wordllama":
        with pytest.raises(ImportError, match="not installed"):
            WordLlama()


def test_without_its_files_it_is_said_which(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = ModuleSpec("wordllama", None, origin=str(tmp_path / "__init__.py"))
    find = wordllama.find_spec
    monkeypatch.setattr(wordllama, "find_spec", lambda name: empty if name == "wordllama" else find(name))
    told = missing()
    assert told is not None
    assert "weights/l2_supercat_256.safetensors" in told


def test_what_is_off_costs_no_import() -> None:
    heavy = "{'numpy', 'tokenizers', 'safetensors', 'wordllama'}"
    told = f"import sys, monkey_coder_server.bootstrap.gateway; print(sorted({heavy} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
