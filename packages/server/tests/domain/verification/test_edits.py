"""Edits are read as models write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.verification.edits import Edit, Edits, read_edits

BLOCK = "<<<<<<< SEARCH\nold\n=======\nnew\nmore\n>>>>>>> REPLACE\n"
CHANGE = (("old",), ("new", "more"))


@pytest.mark.parametrize(
    ("lead", "path"),
    [
        ("src/app.py\n```python\n", "src/app.py"),
        ("**src/app.py**:\n```python\n", "src/app.py"),
        ("### `src/app.py`\n\n```\n", "src/app.py"),
        ("```python path=src/app.py\n", "src/app.py"),
        ("```python:src/app.py\n", "src/app.py"),
        ("src/app.py\n<source>python\n", "src/app.py"),
        ("```python\nsrc/app.py\n", "src/app.py"),
        ("Here is the change\n```python\n", ""),
        ("", ""),
    ],
)
def test_a_block_belongs_to_the_file_named_above_it(lead: str, path: str) -> None:
    assert read_edits(lead + BLOCK) == Edits((Edit(path, *CHANGE),))


def test_a_block_without_a_name_belongs_to_the_file_of_the_block_before() -> None:
    text = f"a.py\n```\n{BLOCK}```\nand then in the same\n```\n{BLOCK}```\n".replace("\n", "\r\n")
    assert [edit.path for edit in read_edits(text).found] == ["a.py", "a.py"]


def test_a_block_without_an_end_is_unfinished() -> None:
    assert read_edits("a.py\n<<<<<<< SEARCH\nold\n") == Edits((), unfinished=True)
    assert read_edits("a.py\n<<<<<<< SEARCH\nold\n=======\nnew\n") == Edits((), unfinished=True)


def test_a_diff_is_an_edit_for_each_hunk() -> None:
    text = (
        "```diff\n--- a/x.py\t2026\n+++ b/x.py\t2026\n@@ -3,3 +3,3 @@ def f():\n keep\n-old\n+new\n\n"
        "@@ -9 +9 @@\n-- x\n+y\n\\ No newline at end of file\n```\ntext\n"
    )
    assert read_edits(text).found == (
        Edit("x.py", ("keep", "old", ""), ("keep", "new", ""), 2),
        Edit("x.py", ("- x",), ("y",), 8),
    )


def test_diffs_make_remove_and_follow_each_other() -> None:
    text = "--- /dev/null\n+++ b/n.py\n@@ -0,0 +1 @@\n+a\n--- a/o.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-b"
    assert read_edits(text).found == (Edit("n.py", (), ("a",), 0), Edit("o.py", ("b",), (), 0))


def test_a_hunk_without_a_file_is_no_edit() -> None:
    assert read_edits("@@ -1 +1 @@\n-a\n+b\n") == Edits()


@given(st.lists(st.sampled_from([*BLOCK.splitlines(), "--- a/x", "+++ b/x", "@@ -1,2 +1,2 @@", "-a", " b", "", "x"])))
def test_any_order_of_lines_is_read_to_its_end(lines: list[str]) -> None:
    found = read_edits("\n".join(lines)).found
    assert sum(len(edit.before) + len(edit.after) for edit in found) <= 2 * len(lines)
