"""The most specific markup wins, then the one that started last, then the one that was set last."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.markup import SINCE_EVER, MarkupRule, MarkupTable
from monkey_coder_server.domain.money import percent

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TABLE = MarkupTable(
    1_500,
    (
        MarkupRule(basis_points=1_000, plan="pro"),
        MarkupRule(basis_points=800, provider="groq"),
        MarkupRule(basis_points=700, plan="pro", provider="groq"),
        MarkupRule(basis_points=500, model="gpt-5", name="markup_2"),
        MarkupRule(basis_points=501, model="gpt-5", name="markup_1"),
        MarkupRule(basis_points=0, plan="enterprise", model="gpt-5"),
    ),
)


@pytest.mark.parametrize(
    ("plan", "provider", "model", "expected"),
    [
        ("hobby", "openai", "o3", 1_500),
        ("pro", "openai", "o3", 1_000),
        ("hobby", "groq", "llama", 800),
        ("pro", "groq", "llama", 700),
        ("pro", "openai", "gpt-5", 500),
        ("enterprise", "openai", "gpt-5", 0),
        ("hobby", "groq", "gpt-5", 500),
    ],
)
def test_model_beats_provider_beats_plan_beats_the_default(plan: str, provider: str, model: str, expected: int) -> None:
    assert TABLE.basis_points(plan=plan, provider=provider, model=model) == expected


def test_of_rules_that_state_the_same_the_one_that_started_last_wins_while_it_holds() -> None:
    usual = MarkupRule(basis_points=1_200, provider="groq", name="markup_9")
    week = MarkupRule(basis_points=300, provider="groq", starts_at=NOON, ends_at=NOON + 7 * DAY, name="markup_1")
    table = MarkupTable(1_500, (usual, week))
    found = [
        table.at(moment).basis_points(plan="", provider="groq", model="llama")
        for moment in (NOON - DAY, NOON, NOON + 6 * DAY, NOON + 7 * DAY)
    ]
    assert found == [1_200, 300, 300, 1_200]


def test_a_plain_rule_does_not_wait_for_a_wider_one_to_end() -> None:
    wide = MarkupRule(basis_points=300, plan="pro", starts_at=NOON + DAY)
    narrow = MarkupRule(basis_points=900, plan="pro", model="gpt-5", starts_at=NOON)
    table = MarkupTable(1_500, (wide, narrow)).at(NOON + 2 * DAY)
    assert table.basis_points(plan="pro", provider="openai", model="gpt-5") == 900


def test_the_next_change_is_the_next_moment_a_rule_starts_or_ends() -> None:
    rules = (
        MarkupRule(basis_points=1, starts_at=NOON, ends_at=NOON + 3 * DAY),
        MarkupRule(basis_points=2, starts_at=NOON + DAY),
    )
    table = MarkupTable(0, rules)
    found = [table.next_change(moment) for moment in (NOON - DAY, NOON, NOON + DAY, NOON + 3 * DAY)]
    assert found == [NOON, NOON + DAY, NOON + 3 * DAY, None]


@given(
    rules=st.lists(
        st.builds(
            lambda points, plan, provider, start, days, number: MarkupRule(
                basis_points=points,
                plan=plan,
                provider=provider,
                starts_at=NOON + start * DAY,
                ends_at=None if days is None else NOON + (start + days) * DAY,
                name=f"markup_{number:03d}",
            ),
            st.integers(0, 5_000),
            st.sampled_from([None, "pro", "team"]),
            st.sampled_from([None, "openai", "groq"]),
            st.integers(-5, 5),
            st.none() | st.integers(0, 4),
            st.integers(0, 999),
        ),
        max_size=8,
    ),
    hours=st.integers(-24 * 7, 24 * 12),
)
def test_a_table_of_a_moment_says_what_the_whole_says_until_its_next_change(
    rules: list[MarkupRule], hours: int
) -> None:
    at, table = NOON + timedelta(hours=hours), MarkupTable(1_500, tuple(rules))
    until = table.next_change(at)
    later = at + 30 * DAY if until is None else until - timedelta(microseconds=1)
    for plan in ("pro", "free"):
        for provider in ("openai", "groq"):
            asked = {"plan": plan, "provider": provider, "model": "m"}
            now = table.at(at).basis_points(**asked)
            assert now == table.at(later).basis_points(**asked)
            holding = [rule for rule in rules if rule.in_force(at) and rule.matches(**asked)]
            decides = table.at(at).rule(**asked)
            assert (decides is None) == (not holding)
            assert all(decides is not None and rule.rank <= decides.rank for rule in holding)


@pytest.mark.parametrize("points", [0, 1_000_000])
def test_a_markup_is_from_nothing_to_ten_thousand_per_cent(points: int) -> None:
    table = MarkupTable(points)
    assert table.basis_points(plan="hobby", provider="openai", model="o3") == points


@pytest.mark.parametrize("points", [-1, 1_000_001])
def test_a_markup_out_of_range_is_refused(points: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        MarkupRule(basis_points=points)
    with pytest.raises(ValueError, match="out of range"):
        MarkupTable(points)


def test_a_markup_that_ends_before_it_starts_is_none() -> None:
    with pytest.raises(ValueError, match="before it starts"):
        MarkupRule(basis_points=1, starts_at=NOON, ends_at=NOON - DAY)


@pytest.mark.parametrize(("points", "shown"), [(0, "0%"), (1_500, "15%"), (1_250, "12.5%"), (1, "0.01%")])
def test_basis_points_are_shown_as_a_percentage(points: int, shown: str) -> None:
    assert percent(points) == shown


def test_a_rule_holds_since_the_first_moment_a_database_keeps() -> None:
    assert SINCE_EVER.timestamp() == 0
    assert MarkupRule(basis_points=1).in_force(SINCE_EVER)
