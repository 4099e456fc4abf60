"""The cost stands in an answer's own usage object, and nothing else of the answer changes."""

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.costs import with_cost
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.stream_events import FinishReason
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.front import Bill


def bill(cost: int) -> Bill:
    return Bill(usage=Usage(), cost=cost, receipt_id=None, finish=FinishReason.STOP)


@given(st.integers(min_value=0, max_value=10**18))
def test_the_cost_is_a_number_exact_to_the_last_digit(cost: int) -> None:
    body = with_cost(b'{"usage":{"prompt_tokens":1}}', bill(cost))
    assert json.loads(body, parse_float=Decimal)["usage"] == {"prompt_tokens": 1, "cost": Decimal(usd(cost))}


def test_everything_else_stays_byte_for_byte() -> None:
    body = b'{\n  "x": 1.50,\n  "usage": {"a": 1e3, "b": {}},\n  "data": [ ]\n}\n'
    assert with_cost(body, bill(80)) == (
        b'{\n  "x": 1.50,\n  "usage": {"a":1e3,"b":{},"cost":0.00000008},\n  "data": [ ]\n}\n'
    )


@pytest.mark.parametrize("body", [b"{}", b'{"usage":null}', b'{"usage":"x"}', b'{"usage":[{}]}'])
def test_an_answer_without_a_usage_object_stays_as_it_is(body: bytes) -> None:
    assert with_cost(body, bill(80)) == body


def test_a_cost_the_provider_named_gives_way_to_the_callers() -> None:
    assert msgspec.json.decode(with_cost(b'{"usage":{"cost":{"total_cost":9}}}', bill(80)))["usage"] == {"cost": 8e-08}
