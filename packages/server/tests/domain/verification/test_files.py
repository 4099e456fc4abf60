"""Files and edits of an answer against the files that were sent."""

import pytest

from monkey_coder_server.domain.verification.files import MOST_PARSED, file_findings
from monkey_coder_server.domain.verification.verdict import Outcome

PASSED, FAILED, NOTHING = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_APPLICABLE
FILES = {"src/app.py": "def f():\n    return 1\n"}


def _edit(path: str, before: str, after: str) -> str:
    return f"{path}\n```python\n<<<<<<< SEARCH\n{before}\n=======\n{after}\n>>>>>>> REPLACE\n```\n"


@pytest.mark.parametrize(
    ("text", "outcomes"),
    [
        ("Just words.", (NOTHING, NOTHING, NOTHING)),
        (_edit("src/app.py", "    return 1", "    return 2"), (PASSED, PASSED, PASSED)),
        (_edit("src/app.py", "    return 1", "    return (2"), (PASSED, PASSED, FAILED)),
        (_edit("src/app.py", "    return 9", "    return 2"), (PASSED, FAILED, NOTHING)),
        (_edit("lib/b.py", "    return 1", "    return 2"), (FAILED, NOTHING, NOTHING)),
        (_edit("", "    return 1", "    return 2"), (FAILED, NOTHING, NOTHING)),
        (_edit("src/app.py", "    return 1", "")[:60], (NOTHING, FAILED, NOTHING)),
        ("```python path=new.py\nx = 1\n```\n", (NOTHING, NOTHING, PASSED)),
        ("```python path=new.py\nx = (\n```\n", (NOTHING, NOTHING, FAILED)),
        ("```python path=new.py\nx = (", (NOTHING, NOTHING, NOTHING)),
        ("```go path=new.go\nx = (\n```\n", (NOTHING, NOTHING, NOTHING)),
    ],
)
def test_edits_name_sent_files_match_them_and_what_comes_of_them_parses(
    text: str, outcomes: tuple[Outcome, ...]
) -> None:
    assert tuple(found.outcome for found in file_findings(text, FILES, "custom")) == outcomes


def test_without_files_nothing_is_said_of_edits() -> None:
    found = file_findings(_edit("src/app.py", "a", "b"), {}, "custom")
    assert {each.outcome for each in found} == {NOTHING}


def test_a_file_that_did_not_parse_before_is_not_held_against_the_answer() -> None:
    broken = {"a.py": "x = (\ny = 1\n"}
    assert file_findings(_edit("a.py", "y = 1", "y = 2"), broken, "custom")[2].outcome is NOTHING


def test_a_block_without_a_name_is_a_file_where_the_task_writes_files() -> None:
    text = "```python\nx = (\n```\n"
    assert file_findings(text, {}, "custom")[2].outcome is NOTHING
    assert file_findings(text, {}, "code_generation")[2].outcome is FAILED


def test_comparing_and_parsing_end_after_so_much() -> None:
    lines = "\n".join(["a"] * 2_000 + ["b"])
    found = file_findings(_edit("a.py", lines, ""), {"a.py": "a\n" * 20_000}, "custom")
    assert {each.outcome for each in found} == {NOTHING}
    long = f"```python path=b.py\n{'#' * MOST_PARSED}\nx = (\n```\n"
    assert file_findings(long, {}, "custom")[2].outcome is NOTHING
