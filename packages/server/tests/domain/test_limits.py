"""Which limit refuses a request, what is left of each, and when it begins anew."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.ledger import cap_periods
from monkey_coder_server.domain.limits import (
    Holder,
    HolderKind,
    Limit,
    LimitReached,
    Need,
    Period,
    Standing,
    Unit,
    holders,
    leasable,
    period_name,
    refusing,
    resets_at,
    room,
)

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ACCOUNT, KEY = Holder(HolderKind.ACCOUNT, "acc_1"), Holder(HolderKind.KEY, "key_1")
MODELS = ("openai/gpt-5", "xai/grok-4", "")
AMOUNT = st.integers(0, 10**15)
LIMIT = st.builds(
    Limit,
    holder=st.sampled_from([ACCOUNT, KEY, Holder(HolderKind.PROJECT, "web")]),
    period=st.sampled_from(Period),
    unit=st.sampled_from(Unit),
    allowed=AMOUNT,
    model=st.sampled_from(MODELS),
)
STANDING = st.builds(Standing, limit=LIMIT, spent=AMOUNT, held=AMOUNT)
NEED = st.builds(
    Need, money=AMOUNT, tokens=AMOUNT, models=st.lists(st.sampled_from(MODELS[:2]), unique=True).map(tuple)
)
MOMENT = st.integers(0, 80 * 366 * 24 * 3_600).map(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def money(allowed: int, spent: int = 0, held: int = 0, *, model: str = "", holder: Holder = KEY) -> Standing:
    return Standing(Limit(holder, Period.DAY, Unit.MONEY, allowed, model), spent, held)


def tokens(allowed: int, spent: int = 0, held: int = 0) -> Standing:
    return Standing(Limit(KEY, Period.MONTH, Unit.TOKENS, allowed), spent, held)


@pytest.mark.parametrize(("asked", "refuses"), [(99, False), (100, False), (101, True)])
def test_a_limit_admits_up_to_what_is_left_and_not_one_more(asked: int, *, refuses: bool) -> None:
    spent_and_held = money(400, spent=250, held=50)
    assert (refusing([spent_and_held], Need(asked)) is spent_and_held) == refuses
    counted = tokens(400, spent=250, held=50)
    assert (refusing([counted], Need(0, asked)) is counted) == refuses


def test_a_limit_nothing_was_taken_of_has_all_of_it_left() -> None:
    assert Standing(Limit(KEY, Period.DAY, Unit.MONEY, 400)).left == 400


def test_a_request_of_which_no_tokens_are_said_takes_none() -> None:
    assert refusing([tokens(0)], Need(5)) is None


def test_a_limit_on_a_model_counts_only_requests_that_may_use_it() -> None:
    limit = money(10, model="openai/gpt-5")
    assert refusing([limit], Need(11, models=("xai/grok-4",))) is None
    assert refusing([limit], Need(11, models=("xai/grok-4", "openai/gpt-5"))) is limit
    assert refusing([limit], Need(11)) is None


def test_the_tightest_limit_is_named_whatever_it_counts() -> None:
    wide, narrow, few = money(80), money(50, holder=ACCOUNT), tokens(10)
    assert refusing([wide, narrow], Need(100, 5)) is narrow
    assert refusing([wide, narrow, few], Need(100, 100)) is few
    assert refusing([narrow, money(50)], Need(100)) is narrow


def test_what_is_overdrawn_has_nothing_left_and_still_lets_through_what_takes_nothing() -> None:
    overdrawn = money(10, spent=11)
    assert overdrawn.left == 0
    assert refusing([overdrawn], Need(0)) is None
    assert refusing([overdrawn], Need(1)) is overdrawn


def test_room_is_the_least_that_money_limits_leave() -> None:
    standings = [money(100, spent=30), tokens(5), money(20, model="openai/gpt-5"), money(90, held=10)]
    assert room(standings) == 70
    assert room(standings, ("openai/gpt-5",)) == 20
    assert room([tokens(5)]) is None


def test_slices_honour_money_limits_on_all_models_only() -> None:
    assert leasable(money(1).limit)
    assert not leasable(money(1, model="openai/gpt-5").limit)
    assert not leasable(tokens(1).limit)


def test_the_account_the_project_and_the_key_hold_limits() -> None:
    whole = (ACCOUNT, Holder(HolderKind.ORGANIZATION, "acc_1"))
    team, project = Holder(HolderKind.TEAM, "team_1"), Holder(HolderKind.PROJECT, "web")
    assert holders("acc_1", "key_1") == (*whole, KEY)
    assert holders("acc_1", "key_1", "web") == (*whole, project, KEY)
    assert holders("acc_1", "key_1", "web", "team_1") == (*whole, team, project, KEY)


@pytest.mark.parametrize(
    ("period", "at", "end"),
    [
        (Period.DAY, NOON, datetime(2026, 11, 23, tzinfo=UTC)),
        (Period.DAY, datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)),
        (
            Period.DAY,
            datetime(2026, 11, 22, 23, tzinfo=timezone(timedelta(hours=-5))),
            datetime(2026, 11, 24, tzinfo=UTC),
        ),
        (Period.MONTH, NOON, datetime(2026, 12, 1, tzinfo=UTC)),
        (Period.MONTH, datetime(2026, 12, 31, 23, 59, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        (Period.MONTH, datetime(2027, 1, 31, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)),
        (Period.TOTAL, NOON, None),
    ],
)
def test_a_period_ends_at_midnight_utc(period: Period, at: datetime, end: datetime | None) -> None:
    assert resets_at(period, at) == end


@given(MOMENT)
def test_a_period_is_named_the_same_until_it_resets(at: datetime) -> None:
    day, month = cap_periods(at)
    assert [period_name(period, at) for period in Period] == [day, month, "total"]
    for period in (Period.DAY, Period.MONTH):
        end = resets_at(period, at)
        assert end is not None
        assert end > at
        assert period_name(period, end - timedelta(microseconds=1)) == period_name(period, at)
        assert period_name(period, end) != period_name(period, at)


@given(st.lists(STANDING, max_size=6), NEED)
def test_a_request_is_refused_exactly_when_it_does_not_fit_everywhere(standings: list[Standing], need: Need) -> None:
    short = [one for one in standings if need.of(one.limit) > one.left]
    refused = refusing(standings, need)
    assert (refused is None) == (not short)
    for one in short:
        assert refused is not None
        assert refused.left * need.of(one.limit) <= one.left * need.of(refused.limit)


@given(st.lists(STANDING, max_size=6), NEED)
def test_a_request_no_larger_than_the_room_is_refused_by_no_money_limit(standings: list[Standing], need: Need) -> None:
    fits = room(standings, need.models)
    smaller = Need(need.money if fits is None else min(fits, need.money), 0, need.models)
    assert refusing(standings, smaller) is None
    if fits is not None:
        assert refusing(standings, Need(fits + 1, 0, need.models)) is not None


@given(st.lists(st.tuples(NEED, st.integers(0, 100)), max_size=12), LIMIT)
def test_no_order_of_requests_spends_more_than_is_allowed(requests: list[tuple[Need, int]], limit: Limit) -> None:
    standing = Standing(limit)
    for need, percent in requests:
        if refusing([standing], need) is None:
            spent = need.of(limit) * percent // 100
            standing = Standing(limit, standing.spent + spent, standing.held)
        assert standing.spent <= limit.allowed


@pytest.mark.parametrize("kind", [HolderKind.ACCOUNT, HolderKind.PROJECT])
def test_another_key_is_no_way_round_a_limit_of_more_than_one(kind: HolderKind) -> None:
    shared = Limit(Holder(kind, "web"), Period.TOTAL, Unit.MONEY, 1_000)
    told = LimitReached(Standing(shared), 1_001, NOON).message
    assert told.endswith("it never resets. The gateway's operator can raise it. Or send a smaller request.")


@pytest.mark.parametrize(
    ("holder", "whose"),
    [
        (Holder(HolderKind.ORGANIZATION, "acc_1"), "this organization"),
        (Holder(HolderKind.TEAM, "team_1"), "the team team_1"),
    ],
)
def test_what_an_organization_limits_itself_to_its_own_people_can_raise(holder: Holder, whose: str) -> None:
    told = LimitReached(Standing(Limit(holder, Period.TOTAL, Unit.MONEY, 1_000)), 1_001, NOON).message
    assert f"the limit of {whose}, " in told
    assert "An owner or admin of the organization can raise it." in told


def test_a_refusal_says_who_how_much_since_when_and_until_when() -> None:
    refused = LimitReached(money(1_000, spent=300, held=400, model="openai/gpt-5"), 301, NOON)
    assert refused.message == (
        "This request needs up to 0.000000301 USD, but the limit of this API key for the model openai/gpt-5, "
        "0.000001 USD per day, has 0.0000003 USD left (0.0000003 USD spent, 0.0000004 USD held by running requests); "
        "it resets at 2026-11-23 00:00 UTC. The gateway's operator can raise it, and another key of this account may "
        "have more left. Or send a smaller request."
    )
    assert refused.code == "budget_exceeded"
    assert refused.facts == {
        "limit": "model_day_cap",
        "scope": "model",
        "holder": "key",
        "holder_id": "key_1",
        "model": "openai/gpt-5",
        "period": "day",
        "unit": "money",
        "limit_usd": "0.000001",
        "spent_usd": "0.0000003",
        "held_usd": "0.0000004",
        "available_usd": "0.0000003",
        "needed_usd": "0.000000301",
        "resets_at": "2026-11-23T00:00:00+00:00",
    }


def test_a_refusal_in_tokens_counts_tokens_and_one_in_total_never_resets() -> None:
    standing = Standing(Limit(Holder(HolderKind.PROJECT, "web"), Period.TOTAL, Unit.TOKENS, 50), 20, 5)
    refused = LimitReached(standing, 26, NOON)
    assert "the limit of the project web, 50 tokens in total, has 25 tokens left" in refused.message
    assert "it never resets" in refused.message
    assert refused.facts["limit"] == "project_total_tokens"
    assert (refused.facts["available_tokens"], refused.facts["resets_at"]) == ("25", "never")
    assert "the limit of this account," in LimitReached(money(1, holder=ACCOUNT), 2, NOON).message
