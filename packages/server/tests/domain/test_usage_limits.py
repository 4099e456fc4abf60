"""Where a provider's figure stops being a measurement, and what is said of one that is left out."""

import pytest

from monkey_coder_server.domain.usage import USAGE_RULES, ReportedUsage, Usage, UsageRule, complete, estimate, normalise


@pytest.mark.parametrize(("tokens", "believed"), [(1_000_000_000, True), (1_000_000_001, False)])
def test_a_billion_tokens_is_the_most_that_is_believed(tokens: int, *, believed: bool) -> None:
    usage = normalise(UsageRule(), ReportedUsage(input_tokens=tokens, output_tokens=0))
    assert (usage.input, usage.estimated) == ((tokens, False) if believed else (0, True))


@pytest.mark.parametrize(("pieces", "believed"), [(1, True), (100_000, True), (100_001, False), (-1, False)])
def test_a_hundred_thousand_pieces_is_the_most_that_is_believed(pieces: int, *, believed: bool) -> None:
    usage = normalise(UsageRule(), ReportedUsage(1, 1, units={"searches": pieces}))
    assert (dict(usage.units), usage.estimated) == (({"searches": pieces}, False) if believed else ({}, True))


def test_one_count_of_pieces_that_cannot_be_is_left_out_beside_those_that_can() -> None:
    usage = normalise(UsageRule(), ReportedUsage(1, 1, units={"searches": 2, "pages": -1}))
    assert (dict(usage.units), usage.doubts) == ({"searches": 2}, ("units",))


@pytest.mark.parametrize(
    ("cost", "believed"), [(0, True), (10_000 * 10**9, True), (10_000 * 10**9 + 1, False), (-1, False)]
)
def test_ten_thousand_dollars_is_the_most_a_provider_is_believed_to_charge(cost: int, *, believed: bool) -> None:
    usage = normalise(UsageRule(), ReportedUsage(1, 1, cost_nano=cost))
    assert (usage.cost_nano, usage.estimated) == ((cost, False) if believed else (None, True))


def test_where_nothing_is_said_nothing_was_used_and_nothing_is_peculiar() -> None:
    assert Usage() == Usage(0, 0, 0, 0, 0, 0, {}, None, estimated=False, doubts=())
    assert UsageRule() == UsageRule(
        cached_inside_input=True, reasoning_inside_output=True, reasoning_inside_total=True, own_cost_wins=False
    )
    assert [name for name, rule in USAGE_RULES.items() if rule.own_cost_wins] == ["perplexity"]


@pytest.mark.parametrize(("written", "tokens"), [(0, 0), (1, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
def test_four_bytes_are_a_token_rounded_up(written: int, tokens: int) -> None:
    assert estimate(input_tokens=0, output_bytes=written).output == tokens
    assert estimate(input_tokens=0, output_bytes=0, reasoning_bytes=written) == Usage(
        output=tokens, reasoning=tokens, estimated=True, doubts=("usage",)
    )


@pytest.mark.parametrize(
    ("reported", "buckets"),
    [
        (ReportedUsage(10, 1, cached_input_tokens=4, cache_write_tokens=6), (0, 4, 6, 0)),
        (ReportedUsage(10, 1, cached_input_tokens=4, cache_write_tokens=7), (0, 4, 6, 0)),
        (ReportedUsage(10, 1, cached_input_tokens=10), (0, 10, 0, 0)),
        (ReportedUsage(10, 1, cached_input_tokens=11), (0, 10, 0, 0)),
        (ReportedUsage(10, 1, cache_write_tokens=8, cache_write_1h_tokens=8), (2, 0, 0, 8)),
        (ReportedUsage(10, 1, cache_write_tokens=3, cache_write_1h_tokens=8), (2, 0, 0, 8)),
        (ReportedUsage(10, 1, cache_write_tokens=20, cache_write_1h_tokens=15), (0, 0, 0, 10)),
    ],
)
def test_cached_tokens_never_exceed_the_input_that_holds_them(
    reported: ReportedUsage, buckets: tuple[int, ...]
) -> None:
    assert normalise(UsageRule(), reported)[:4] == buckets


@pytest.mark.parametrize(("total", "right"), [(30, True), (29, False), (31, False)])
def test_a_total_is_the_sum_of_its_parts_or_doubted(total: int, *, right: bool) -> None:
    reported = ReportedUsage(10, 5, total, cached_input_tokens=2, reasoning_tokens=8, tool_input_tokens=7)
    usage = normalise(USAGE_RULES["google"], reported)
    assert (usage.doubts == ()) is right
    assert (usage.input, usage.output) == (17, 13)


@pytest.mark.parametrize(
    ("provider", "reported", "sides"),
    [
        ("google", ReportedUsage(None, 5, 30, reasoning_tokens=8, tool_input_tokens=7), (17, 13)),
        ("google", ReportedUsage(10, None, 30, reasoning_tokens=8, tool_input_tokens=7), (17, 13)),
        ("google", ReportedUsage(None, None, 30, reasoning_tokens=8, tool_input_tokens=7), (7, 23)),
        ("google", ReportedUsage(None, None, 3, reasoning_tokens=8, tool_input_tokens=7), (7, 8)),
        ("anthropic", ReportedUsage(10, None, 30, cached_input_tokens=4, cache_write_tokens=6), (20, 10)),
        ("perplexity", ReportedUsage(10, None, 30, reasoning_tokens=8), (10, 28)),
        ("openai", ReportedUsage(10, None, 10), (10, 0)),
        ("openai", ReportedUsage(None, 10, 10), (0, 10)),
        ("openai", ReportedUsage(None, 0, 10), (10, 0)),
    ],
)
def test_a_side_that_is_missing_is_what_the_total_leaves(
    provider: str, reported: ReportedUsage, sides: tuple[int, int]
) -> None:
    usage = normalise(USAGE_RULES[provider], reported)
    assert (usage.input, usage.output) == sides


def test_a_doubt_is_named_once() -> None:
    usage = normalise(UsageRule(), ReportedUsage(-1, -1, -1))
    assert sorted(usage.doubts) == ["input_tokens", "output_tokens", "total_tokens"]


def test_what_a_provider_did_say_stands_beside_the_estimate() -> None:
    guessed = estimate(input_tokens=100, output_bytes=400, reasoning_bytes=40)
    cached = normalise(USAGE_RULES["anthropic"], ReportedUsage(None, 8, cached_input_tokens=60, cache_write_tokens=70))
    filled = complete(cached, guessed)
    assert (filled.uncached_input, filled.cache_read, filled.cache_write_5m, filled.output) == (0, 60, 70, 8)
    said = normalise(UsageRule(), ReportedUsage(7, 8, 99, units={"searches": 2}, cost_nano=5))
    assert complete(said, guessed) == said
    mere_thought = normalise(UsageRule(), ReportedUsage(7, 8, 99, reasoning_tokens=8))
    assert complete(mere_thought, guessed) == mere_thought
    beside = normalise(USAGE_RULES["google"], ReportedUsage(None, 8, tool_input_tokens=3))
    assert complete(beside, guessed).uncached_input == 3
    thought = normalise(USAGE_RULES["google"], ReportedUsage(7, None, reasoning_tokens=30))
    assert complete(thought, guessed)[4:6] == (130, 30)
