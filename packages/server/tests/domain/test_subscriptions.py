"""Until when a subscription keeps an account on its plan."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import permutations

import pytest

from monkey_coder_server.domain.subscriptions import GRACE, Subscription, included_until, merge

START = datetime(2026, 11, 5, tzinfo=UTC)
END = datetime(2026, 12, 5, tzinfo=UTC)
NOW = START + timedelta(days=3)
SEEN = Subscription(
    subscription_id="sub_1",
    account_id="acc_1",
    plan_id="pro",
    state="active",
    period_start=START,
    period_end=END,
    ends_with_period=False,
)


@pytest.mark.parametrize(
    ("state", "changes", "until"),
    [
        ("active", {}, END + GRACE),
        ("trialing", {}, END + GRACE),
        ("active", {"ends_with_period": True}, END),
        ("past_due", {}, START + GRACE),
        ("unpaid", {"paid_until": END}, START + GRACE),
        ("canceled", {"paid_until": END}, END),
        ("canceled", {}, NOW),
        ("canceled", {"paid_until": START}, NOW),
        ("incomplete", {}, NOW),
        ("paused", {"paid_until": END}, END),
        ("a_word_of_tomorrow", {}, NOW),
    ],
)
def test_a_plan_lasts_as_long_as_it_is_paid_for_and_a_week_of_grace(
    state: str, changes: dict[str, object], until: datetime
) -> None:
    assert replace(SEEN, state=state, **changes).until(NOW) == until  # type: ignore[arg-type]  # several fields


def test_its_span_begins_now_and_names_it() -> None:
    span = SEEN.span(NOW)
    assert (span.plan_id, span.starts_at, span.ends_at, span.source) == ("pro", NOW, END + GRACE, "sub_1")


def test_a_running_or_owing_one_is_live() -> None:
    words = ("active", "past_due", "canceled", "incomplete_expired")
    assert [replace(SEEN, state=each).live for each in words] == [True, True, False, False]


def test_sights_in_any_order_come_to_the_last() -> None:
    renewed = replace(SEEN, period_start=END, period_end=END + timedelta(days=31))
    paid = replace(SEEN, paid_until=END)
    ended = replace(renewed, state="canceled")
    assert {reduce(merge, order) for order in permutations((SEEN, renewed, paid, ended))} == {
        replace(ended, paid_until=END)
    }


def test_included_credit_ends_with_its_month_unless_that_is_over() -> None:
    assert included_until(END, NOW) == END
    assert included_until(END, END) == END + GRACE


def test_the_grace_is_a_week() -> None:
    assert timedelta(days=7) == GRACE


def test_what_was_paid_for_longest_counts_in_any_order() -> None:
    longer, shorter = [replace(SEEN, paid_until=until) for until in (END + GRACE, END)]
    assert merge(longer, shorter).paid_until == merge(shorter, longer).paid_until == END + GRACE
