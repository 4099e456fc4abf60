"""Answers fit the prompt, differ between prompts and models, and their programs work."""

import ast
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from monkey_coder_server.sandbox.answers import compose, composing, library
from monkey_coder_server.sandbox.answers.library import Program, Template
from packages.server.tests.sandbox.simulating import MODELS, Simulated

CONVENTION = "Open each file's block with ```python path=src/app.py"


def programs(template: Template) -> Iterator[Program]:
    for seed, prompt in enumerate(("create it for books", "please write this", "for customers", "for entries")):
        yield library.fill(template, prompt, Random(seed))


@pytest.mark.parametrize("template", library.templates(), ids=lambda template: template.name)
def test_every_template_is_filled_completely_and_compiles(template: Template) -> None:
    for program in programs(template):
        assert program.files
        for path, content in program.files.items():
            assert "<%" not in path + content
            assert "%>" not in path + content
            if path.endswith(".py"):
                ast.parse(content, path)
            if path.endswith(".json"):
                json.loads(content)


@pytest.mark.parametrize(
    "name", ["lru_cache", "parser", "rate_limiter", "repository", "rest_api", "state_machine", "job_queue"]
)
def test_programs_pass_their_own_tests(name: str, tmp_path: Path) -> None:
    template = next(entry for entry in library.templates() if entry.name == name)
    for path, content in library.fill(template, "for orders", Random(name)).files.items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    command = [sys.executable, "-m", "unittest", "discover", "-p", "test_*.py", "-t", "."]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own templates
    assert ran.returncode == 0, ran.stderr
    assert "Ran 0 tests" not in ran.stderr


def test_the_sql_schema_loads() -> None:
    template = next(entry for entry in library.templates() if entry.name == "sql_schema")
    for program in programs(template):
        connection = sqlite3.connect(":memory:")
        for content in program.files.values():
            connection.executescript(content)
        connection.close()


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("create a REST API", "rest_api"),
        ("build a CLI tool for notes", "cli_tool"),
        ("implement an LRU cache with ttl", "lru_cache"),
        ("write an expression parser", "parser"),
        ("write a token bucket rate limiter", "rate_limiter"),
        ("write unit tests for my invoices", "unit_tests"),
        ("implement quicksort sorting", "sorting"),
        ("create a web scraper for links", "scraper"),
        ("create a dataclass model with validation", "data_model"),
        ("write an sqlite repository", "repository"),
        ("implement a state machine for orders", "state_machine"),
        ("write an LLM client with retry", "llm_client"),
        ("create a Node.js REST API with express", "javascript_api"),
        ("write a generic store class in TypeScript", "typescript_store"),
        ("write a SQL schema for tickets", "sql_schema"),
        ("create a Dockerfile for my service", "dockerfile"),
        ("write a function that does something new", "generic"),
    ],
)
def test_the_template_fits_the_prompt(prompt: str, expected: str) -> None:
    assert library.program(prompt, "", Random(1)).name == expected


def test_files_carry_their_path_when_the_convention_is_asked_for() -> None:
    text = compose("create a REST API for books", CONVENTION, Random(1))
    assert "```python path=app/main.py\n" in text
    assert "path=" not in compose("create a REST API for books", "", Random(1))


def test_a_file_with_fences_is_wrapped_in_a_longer_fence() -> None:
    text = composing.block("notes.md", "```\ncode\n```", with_path=True)
    assert text == "````markdown path=notes.md\n```\ncode\n```\n````"


@pytest.mark.parametrize("prompt", ["review app/main.py", "explain def retry(x)", "hello there", "why is it slow?"])
def test_prose_is_answered_with_prose(prompt: str) -> None:
    assert "```" not in compose(prompt, CONVENTION, Random(1))


FILES = """Files given as context:

```python path=shop/basket.py
# review this class, then write sql and a Dockerfile for TypeScript
class Basket: ...
```

"""


def test_files_that_come_along_do_not_decide_what_is_answered() -> None:
    assert composing.request_of(FILES + "create an LRU cache") == "create an LRU cache"
    assert "LRU cache" in compose(FILES + "create an LRU cache", CONVENTION, Random(1))
    assert "`shop/basket.py`" in compose(FILES + "Please review it.", CONVENTION, Random(1))


def test_a_system_prompt_can_ask_for_prose() -> None:
    system = "You review code. Task: review the given change or code."
    assert "## Review of `shop/basket.py`" in compose(FILES + "create quality", system, Random(1))


def test_a_system_prompt_decides_the_language_only_where_it_says_so() -> None:
    mentions = "Watch for SQL injection, Docker secrets and Node modules."
    assert "```python" in compose("create a REST API", mentions, Random(1))
    assert "```javascript" in compose("create a REST API", "Write everything in JavaScript.", Random(1))


def test_reviews_name_the_files_of_the_prompt() -> None:
    assert "`billing/ledger.py`" in compose("Please review billing/ledger.py for me", "", Random(1))


@pytest.mark.parametrize("provider", MODELS)
def test_the_same_seed_gives_the_same_bytes(provider: str, simulated: Simulated) -> None:
    first = simulated.prompt(provider, "create a REST API for books", stream=True).body
    simulated.world.reset()
    assert simulated.prompt(provider, "create a REST API for books", stream=True).body == first


def test_answers_differ_by_prompt_and_by_model(simulated: Simulated) -> None:
    texts = {
        simulated.ask("openai", simulated.body("openai", prompt, model=model)).served.reply.text
        for prompt in ("create a REST API for books", "create a REST API for the books")
        for model in ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-5")
    }
    assert len(texts) == 8
