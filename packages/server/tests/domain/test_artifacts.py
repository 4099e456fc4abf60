"""Files come out of an answer as the model wrote them, never outside the folder they belong to."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.artifacts import (
    CONVENTION,
    ArtifactFile,
    ArtifactReader,
    Artifacts,
    RefusedFile,
    parse,
    render,
    safe_path,
)

SEGMENT = st.from_regex(r"[a-z][a-z0-9 ._'-]{0,8}[a-z0-9]", fullmatch=True).filter(
    lambda text: safe_path(text)[0] == text
)
PATHS = st.lists(SEGMENT, min_size=1, max_size=3).map("/".join)
CONTENTS = st.lists(
    st.one_of(
        st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=30),
        st.sampled_from(["```", "```python", "````md path=x", "~~~", "   ```", "", "# a.py", '"""', "\u2028"]),
    ),
    max_size=8,
).map(lambda lines: "".join(f"{line}\n" for line in lines))
FILES = st.lists(
    st.builds(ArtifactFile, PATHS, CONTENTS, st.sampled_from(["python", "markdown", "c++", "text"])),
    max_size=4,
    unique_by=lambda file: file.path,
)


def only(answer: str, task_type: str = "code_generation") -> ArtifactFile:
    (file,) = parse(answer, task_type).files
    return file


@given(FILES)
@settings(max_examples=100)
def test_what_is_written_by_the_convention_is_read_back_exactly(files: list[ArtifactFile]) -> None:
    answer = f"Here you are:\n\n{render(files)}\n\nDone."
    assert parse(answer) == Artifacts(tuple(files))
    assert parse(answer.replace("\n", "\r\n")) == Artifacts(tuple(files))


@given(
    st.text(st.sampled_from("`~\n\r path=\"'a/.b:\\#"), max_size=120) | FILES.map(render), st.lists(st.integers(0, 60))
)
@settings(max_examples=100)
def test_pieces_cut_anywhere_give_the_same_files_as_the_whole(answer: str, cuts: list[int]) -> None:
    reader, start = ArtifactReader("code_generation"), 0
    for cut in sorted(cuts):
        reader.feed(answer[start:cut])
        start = max(start, cut)
    reader.feed(answer[start:])
    assert reader.finish() == parse(answer)


@given(st.text(max_size=300) | st.text(st.sampled_from("`~\n path=\"'a/.b:\\#*"), max_size=200))
@settings(max_examples=100)
def test_no_answer_yields_a_file_outside_its_folder(answer: str) -> None:
    for file in parse(answer).files:
        path = PurePosixPath(file.path)
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert safe_path(file.path) == (file.path, "")


def test_the_convention_itself_shows_a_block_that_parses() -> None:
    assert only(CONVENTION) == ArtifactFile("src/app.py", "print('hello')\n", "python")


@pytest.mark.parametrize(
    ("info", "path", "language"),
    [
        ("python path=src/app.py", "src/app.py", "python"),
        ("path=src/app.py", "src/app.py", "python"),
        ("path=Makefile", "Makefile", None),
        ("js path=./web//index.js", "web/index.js", "js"),
        ('python path="my app/main.py"', "my app/main.py", "python"),
        ("python path='my app/main.py'", "my app/main.py", "python"),
        ("Python path=a\\b.py", "a/b.py", "python"),
        ("python filename=app.py", "app.py", "python"),
        ('tsx title="ui/app.tsx"', "ui/app.tsx", "tsx"),
        ("python:src/app.py", "src/app.py", "python"),
        ("{.x} path=a.kt", "a.kt", "kotlin"),
    ],
)
def test_the_opening_line_names_language_and_path(info: str, path: str, language: str | None) -> None:
    assert only(f"```{info}\nx\n```") == ArtifactFile(path, "x\n", language)


def test_a_name_is_the_last_part_of_the_path() -> None:
    assert ArtifactFile("src/app.py", "").name == "app.py"
    assert ArtifactFile("app.py", "").name == "app.py"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/etc/passwd", "not relative"),
        ("~/.ssh/config", "not relative"),
        ("C:\\windows\\x.txt", "not relative"),
        ("\\\\host\\share", "not relative"),
        ("../x.py", "leaves its folder"),
        ("a/../../x.py", "leaves its folder"),
        ("a\\..\\x.py", "leaves its folder"),
        (".git/hooks/pre-commit", "repository's own folder"),
        ("sub/.GIT/config", "repository's own folder"),
        ("a\x00b", "cannot have"),
        ("ab:c", "cannot have"),
        ("a\ud800", "cannot have"),
        ("con.txt", "cannot store"),
        ("a /b", "cannot store"),
        ("a/b.", "cannot store"),
        ("a/ b", "cannot store"),
        ("x" * 600, "too long"),
        ("/".join("abcdefghij" * 10 for _ in range(8)), "too long"),
        (".", "names no file"),
        ("src/", "names no file"),
        ("", "names no file"),
    ],
)
def test_an_unsafe_path_is_refused_with_its_reason(path: str, reason: str) -> None:
    safe, why = safe_path(path)
    assert safe is None
    assert reason in why


