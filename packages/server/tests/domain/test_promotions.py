"""Who may redeem a promotion, when, and by what code."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain import promotions, user_codes
from monkey_coder_server.domain.errors import Conflict, Forbidden, GatewayError, NotFound
from monkey_coder_server.domain.promotions import Promotion, Redeemer, check, compose, folded

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SPRING = Promotion(
    promotion_id="promo_1",
    code="SPRING-26",
    campaign="Spring",
    amount=5_000_000_000,
    lasts_days=30,
    starts_at=NOON,
)
ANYBODY = Redeemer(NOON - 1_000 * DAY, "prepaid")


def refused(promotion: Promotion, *, redeemed: int = 0, by: Redeemer = ANYBODY, at: datetime = NOON) -> str:
    with pytest.raises(GatewayError) as caught:
        check(promotion, redeemed, by, at)
    return f"{caught.value.code}: {caught.value.message}"


def test_a_promotion_holds_from_its_start_until_before_its_end() -> None:
    bounded = replace(SPRING, ends_at=NOON + DAY)
    check(bounded, 0, ANYBODY, NOON)
    check(bounded, 10**9, ANYBODY, NOON + DAY - timedelta(microseconds=1))
    assert refused(bounded, at=NOON + DAY) == "conflict: This promotion is over."
    check(SPRING, 0, ANYBODY, NOON + 10_000 * DAY)


def test_one_that_has_not_begun_is_told_from_none_by_nobody() -> None:
    early = refused(SPRING, at=NOON - timedelta(microseconds=1))
    assert early == f"not_found: {promotions.unknown().message}"
    assert isinstance(promotions.unknown(), NotFound)


def test_so_many_redeem_it_and_no_more() -> None:
    bounded = replace(SPRING, most=2)
    check(bounded, 1, ANYBODY, NOON)
    assert refused(bounded, redeemed=2).startswith("conflict: This promotion was redeemed as often")


@pytest.mark.parametrize(
    ("opened_at", "may"),
    [(NOON - 7 * DAY, True), (NOON - 7 * DAY - timedelta(microseconds=1), False), (NOON, True), (None, False)],
)
def test_one_for_new_accounts_is_for_them_alone(opened_at: datetime | None, *, may: bool) -> None:
    bounded, by = replace(SPRING, new_within_days=7), Redeemer(opened_at, "prepaid")
    if may:
        check(bounded, 0, by, NOON)
    else:
        assert refused(bounded, by=by).startswith("forbidden: This promotion is for accounts that were opened")


def test_one_for_plans_is_for_accounts_on_them() -> None:
    bounded = replace(SPRING, plans=("pro", "team"))
    check(bounded, 0, Redeemer(None, "team"), NOON)
    assert refused(bounded) == "forbidden: This promotion is for accounts on these plans: pro, team."


def test_who_made_it_does_not_redeem_it() -> None:
    assert refused(SPRING, by=Redeemer(NOON, "prepaid", made_it=True)).startswith("forbidden: Nobody gives credit")


def test_the_state_is_told_in_a_word() -> None:
    bounded = replace(SPRING, ends_at=NOON + DAY, most=2)
    states = [bounded.state(redeemed, at) for redeemed, at in ((0, NOON - DAY), (1, NOON), (2, NOON), (2, NOON + DAY))]
    assert states == ["to come", "in force", "used up", "over"]
    assert replace(SPRING, ends_at=NOON).state(0, NOON - DAY) == "over"


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"code": "AB-12"}, "6 to 40"),
        ({"code": "A" * 41}, "6 to 40"),
        ({"code": "SPRING_26"}, "6 to 40"),
        ({"campaign": " "}, "campaign"),
        ({"campaign": "x" * 81}, "campaign"),
        ({"campaign": "a\nb"}, "campaign"),
        ({"amount": 0}, "more than zero"),
        ({"amount": promotions.LARGEST_AMOUNT + 1}, "10,000 USD"),
        ({"lasts_days": 0}, "lasts 1 to"),
        ({"lasts_days": promotions.MOST_DAYS + 1}, "lasts 1 to"),
        ({"most": 0}, "at least one"),
        ({"new_within_days": 0}, "new account"),
        ({"ends_at": NOON - DAY}, "cannot end before"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(change: dict[str, Any], names: str) -> None:
    with pytest.raises(ValueError, match=names):
        replace(SPRING, **change)


@given(st.binary(min_size=promotions.RANDOM_BYTES, max_size=40))
def test_a_code_that_is_made_is_long_and_reads_back_however_it_is_typed(random_bytes: bytes) -> None:
    code = compose(random_bytes)
    letters = code.replace("-", "")
    assert len(user_codes.ALPHABET) ** len(letters) > 2**60
    assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]
    assert folded(code) == folded(f" {code.lower().replace('-', ' ')}\t") == letters
    assert replace(SPRING, code=code).code == code


def test_another_number_is_another_code() -> None:
    codes = {compose(number.to_bytes(promotions.RANDOM_BYTES, "big")) for number in range(500)}
    assert len(codes) == 500


def test_too_little_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="24 random bytes"):
        compose(bytes(promotions.RANDOM_BYTES - 1))


@pytest.mark.parametrize("typed", ["", "short", "A" * 41, "spring_26", "spring.26", "\uff33PRING26", "ßpring26"])
def test_what_can_be_no_code_is_none(typed: str) -> None:
    assert folded(typed) is None


def test_refusals_are_of_the_kinds_the_edge_knows() -> None:
    with pytest.raises(Conflict):
        check(replace(SPRING, ends_at=NOON), 0, ANYBODY, NOON)
    with pytest.raises(Forbidden):
        check(replace(SPRING, plans=("pro",)), 0, ANYBODY, NOON)
