"""Text comes out of `{"input": "…"}` however it is cut and escaped; any other form is understood in the end."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.unwrapping import FreeText


def unwrapped(pieces: list[str]) -> str:
    text = FreeText()
    return "".join([*(text.feed(piece) for piece in pieces), text.close()])


def cut(written: str, places: list[int]) -> list[str]:
    edges = sorted({0, len(written), *(place % (len(written) + 1) for place in places)})
    return [written[start:end] for start, end in itertools.pairwise(edges)]


@given(
    text=st.text(st.characters(exclude_categories=("Cs",))),
    places=st.lists(st.integers(0, 500)),
    ascii_only=st.booleans(),
    spaced=st.booleans(),
)
def test_any_text_comes_out_as_it_went_in(text: str, places: list[int], ascii_only: bool, spaced: bool) -> None:
    written = json.dumps({"input": text}, ensure_ascii=ascii_only, indent=2 if spaced else None)
    assert unwrapped(cut(written, places)) == text


def test_text_is_given_as_it_comes() -> None:
    text = FreeText()
    assert [text.feed(piece) for piece in ('{"input":"ab', "c\\", "nd", '"', "}")] == ["ab", "c", "\nd", "", ""]
    assert text.close() == ""


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["*** Begin Patch"], "*** Begin Patch"),
        ([""], ""),
        (['{"patch":', '"x"}'], "x"),
        (['{"patch":"x","more":1}'], '{"patch":"x","more":1}'),
        (['{"why":1,"input":"x"}'], "x"),
        (['{"input":1}'], '{"input":1}'),
        (["[1]"], "[1]"),
        ([" "] * 100 + ['{"input":"x"}'], "x"),
        (['{"input":"a\nb"}'], "a\nb"),
        (['{"input":"a\\qb"}'], "a\\qb"),
        (['{"input":"a\\uZZ b"}'], "a\\uZZ b"),
        (['{"input":"\\ud83d', '\\ude00"}'], "\N{GRINNING FACE}"),
        (['{"input":"a\\ud83d"}'], "a\N{REPLACEMENT CHARACTER}"),
        (['{"input":"cut o'], "cut o"),
        (['{"input":"done"', ',"more":"x"}'], "done"),
    ],
)
def test_whatever_a_model_writes_some_text_comes_out(pieces: list[str], text: str) -> None:
    assert unwrapped(pieces) == text