def test_a_refused_file_is_reported_and_the_others_kept() -> None:
    found = parse("```py path=../x.py\n1\n```\n```py path=y.py\n2\n```")
    assert found.refused == (RefusedFile("../x.py", "The path leaves its folder."),)
    assert [file.path for file in found.files] == ["y.py"]


def test_a_file_with_fences_inside_is_kept_whole() -> None:
    longer = "````markdown path=README.md\n# Use\n```python\nx\n```\n````"
    assert only(longer).content == "# Use\n```python\nx\n```\n"
    same_length = "```markdown path=README.md\n# Use\n```python\nx\n```\nEnd\n```\nafter"
    assert only(same_length).content == "# Use\n```python\nx\n```\nEnd\n"
    other_mark = "~~~markdown path=README.md\n```\nx\n```\n~~~"
    assert only(other_mark).content == "```\nx\n```\n"
    indented = '```python path=a.py\n"""Use:\n    ```\n    x\n    ```\n"""\n```'
    assert only(indented).content == '"""Use:\n    ```\n    x\n    ```\n"""\n'


def test_a_fence_that_was_forgotten_ends_where_the_next_file_begins() -> None:
    found = parse("```py path=a.py\n1\n```py path=b.py\n2\n```")
    assert [(file.path, file.content) for file in found.files] == [("a.py", "1\n"), ("b.py", "2\n")]
    assert found.unfinished is None


def test_a_cut_answer_keeps_its_last_file_and_says_which_is_unfinished() -> None:
    found = parse("```py path=a.py\n1\n```\n```py path=b.py\nx = (")
    assert (found.files[-1].content, found.unfinished) == ("x = (\n", "b.py")
    assert parse("```text\nabc").unfinished is None


def test_a_file_written_twice_counts_once_with_its_last_content() -> None:
    found = parse("```py path=a.py\n1\n```\n```py path=b.py\n2\n```\n```py path=a.py\n3\n```")
    assert [(file.path, file.content) for file in found.files] == [("b.py", "2\n"), ("a.py", "3\n")]


def test_indentation_of_the_fence_is_taken_off_its_lines() -> None:
    assert only("1. Do:\n   ```py path=a.py\n   if x:\n       y\n  z\n   ```").content == "if x:\n    y\nz\n"


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        ("```python\n# app.py\nx = 1\n```", "app.py"),
        ("```js\n// src/index.js\nx\n```", "src/index.js"),
        ("```html\n<!-- index.html -->\n<p>\n```", "index.html"),
        ("```css\n/* site.css */\n```", "site.css"),
        ("```json\n# file: data/x.json\n```", "data/x.json"),
        ("**`src/app.py`**\n\n```python\nx\n```", "src/app.py"),
        ("### app.py\n```python\nx\n```", "app.py"),
        ("File: app.py:\n```python\nx\n```", "app.py"),
        ("1. `a/b.rs`:\n```rust\nx\n```", "a/b.rs"),
        ("Run it:\n```python\nx\n```", "main.py"),
        ("```golang\npackage main\n```", "main.go"),
        ("```dockerfile\nFROM x\n```", "Dockerfile"),
    ],
)
def test_a_fence_without_a_path_gets_a_name_when_code_was_asked_for(answer: str, path: str) -> None:
    assert only(answer).path == path
    if "```" in answer:
        assert parse(answer, "chat").files == ()


@pytest.mark.parametrize(
    "answer",
    [
        "```bash\npip install x\n```",
        "```\nplain\n```",
        "```json\n{}\n```",
        "```whatever\nx\n```",
        "```python\n```",
        "no fence `x` at all",
        "inline ``` x ``` y",
        "``` a`b\nx\n```",
    ],
)
def test_commands_samples_and_prose_are_not_files(answer: str) -> None:
    assert parse(answer).files == ()


def test_several_nameless_files_get_different_names() -> None:
    answer = "```python\na\n```\n```python\nb\n```\n```Dockerfile\nc\n```\n```Dockerfile\nd\n```"
    assert [file.path for file in parse(answer).files] == ["main.py", "main_2.py", "Dockerfile", "Dockerfile.2"]


def test_a_heading_names_only_the_fence_right_after_it() -> None:
    answer = "`a.py`\n```python\n1\n```\n```python\n2\n```"
    assert [file.path for file in parse(answer).files] == ["a.py", "main.py"]


def test_an_endless_line_is_no_file_name() -> None:
    assert only("a/" * 1_000 + "x.py\n```python\n1\n```").path == "main.py"


@pytest.mark.parametrize(
    "line", ["#" * 500, "* " * 250, "#*- " * 120 + "`", "a." * 250 + "!", "// " + " " * 400 + "x y"]
)
def test_a_hostile_line_costs_no_time(line: str) -> None:
    assert only(f"{line}\n```python\n{line}\n```").path == "main.py"
