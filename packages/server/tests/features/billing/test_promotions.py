"""`/v1/billing/promotions` and `/v1/operator/promotions`: made, redeemed once, refused clearly, guessed in vain."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from monkey_coder_server.domain.operators import OperatorRole
from packages.server.tests.features.accounts.people import Person, appointed
from packages.server.tests.features.accounts.test_operators import age, ask, refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "/v1/billing/promotions"
OPERATORS = "/v1/operator/promotions"
SPRING = {"campaign": "Spring", "amount_usd": "2.50", "lasts_days": 30, "reason": "a season of new people"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def billing(house: Any) -> AsyncIterator[Person]:
    yield await appointed(house, OperatorRole.BILLING)


async def made(house: Any, billing: Person, **terms: Any) -> dict[str, Any]:
    answer = await ask(house, billing, "POST", OPERATORS, {**SPRING, **terms})
    assert answer.status_code == 200, answer.text
    promotion: dict[str, Any] = answer.json()
    return promotion


async def redeem(house: Any, customer: Any, code: str, **headers: str) -> Any:
    return await house.client.post(PATH, json={"code": code}, headers={**customer.headers, **headers})


@pytest.fixture
def places(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Network addresses are counted by other tests, too."""
    from monkey_coder_server.domain.throttling import Allowance
    from monkey_coder_server.features.billing.promotions import guessing

    monkeypatch.setattr(guessing, "A_PLACE", Allowance(free=10_000, forgotten_after=1, first=1, longest=1))


@pytest.mark.usefixtures("places")
async def test_a_promotion_is_made_redeemed_listed_and_ended(house: Any, billing: Person) -> None:
    promotion = await made(house, billing, maximum=3)
    assert (promotion["state"], promotion["redeemed"], promotion["plans"]) == ("in force", 0, [])
    assert len(promotion["code"].replace("-", "")) == 16
    customer = await house.customer(usd=1)
    typed = promotion["code"].lower().replace("-", " ")
    given = await redeem(house, customer, typed, **{"idempotency-key": "spring"})
    assert given.status_code == 200, given.text
    body = given.json()
    assert (body["campaign"], body["amount_usd"], body["left_usd"]) == ("Spring", "2.50", "2.50")
    assert body["balance_usd"] == "3.50"
    again = await redeem(house, customer, typed, **{"idempotency-key": "spring"})
    assert (again.json(), again.headers["idempotent-replayed"]) == (body, "true")
    assert refusal(await redeem(house, customer, typed)) == (409, "conflict")
    listed = (await house.client.get(PATH, headers=customer.headers)).json()
    assert listed == {"promotions": [{name: body[name] for name in body if name != "balance_usd"}], "count": 1}
    assert promotion["code"] not in str(listed)
    [shown] = [
        each
        for each in (await ask(house, billing, "GET", OPERATORS)).json()["promotions"]
        if each["promotion_id"] == promotion["promotion_id"]
    ]
    assert (shown["redeemed"], shown["maximum"], shown["code"]) == (1, 3, promotion["code"])
    place = f"{OPERATORS}/{promotion['promotion_id']}/end"
    ended = await ask(house, billing, "POST", place, {"reason": "it is summer"})
    assert (ended.json()["state"], ended.json()["redeemed"]) == ("over", 1)
    assert refusal(await ask(house, billing, "POST", place, {"reason": "again"})) == (409, "conflict")
    late = await redeem(house, await house.customer(), typed)
    assert (refusal(late), late.json()["detail"]) == ((409, "conflict"), "This promotion is over.")


@pytest.mark.usefixtures("places")
async def test_the_trail_names_the_promotion_and_never_its_code(house: Any, billing: Person) -> None:
    promotion, customer = await made(house, billing, code="trail-code-7"), await house.customer()
    assert promotion["code"] == "TRAIL-CODE-7"
    await redeem(house, customer, "nothing at all")
    await redeem(house, customer, "trailcode7")
    await house.gateway.application.services.refusals.settle()
    pages = [page async for page in house.gateway.books.storage.audit.pages(None)]
    entries = [each.entry for page in pages for each in page]
    told = [
        (each.action, each.outcome, each.details)
        for each in entries
        if each.account_id == customer.account_id and each.action.startswith("promotion")
    ]
    assert told == [
        ("promotion.redeem", "refused", "not_found"),
        ("promotion.redeem", "done", "2.50 USD, Spring"),
    ]
    made_it = [each for each in entries if each.target == promotion["promotion_id"] and each.action == "promotion.add"]
    assert ["a season of new people" in each.details for each in made_it] == [True]
    assert not [each for each in entries if "TRAIL" in each.details.upper() or "TRAIL" in each.target.upper()]


