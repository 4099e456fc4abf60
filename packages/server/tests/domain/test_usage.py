"""Every provider's way of counting ends in the same disjoint buckets."""

from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.usage import (
    MOST_TOKENS,
    USAGE_RULES,
    ReportedUsage,
    Usage,
    complete,
    estimate,
    normalise,
    together,
)

COUNT = st.integers(0, 10_000_000)
ANYTHING = st.none() | st.integers(-(10**30), 10**30) | COUNT

FIXTURES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "openai",
        {
            "input_tokens": 2_006,
            "output_tokens": 300,
            "total_tokens": 2_306,
            "cached_input_tokens": 1_920,
            "reasoning_tokens": 128,
        },
        {"uncached_input": 86, "cache_read": 1_920, "output": 300, "reasoning": 128},
    ),
    (
        "openai",
        {
            "input_tokens": 5_000,
            "output_tokens": 10,
            "total_tokens": 5_010,
            "cached_input_tokens": 1_000,
            "cache_write_tokens": 3_000,
        },
        {"uncached_input": 1_000, "cache_read": 1_000, "cache_write_5m": 3_000, "output": 10},
    ),
    (
        "groq",
        {"input_tokens": 72, "output_tokens": 50, "total_tokens": 122, "reasoning_tokens": 20},
        {"uncached_input": 72, "output": 50, "reasoning": 20},
    ),
    (
        "moonshot",
        {"input_tokens": 100, "output_tokens": 5, "total_tokens": 105, "cached_input_tokens": 64},
        {"uncached_input": 36, "cache_read": 64, "output": 5},
    ),
    (
        "xai",
        {
            "input_tokens": 32,
            "output_tokens": 9,
            "total_tokens": 241,
            "cached_input_tokens": 6,
            "reasoning_tokens": 200,
        },
        {"uncached_input": 26, "cache_read": 6, "output": 209, "reasoning": 200},
    ),
    (
        "perplexity",
        {"input_tokens": 12, "output_tokens": 90, "total_tokens": 102, "cost_nano": 5_102_000},
        {"uncached_input": 12, "output": 90, "cost_nano": 5_102_000},
    ),
    (
        "perplexity",
        {
            "input_tokens": 33,
            "output_tokens": 7_163,
            "total_tokens": 7_196,
            "reasoning_tokens": 73_997,
            "units": {"citation_tokens": 20_016, "num_search_queries": 18},
        },
        {
            "uncached_input": 33,
            "output": 81_160,
            "reasoning": 73_997,
            "units": {"citation_tokens": 20_016, "num_search_queries": 18},
        },
    ),
    (
        "anthropic",
        {
            "input_tokens": 4,
            "output_tokens": 393,
            "cached_input_tokens": 1_111,
            "cache_write_tokens": 700,
            "cache_write_1h_tokens": 200,
        },
        {"uncached_input": 4, "cache_read": 1_111, "cache_write_5m": 500, "cache_write_1h": 200, "output": 393},
    ),
    (
        "google",
        {
            "input_tokens": 50,
            "output_tokens": 30,
            "total_tokens": 580,
            "cached_input_tokens": 20,
            "reasoning_tokens": 400,
            "tool_input_tokens": 100,
        },
        {"uncached_input": 130, "cache_read": 20, "output": 430, "reasoning": 400},
    ),
]


