"""Plans, and histories of accounts on them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.plans import (
    DEFAULT_PLAN,
    INCLUDED_PRIORITY,
    LARGEST_CREDIT,
    PREPAID,
    Plan,
    PlanKind,
    PlanSpan,
    follow,
    plan_at,
    put_on,
    with_default,
)

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
PRO: dict[str, Any] = {"plan_id": "pro", "name": "Pro", "kind": PlanKind.SUBSCRIPTION, "monthly_fee_cents": 2_000}


def span(plan_id: str, start: int, end: int | None = None, source: str = "operator") -> PlanSpan:
    """Days from noon."""
    until = None if end is None else NOON + end * DAY
    return PlanSpan(plan_id=plan_id, starts_at=NOON + start * DAY, ends_at=until, source=source)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"plan_id": "Pro"}, "id"),
        ({"plan_id": "-pro"}, "id"),
        ({"plan_id": "p" * 41}, "id"),
        ({"plan_id": ""}, "id"),
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "n" * 81}, "name"),
        ({"monthly_fee_cents": 0}, "fee"),
        ({"monthly_fee_cents": -1}, "fee"),
        ({"monthly_fee_cents": 100_000_001}, "fee"),
        ({"kind": PlanKind.POSTPAID}, "fee"),
        ({"included_credit": -1}, "Credit"),
        ({"included_credit": LARGEST_CREDIT + 1}, "Credit"),
        ({"trial_credit": -1}, "Credit"),
        ({"kind": PlanKind.POSTPAID, "monthly_fee_cents": 0, "included_credit": 1}, "includes"),
        ({"credit_line": 1}, "line"),
        ({"included_priority": -1}, "priority"),
        ({"offered_from": NOON, "offered_until": NOON - DAY}, "offered"),
    ],
)
def test_a_plan_that_cannot_be_says_which_part(changes: dict[str, Any], said: str) -> None:
    Plan(**PRO)
    with pytest.raises(ValueError, match=said):
        Plan(**{**PRO, **changes})


def test_the_prepaid_plan_is_always_there_and_prepaid() -> None:
    written = Plan(plan_id=DEFAULT_PLAN, name="Pay as you go", trial_credit=7)
    assert with_default([]) == (PREPAID,)
    assert with_default([Plan(**PRO), written]) == (written, Plan(**PRO))
    for changes in ({"offered_until": NOON}, {"kind": PlanKind.POSTPAID}):
        with pytest.raises(ValueError, match="always there"):
            Plan(plan_id=DEFAULT_PLAN, name="Prepaid", **changes)  # type: ignore[arg-type]  # several fields


def test_a_plan_is_offered_from_its_first_moment_until_before_its_last() -> None:
    plan = Plan(**PRO, offered_from=NOON, offered_until=NOON + DAY)
    assert [plan.offered(NOON + days * DAY) for days in (-1, 0, 1)] == [False, True, False]
    assert Plan(**PRO).offered(NOON)


def test_an_account_is_prepaid_wherever_no_span_covers_it() -> None:
    history = put_on((), span("pro", 0, 2))
    assert [plan_at(history, NOON + days * DAY) for days in (-1, 0, 1, 2)] == [DEFAULT_PLAN, "pro", "pro", DEFAULT_PLAN]


def test_a_new_plan_ends_the_one_before_and_leaves_what_is_over_as_it_was() -> None:
    history = put_on(put_on((), span("pro", 0, 2)), span("team", 5))
    history = put_on(history, span("firm", 7))
    assert history == (span("pro", 0, 2), span("team", 5, 7), span("firm", 7))
    assert put_on(history, span("none", 9, 9)) == (span("pro", 0, 2), span("team", 5, 7), span("firm", 7, 9))


def test_a_renewal_lengthens_the_span_it_is_on() -> None:
    history = follow((), span("pro", 0, 37, "sub"))
    history = follow(history, span("pro", 30, 67, "sub"))
    assert history == (span("pro", 0, 67, "sub"),)
    assert follow(history, span("pro", 40, 40, "sub")) == (span("pro", 0, 40, "sub"),)
    assert follow(history, span("team", 40, 70, "sub")) == (span("pro", 0, 40, "sub"), span("team", 40, 70, "sub"))


def test_a_renewal_that_comes_late_leaves_the_gap_before_it() -> None:
    history = follow((), span("pro", 0, 37, "sub"))
    assert follow(history, span("pro", 38, 67, "sub")) == (span("pro", 0, 37, "sub"), span("pro", 38, 67, "sub"))


def test_the_same_said_twice_in_one_moment_is_said_once() -> None:
    history = follow((), span("pro", 0, 37, "sub"))
    assert follow(history, span("pro", 0, 37, "sub")) == history
    assert follow(history, span("pro", 0, 0, "sub")) == ()


def test_what_an_operator_decided_since_stands_while_it_lasts() -> None:
    history = put_on(follow((), span("pro", 0, 37, "sub")), span("firm", 10, 50))
    for said in (span("pro", 30, 67, "sub"), span("pro", 30, 30, "sub")):
        assert follow(history, said) == history
    assert follow(history, span("pro", 51, 67, "sub"))[-1] == span("pro", 51, 67, "sub")


def test_the_end_of_a_subscription_ends_nothing_else() -> None:
    for history in ((), (span("firm", 0),)):
        assert follow(history, span("pro", 5, 5, "sub")) == history


def test_a_plan_bought_on_top_of_an_operators_begins() -> None:
    assert follow((span("firm", 0),), span("pro", 5, 42, "sub")) == (span("firm", 0, 5), span("pro", 5, 42, "sub"))


EVENTS = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from(["pro", "team", "firm"]),
        st.sampled_from(["operator", "sub_1", "sub_2"]),
        st.integers(0, 3),
        st.one_of(st.none(), st.integers(0, 40)),
    ),
    max_size=12,
)


@given(EVENTS)
def test_histories_never_overlap_and_their_past_never_changes(events: Sequence[tuple[Any, ...]]) -> None:
    history: tuple[PlanSpan, ...] = ()
    now = NOON
    for follows, plan_id, source, later, lasting in events:
        now += later * MINUTE
        until = None if lasting is None else now + lasting * MINUTE
        said = PlanSpan(plan_id=plan_id, starts_at=now, ends_at=until, source=source)
        after = (follow if follows else put_on)(history, said)
        past = [NOON + minute * MINUTE for minute in range((now - NOON) // MINUTE)]
        assert [plan_at(after, at) for at in past] == [plan_at(history, at) for at in past]
        assert all(one.ends_at is not None and one.ends_at <= other.starts_at for one, other in pairwise(after))
        assert not any(each.empty for each in after)
        if not follows and not said.empty:
            assert plan_at(after, now) == plan_id
        history = after


@pytest.mark.parametrize(
    "changes",
    [
        {"plan_id": "p" * 40},
        {"plan_id": "p"},
        {"name": "n" * 80},
        {"monthly_fee_cents": 1},
        {"monthly_fee_cents": 100_000_000},
        {"included_credit": 10**15},
        {"trial_credit": 0},
        {"trial_credit": 10**15},
        {"included_priority": 0},
        {"included_priority": 1_000_000},
        {"offered_from": NOON, "offered_until": NOON},
        {"kind": PlanKind.POSTPAID, "monthly_fee_cents": 0, "credit_line": 10**15},
    ],
)
def test_a_plan_may_be_at_its_bounds(changes: dict[str, Any]) -> None:
    assert Plan(**{**PRO, **changes})


def test_a_plan_written_without_them_includes_and_extends_nothing() -> None:
    assert (PREPAID.monthly_fee_cents, PREPAID.included_credit, PREPAID.credit_line) == (0, 0, 0)
    assert (PREPAID.trial_credit, PREPAID.included_priority, PREPAID.listed) == (None, INCLUDED_PRIORITY, True)
    assert INCLUDED_PRIORITY == 50
    with pytest.raises(ValueError, match="priority"):
        Plan(**PRO, included_priority=1_000_001)
    with pytest.raises(ValueError, match="Credit"):
        Plan(**PRO, included_credit=10**15 + 1)


def test_of_two_spans_of_one_source_the_last_is_the_one_it_speaks_of() -> None:
    history = (span("pro", 0, 37, "sub"), span("firm", 38, 50), span("pro", 50, 80, "sub"))
    assert follow(history, span("pro", 60, 60, "sub"))[-1] == span("pro", 50, 60, "sub")
