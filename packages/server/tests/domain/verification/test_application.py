"""Edits applied: exactly, with other blanks, by lines, or not at all."""

import pytest

from monkey_coder_server.domain.verification.application import (
    CHARACTERS,
    COMPARISONS,
    Undecided,
    Unmatched,
    apply_edits,
    known_path,
)
from monkey_coder_server.domain.verification.edits import Edit

TEXT = "def f():\n    a = 1\n    return a\n\n\ndef g():\n    a = 1\n    return a\n"


def _after(edit: Edit, text: str = TEXT) -> str | None:
    applied = apply_edits([edit], {"x.py": text})
    assert bool(applied.changed) is not bool(applied.unmatched)
    return applied.files["x.py"] if applied.changed else None


def test_the_first_place_that_is_exactly_so_is_changed() -> None:
    assert _after(Edit("x.py", ("    a = 1",), ("    a = 2",))) == TEXT.replace("a = 1", "a = 2", 1)
    assert (
        _after(Edit("x.py", ("def f():", "    a = 1", "    return a"), ())) == "\n\ndef g():\n    a = 1\n    return a\n"
    )


def test_a_diff_changes_the_place_nearest_to_the_line_it_names() -> None:
    changed = _after(Edit("x.py", ("    a = 1",), ("    a = 2",), 5))
    assert changed == TEXT[::-1].replace("1 = a", "2 = a", 1)[::-1]


def test_blanks_at_the_ends_of_lines_and_around_blocks_do_not_matter() -> None:
    assert _after(Edit("x.py", ("def f():  ", "    a = 1\t"), ("def f():", "    b = 1"))) == TEXT.replace(
        "a =", "b =", 1
    )
    with_blanks = Edit("x.py", ("", "", "", "def f():", "    a = 1", ""), ("", "def f():", "    b = 1", "", ""))
    assert _after(with_blanks) == TEXT.replace("a = 1", "b = 1\n", 1)


def test_an_indentation_all_lines_lack_is_put_back() -> None:
    before, after = ("a = 1", "return a"), ("if b:", "    a = 1", "", "return a")
    assert _after(Edit("x.py", before, after)) == TEXT.replace(
        "    a = 1\n    return a", "    if b:\n        a = 1\n\n    return a", 1
    )
    assert _after(Edit("x.py", ("a = 1", "  return a"), ("x",))) is None


def test_windows_line_ends_stay() -> None:
    crlf = TEXT.replace("\n", "\r\n")
    assert _after(Edit("x.py", ("    a = 1",), ("    a = 2",)), crlf) == crlf.replace("a = 1", "a = 2", 1)


def test_what_is_only_like_it_does_not_match() -> None:
    applied = apply_edits([Edit("x.py", ("def f():",), ()), Edit("x.py", ("    a = 3",), ())], {"x.py": TEXT})
    assert applied.unmatched == [Unmatched(2, "x.py")]
    assert applied.changed == {"x.py"}


def test_lines_are_added_at_the_end_or_where_a_diff_says_and_new_files_made() -> None:
    assert _after(Edit("x.py", (), ("z",)), "a") == "a\nz\n"
    assert _after(Edit("x.py", (), ("z",)), "a\n") == "a\nz\n"
    assert _after(Edit("x.py", (), ("z",), 1), "a\nb\n") == "a\nz\nb\n"
    assert apply_edits([Edit("new.py", (), ("z",))], {}).files == {"new.py": "z\n"}
    assert apply_edits([Edit("new.py", (), ())], {}).files == {"new.py": ""}


def test_an_edit_of_no_file_that_was_sent_is_told() -> None:
    applied = apply_edits([Edit("other.py", ("a",), ("b",))], {"x.py": "a"})
    assert (applied.unknown, applied.changed) == (["other.py"], set())


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("src/x.py", "src/x.py"),
        ("./src/x.py", "src/x.py"),
        ("src\\x.py", "src/x.py"),
        ("x.py", "src/x.py"),
        ("repo/src/x.py", "src/x.py"),
        ("y.py", None),
        ("z.py", None),
        ("", None),
    ],
)
def test_a_path_names_the_one_file_that_ends_with_it(path: str, found: str | None) -> None:
    assert known_path(path, {"src/x.py": "", "a/y.py": "", "b/y.py": ""}) == found


def test_comparing_without_an_end_is_given_up() -> None:
    text = "a\n" * 20_000
    edit = Edit("x.py", (*["a"] * (COMPARISONS // 100), "b"), ())
    with pytest.raises(Undecided):
        apply_edits([edit], {"x.py": text})


def test_many_edits_of_long_files_or_among_many_files_are_given_up() -> None:
    edits = [Edit("x.py", ("  q",), ("r",))] * 1_000
    with pytest.raises(Undecided):
        apply_edits(edits, {"x.py": "x\n" * (CHARACTERS // 1_000)})
    with pytest.raises(Undecided):
        apply_edits(edits, {f"{number}.py": "" for number in range(CHARACTERS // 10_000)})
