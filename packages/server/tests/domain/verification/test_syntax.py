"""Files that parse, files that do not, and files nothing can be said of."""

import warnings
from contextlib import suppress
from time import process_time

import pytest

from monkey_coder_server.domain.verification.json_schema import Undecided
from monkey_coder_server.domain.verification.syntax import MOST_PYTHON, MOST_TOML, syntax_problem


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.py", "print(1)\n"),
        ("a.py", ""),
        ("a.pyi", "x: int\n"),
        ("a.py", r"x = '\d'"),
        ("a.json", "[1]"),
        ("a.toml", "a = 1\n"),
    ],
)
def test_what_parses_has_no_problem(path: str, content: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert syntax_problem(path, content) is None


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("a.py", "def f(:\n", "a.py does not parse: invalid syntax in line 1."),
        ("a.json", "{'a': 1}", "a.json is not JSON: "),
        ("pyproject.toml", "a = \n", "pyproject.toml is not TOML: "),
    ],
)
def test_what_does_not_parse_is_told_with_its_line(path: str, content: str, said: str) -> None:
    assert (syntax_problem(path, content) or "").startswith(said)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.go", "func {"),
        ("a.py", "    return x\n"),
        ("a.py", "{{ name }}("),
        ("a.py", ">>> 1 +\n"),
        ("a.py", "x" * (MOST_PYTHON + 1)),
        ("tsconfig.json", "{} // comment"),
        (".vscode/settings.json", "{} // comment"),
        ("a.json", " "),
        ("a.json", "[" * 100_000),
        ("a.toml", "x" * (MOST_TOML + 1)),
        ("a.toml", "a = " + "[" * 2_500),
        ("a.toml", "a = " + "[" * 1_500),
    ],
)
def test_of_other_languages_templates_pieces_and_too_large_files_nothing_is_said(path: str, content: str) -> None:
    with pytest.raises(Undecided):
        syntax_problem(path, content)


@pytest.mark.parametrize(
    "content",
    [
        "type X = list[int]\n",
        "def f[T](x: T) -> T: ...\n",
        "x = f'{a['b']}'\n",
        "try:\n    pass\nexcept A, B:\n    pass\n",
    ],
)
def test_what_a_newer_python_can_read_is_no_problem(content: str) -> None:
    with suppress(Undecided):
        assert syntax_problem("a.py", content) is None


@pytest.mark.parametrize(
    "content",
    [
        "(1" + "\n+1" * 10_000 + ")",
        "(a" + "\n.a" * 10_000 + ")",
        "(" + "not\n" * 7_900 + "1)",
        "{" * 99 + "\n" * 9 + "}" * 99,
        "\0",
        "-" * 30_000 + "1",
        "(" * 30_000,
        "(" * 150,
        "a" + ".a" * 1_900,
        "a" + ".a" * 15_000,
        "1" + "+1" * 15_000,
        "not " * 7_000 + "x",
        "x = " + "lambda: " * 3_500 + "1",
        "if x:\n " * 4_000,
        "[" * 1_000 + "]" * 1_000,
        "f'" + "{" * 20_000,
        '"' * 29_999,
        "\\\n" * 15_000,
        "0x" + "f" * 30_000,
        "1" * 30_000,
        "@a\n" * 10_000,
        "a=" * 15_000 + "1",
    ],
)
def test_hostile_python_neither_hangs_nor_crashes(content: str) -> None:
    begun = process_time()
    with suppress(Undecided):
        syntax_problem("a.py", content)
    assert process_time() - begun < 2.0


@pytest.mark.parametrize(
    "content", ["a" + ".a" * 1_900 + " = 1", "[a]\n" * 4, "a = {" + "b.c = 1, " * 900, "a = '''" * 2_800]
)
def test_hostile_toml_neither_hangs_nor_crashes(content: str) -> None:
    begun = process_time()
    with suppress(Undecided):
        syntax_problem("a.toml", content)
    assert process_time() - begun < 2.0