@pytest.mark.usefixtures("places")
async def test_who_may_not_redeem_is_told_why(house: Any, billing: Person) -> None:
    await house.gateway.books.storage.plans.put(_plan("gold"))
    await made(house, billing, code="GOLD-ONLY", plans=["gold"])
    await made(house, billing, code="JUST-OPENED", new_within_days=1)
    await made(house, billing, code="THE-ONLY-ONE", maximum=1)
    await made(house, billing, code="NOT-BEFORE", starts_at="2999-01-01")
    one, other = await house.customer(), await house.customer()
    refused = await redeem(house, one, "gold-only")
    assert refusal(refused) == (403, "forbidden")
    assert "plans: gold" in refused.json()["detail"]
    assert (await redeem(house, one, "just-opened")).status_code == 200
    assert (await redeem(house, one, "the-only-one")).status_code == 200
    assert "as often as it can be" in (await redeem(house, other, "the-only-one")).json()["detail"]
    secret, nothing = await redeem(house, other, "not-before"), await redeem(house, other, "no-such-code")
    assert refusal(secret) == refusal(nothing) == (404, "not_found")
    assert secret.json()["detail"] == nothing.json()["detail"]
    assert refusal(await redeem(house, other, "_")) == (404, "not_found")


@pytest.mark.usefixtures("places")
async def test_guessing_is_slowed_and_what_is_right_is_no_guess(house: Any, billing: Person) -> None:
    codes = [(await made(house, billing))["code"] for _ in range(7)]
    lucky, guesser = await house.customer(), await house.customer()
    assert {(await redeem(house, lucky, code)).status_code for code in codes} == {200}
    ends = [(await redeem(house, guesser, f"guess-{number}")).status_code for number in range(6)]
    assert ends == [404] * 5 + [429]
    slowed = await redeem(house, guesser, codes[0])
    assert refusal(slowed) == (429, "rate_limited")
    assert int(slowed.headers["retry-after"]) > 1


async def test_guesses_of_many_accounts_at_one_place_are_counted_together(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from monkey_coder_server.domain.throttling import SECOND, Allowance
    from monkey_coder_server.features.billing.promotions import guessing

    one, other = await house.customer(), await house.customer()
    await redeem(house, one, "a-first-guess")
    monkeypatch.setattr(guessing, "A_PLACE", Allowance(1, 900 * SECOND, 10 * SECOND, 900 * SECOND))
    assert refusal(await redeem(house, other, "another-guess")) == (429, "rate_limited")


@pytest.mark.parametrize(
    ("terms", "names"),
    [
        ({"amount_usd": "0"}, "more than zero"),
        ({"amount_usd": "a lot"}, "amount_usd"),
        ({"lasts_days": 0}, "lasts 1 to"),
        ({"code": "short"}, "6 to 40"),
        ({"campaign": ""}, "campaign"),
        ({"maximum": 0}, "at least one"),
        ({"new_within_days": 0}, "new account"),
        ({"plans": ["diamond"]}, "there are"),
        ({"ends_at": "2020-01-01"}, "after now"),
        ({"starts_at": "2999-01-02", "ends_at": "2999-01-01"}, "end after it starts"),
        ({"starts_at": "soon"}, "starts_at"),
        ({"reason": ""}, "reason"),
    ],
)
async def test_a_promotion_that_cannot_be_is_refused_with_its_reason(
    house: Any, billing: Person, terms: dict[str, Any], names: str
) -> None:
    refused = await ask(house, billing, "POST", OPERATORS, {**SPRING, **terms})
    assert refusal(refused) == (400, "invalid_request")
    assert names in refused.json()["detail"]


async def test_a_code_is_taken_once_and_an_end_is_not_in_the_past(house: Any, billing: Person) -> None:
    promotion = await made(house, billing, code="TAKEN-ONCE")
    taken = await ask(house, billing, "POST", OPERATORS, {**SPRING, "code": "takenonce"})
    assert refusal(taken) == (409, "conflict")
    place = f"{OPERATORS}/{promotion['promotion_id']}/end"
    past = await ask(house, billing, "POST", place, {"reason": "late", "ends_at": "2020-01-01"})
    assert refusal(past) == (400, "invalid_request")
    later = (house.gateway.books.clock.now() + timedelta(days=1)).isoformat()
    ended = await ask(house, billing, "POST", place, {"reason": "soon", "ends_at": later})
    assert (ended.json()["state"], ended.json()["ends_at"]) == ("in force", later)
    missing = await ask(house, billing, "POST", f"{OPERATORS}/promo_none/end", {"reason": "none"})
    assert refusal(missing) == (404, "not_found")


async def test_an_older_session_gives_nothing_away_without_a_proof(house: Any) -> None:
    older = await appointed(house, OperatorRole.BILLING)
    await age(house, older)
    assert (await ask(house, older, "POST", OPERATORS, SPRING)).status_code == 403
    assert (await ask(house, older, "GET", OPERATORS)).status_code == 200


@pytest.mark.usefixtures("places")
async def test_an_operator_does_not_redeem_what_they_made(house: Any, billing: Person) -> None:
    code = (await made(house, billing))["code"]
    assert refusal(await ask(house, billing, "POST", PATH, {"code": code})) == (403, "forbidden")
    other = await appointed(house, OperatorRole.BILLING)
    assert (await ask(house, other, "POST", PATH, {"code": code})).status_code == 200


async def test_a_key_that_only_reads_redeems_nothing(house: Any) -> None:
    customer = await house.customer()
    key = await house.key_of(customer, scopes=["billing:read"])
    headers = {"x-api-key": key}
    assert (await house.client.get(PATH, headers=headers)).status_code == 200
    assert (await house.client.post(PATH, json={"code": "whatever"}, headers=headers)).status_code == 403


def _plan(plan_id: str) -> Any:
    from monkey_coder_server.domain.plans import Plan

    return Plan(plan_id=plan_id, name=plan_id.title())
