"""A provider's numbers are taken as they stand, money to the last digit."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.openai_usage import _read_thoroughly, read_usage
from monkey_coder_server.domain.usage import ReportedUsage


def read(text: str) -> ReportedUsage | None:
    return read_usage(msgspec.Raw(text.encode()))


def test_openais_details_are_read() -> None:
    assert read(
        '{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14,'
        '"prompt_tokens_details":{"cached_tokens":8,"cache_write_tokens":2},'
        '"completion_tokens_details":{"reasoning_tokens":3}}'
    ) == ReportedUsage(10, 4, 14, 8, 2, None, 3)


@pytest.mark.parametrize(
    ("usage", "nano"),
    [
        ('{"cost":{"total_cost":0.01006}}', 10_060_000),
        ('{"cost":{"total_cost":1e-9}}', 1),
        ('{"cost":{"total_cost":0.1234567891}}', 123_456_790),
        ('{"cost":{"total_cost":0.30000000000000004}}', 300_000_000),
        ('{"cost":{"total_cost":0.0000000375}}', 38),
        ('{"cost":{"total_cost":8999999999.999999999}}', 8_999_999_999_999_999_999),
        ('{"cost":{"total_cost":1e-999999999}}', 0),
        ('{"cost":{"total_cost":2}}', 2_000_000_000),
        ('{"cost_in_usd_ticks":10518750}', 1_051_875),
        ('{"cost_in_usd_ticks":1}', 1),
        ('{"cost":{"total_cost":-1}}', None),
        ('{"cost":{"total_cost":1e400}}', None),
        ('{"cost":{"total_cost":1e999999999}}', None),
        ('{"cost":{"total_cost":"0.5"}}', None),
        ('{"cost":{"total_cost":true}}', None),
        ('{"cost":0.00007159}', None),
    ],
)
def test_the_providers_own_charge_is_exact_and_rounded_up_once(usage: str, nano: int | None) -> None:
    reported = read(usage)
    assert reported is not None
    assert reported.cost_nano == nano


def test_pieces_billed_beside_tokens_are_counted_by_their_own_names() -> None:
    reported = read('{"num_search_queries":3,"num_sources_used":0,"citation_tokens":9}')
    assert reported is not None
    assert reported.units == {"num_search_queries": 3, "citation_tokens": 9}


def test_impossible_numbers_are_left_out() -> None:
    assert read('{"prompt_tokens":-1,"completion_tokens":"5","total_tokens":1.5,"prompt_tokens_details":[]}') == (
        ReportedUsage()
    )


@pytest.mark.parametrize("text", ["", "null", "[]", "7", '"x"'])
def test_what_is_no_usage_object_is_no_report(text: str) -> None:
    assert read(text) is None


_VALUES: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers(-1, 2**70) | st.floats(allow_nan=False) | st.just("5") | st.just([])
)
_PART = st.dictionaries(st.sampled_from(["cached_tokens", "cache_write_tokens", "reasoning_tokens"]), _VALUES)
_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "reasoning_tokens")
_OTHERS = ("cost", "cost_in_usd_ticks", "num_search_queries", "num_sources_used", "citation_tokens", "audio_tokens")


@given(
    st.dictionaries(st.sampled_from([*_COUNTS, *_OTHERS]), st.integers(0, 9) | _VALUES),
    st.dictionaries(st.sampled_from(["prompt_tokens_details", "completion_tokens_details"]), _PART | _VALUES),
)
def test_the_quick_reading_says_what_the_thorough_one_says(
    counts: dict[str, object], details: dict[str, object]
) -> None:
    raw = msgspec.Raw(json.dumps(counts | details).encode())
    assert read_usage(raw) == _read_thoroughly(raw)
