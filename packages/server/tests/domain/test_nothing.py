"""An empty mapping that stays empty."""

import operator
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from monkey_coder_server.domain.nothing import NOTHING
from monkey_coder_server.domain.usage import ReportedUsage, Usage, UsageRule, normalise


def _join(mapping: Any) -> None:
    mapping |= {"a": 1}


@pytest.mark.parametrize(
    "put",
    [
        lambda mapping: operator.setitem(mapping, "a", 1),
        _join,
        lambda mapping: mapping.update(a=1),
        lambda mapping: mapping.setdefault("a", 1),
    ],
)
def test_nobody_can_put_anything_into_it(put: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError):
        put(NOTHING)
    assert not NOTHING


def test_it_is_written_like_any_mapping() -> None:
    assert msgspec.msgpack.encode(NOTHING) == msgspec.msgpack.encode({})
    assert NOTHING == {}


def test_where_no_pieces_were_counted_it_stands() -> None:
    counted = normalise(UsageRule(), ReportedUsage(input_tokens=3, output_tokens=4))
    assert counted.units is Usage().units is NOTHING