@pytest.mark.parametrize(("provider", "reported", "expected"), FIXTURES)
def test_each_provider_is_counted_by_its_own_rule(
    provider: str, reported: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert normalise(USAGE_RULES[provider], ReportedUsage(**reported)) == Usage(**expected)


@given(st.sampled_from(sorted(USAGE_RULES)), st.tuples(COUNT, COUNT, COUNT, COUNT, COUNT, COUNT))
@settings(max_examples=100)
def test_consistent_numbers_add_up_to_the_providers_total(provider: str, counts: tuple[int, ...]) -> None:
    rule, total = USAGE_RULES[provider], sum(counts)
    plain, read, writes, answer, reasoning, tool = counts
    usage = normalise(
        rule,
        ReportedUsage(
            input_tokens=plain + (read + writes if rule.cached_inside_input else 0),
            output_tokens=answer + (reasoning if rule.reasoning_inside_output else 0),
            total_tokens=total - (0 if rule.reasoning_inside_total else reasoning),
            cached_input_tokens=read,
            cache_write_tokens=writes,
            cache_write_1h_tokens=writes // 2,
            reasoning_tokens=reasoning,
            tool_input_tokens=tool,
        ),
    )
    assert usage.total == total
    assert usage.reasoning == reasoning
    assert not usage.estimated


@given(
    st.sampled_from(sorted(USAGE_RULES)),
    st.builds(
        ReportedUsage,
        ANYTHING,
        ANYTHING,
        ANYTHING,
        ANYTHING,
        ANYTHING,
        ANYTHING,
        ANYTHING,
        ANYTHING,
        ANYTHING,
        st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
    ),
)
@settings(max_examples=100)
def test_no_report_however_absurd_yields_a_negative_or_boundless_count(provider: str, reported: ReportedUsage) -> None:
    usage = normalise(USAGE_RULES[provider], reported)
    buckets = (usage.uncached_input, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h, usage.output)
    assert all(0 <= bucket <= 2 * MOST_TOKENS for bucket in buckets)
    assert 0 <= usage.reasoning <= usage.output
    assert all(number > 0 for number in usage.units.values())
    assert usage.cost_nano is None or usage.cost_nano >= 0
    assert usage.estimated == bool(usage.doubts)


@pytest.mark.parametrize(
    ("provider", "reported", "doubt"),
    [
        ("openai", {"input_tokens": 5, "output_tokens": 1, "cached_input_tokens": 9}, "cached_input_tokens"),
        ("openai", {"input_tokens": 5, "output_tokens": 1, "cache_write_tokens": 9}, "cache_write_tokens"),
        ("openai", {"input_tokens": 5, "output_tokens": 1, "reasoning_tokens": 9}, "reasoning_tokens"),
        ("openai", {"input_tokens": 5, "output_tokens": 1, "total_tokens": 7}, "total_tokens"),
        ("openai", {"input_tokens": -5, "output_tokens": 1}, "input_tokens"),
        ("openai", {"input_tokens": 5, "output_tokens": 10**12}, "output_tokens"),
        ("anthropic", {"input_tokens": 5, "output_tokens": 1, "cache_write_1h_tokens": 9}, "cache_write_1h_tokens"),
        ("xai", {"input_tokens": 5, "output_tokens": 1, "cost_nano": -1}, "cost_nano"),
        ("xai", {"input_tokens": 5, "output_tokens": 1, "units": {"searches": -1}}, "units"),
    ],
)
def test_a_figure_that_cannot_be_true_is_named(provider: str, reported: dict[str, Any], doubt: str) -> None:
    usage = normalise(USAGE_RULES[provider], ReportedUsage(**reported))
    assert doubt in usage.doubts
    assert usage.estimated


@pytest.mark.parametrize(
    ("provider", "reported", "prompt", "output", "estimated"),
    [
        ("openai", {"output_tokens": 7, "total_tokens": 10}, 3, 7, False),
        ("openai", {"input_tokens": 3, "total_tokens": 10}, 3, 7, False),
        ("google", {"input_tokens": 30, "reasoning_tokens": 1_947, "total_tokens": 1_977}, 30, 1_947, False),
        ("anthropic", {"output_tokens": 2, "cached_input_tokens": 5, "total_tokens": 10}, 8, 2, False),
        ("openai", {"total_tokens": 10}, 0, 10, True),
        ("openai", {}, 0, 0, True),
        ("openai", {"output_tokens": 20}, 0, 20, True),
        ("openai", {"output_tokens": 20, "total_tokens": 10}, 0, 20, True),
    ],
)
def test_a_missing_side_is_worked_out_from_the_total(
    provider: str, reported: dict[str, Any], *, prompt: int, output: int, estimated: bool
) -> None:
    usage = normalise(USAGE_RULES[provider], ReportedUsage(**reported))
    assert (usage.input, usage.output, usage.estimated) == (prompt, output, estimated)


def test_units_are_kept_by_the_providers_name() -> None:
    reported = ReportedUsage(input_tokens=1, output_tokens=1, units={"web_search_requests": 2, "other": 0})
    usage = normalise(USAGE_RULES["anthropic"], reported)
    assert usage.units == MappingProxyType({"web_search_requests": 2})
    assert not usage.estimated


def test_an_estimate_counts_what_was_written_and_says_so() -> None:
    usage = estimate(input_tokens=100, output_bytes=401, reasoning_bytes=8)
    assert (usage.input, usage.output, usage.reasoning, usage.estimated) == (100, 103, 2, True)
    assert estimate(input_tokens=-1, output_bytes=-1).total == 0


def test_a_part_that_was_reported_does_not_stand_for_the_side_that_was_not() -> None:
    guessed = estimate(input_tokens=100, output_bytes=400, reasoning_bytes=40)
    for provider in ("google", "xai"):
        reported = ReportedUsage(input_tokens=7, output_tokens=10**15, reasoning_tokens=30)
        usage = complete(normalise(USAGE_RULES[provider], reported), guessed)
        assert (usage.uncached_input, usage.output, usage.reasoning) == (7, 100 + 30, 30)
    reported = ReportedUsage(input_tokens=-1, output_tokens=8, cached_input_tokens=60)
    usage = complete(normalise(USAGE_RULES["anthropic"], reported), guessed)
    assert (usage.uncached_input, usage.cache_read, usage.output) == (40, 60, 8)


def test_an_estimate_fills_only_what_the_provider_left_out() -> None:
    guessed = estimate(input_tokens=100, output_bytes=400, reasoning_bytes=40)
    nothing = complete(normalise(USAGE_RULES["openai"], ReportedUsage()), guessed)
    assert (nothing.uncached_input, nothing.output, nothing.reasoning) == (100, 110, 10)
    half = complete(normalise(USAGE_RULES["anthropic"], ReportedUsage(input_tokens=7)), guessed)
    assert (half.uncached_input, half.output) == (7, 110)
    whole = complete(normalise(USAGE_RULES["openai"], ReportedUsage(input_tokens=7, output_tokens=8)), guessed)
    assert (whole.uncached_input, whole.output, whole.estimated) == (7, 8, False)


def test_what_several_answers_used_adds_up_and_has_no_charge_of_its_own() -> None:
    one = Usage(uncached_input=1, cache_read=2, output=5, reasoning=3, units={"search": 1}, cost_nano=7, doubts=("a",))
    other = Usage(cache_write_5m=3, cache_write_1h=4, output=1, units={"search": 2}, estimated=True, doubts=("a", "b"))
    assert together([one, other]) == Usage(1, 2, 3, 4, 6, 3, {"search": 3}, None, estimated=True, doubts=("a", "b"))
    assert together([]) == Usage()
