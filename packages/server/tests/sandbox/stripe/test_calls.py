"""Keys of callers, idempotency, lists, expansion and errors: what all calls have in common."""

import asyncio
import json

import aiohttp
import pytest
import stripe

from packages.server.tests.sandbox.stripe.conftest import Seller, client_of

pytestmark = pytest.mark.system


async def test_a_repeated_key_answers_as_the_first_time_and_says_so(seller: Seller) -> None:
    create = seller.client.v1.customers.create
    first = await seller.call(create, {"email": "ada@example.com"}, {"idempotency_key": "once"})
    again = await seller.call(create, {"email": "ada@example.com"}, {"idempotency_key": "once"})
    assert again.id == first.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.headers["Original-Request"] == first.last_response.headers["Request-Id"]
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert len(seller.control.find("customer")) == 1


async def test_a_key_is_refused_to_other_parameters_and_free_again_after_a_day(seller: Seller) -> None:
    create = seller.client.v1.customers.create
    await seller.call(create, {"email": "ada@example.com"}, {"idempotency_key": "once"})
    with pytest.raises(stripe.IdempotencyError):
        await seller.call(create, {"email": "bob@example.com"}, {"idempotency_key": "once"})
    seller.control.advance(days=1)
    other = await seller.call(create, {"email": "bob@example.com"}, {"idempotency_key": "once"})
    assert other.email == "bob@example.com"


async def test_the_same_key_while_the_first_call_is_in_flight_is_a_conflict(seller: Seller) -> None:
    seller.control.fault("slow", method="POST", path="/v1/customers", seconds=0.4)
    create = seller.client.v1.customers.create
    first = asyncio.create_task(seller.call(create, {"email": "ada@example.com"}, {"idempotency_key": "once"}))
    await asyncio.sleep(0.15)
    with pytest.raises(stripe.APIError) as conflict:
        await seller.call(create, {"email": "ada@example.com"}, {"idempotency_key": "once"})
    assert conflict.value.http_status == 409
    assert conflict.value.json_body["error"]["code"] == "idempotency_key_in_use"
    await first
    again = await seller.call(create, {"email": "ada@example.com"}, {"idempotency_key": "once"})
    assert again.id == (await first).id


async def test_a_call_refused_for_its_parameters_leaves_its_key_free(seller: Seller) -> None:
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": "Bearer sk_test_x", "Idempotency-Key": "once"}
        url = f"{seller.running.url}/v1/customers"
        async with session.post(url, data={"emial": "a"}, headers=headers) as refused:
            assert refused.status == 400
        async with session.post(url, data={"email": "a"}, headers=headers) as made:
            assert made.status == 200


async def test_a_declined_card_is_replayed_too(seller: Seller) -> None:
    wish = {
        "amount": 500,
        "currency": "usd",
        "payment_method": "pm_card_visa_chargeDeclined",
        "confirm": True,
        "off_session": True,
    }
    for _ in range(2):
        with pytest.raises(stripe.CardError) as declined:
            await seller.call(seller.client.v1.payment_intents.create, wish, {"idempotency_key": "top-up-1"})
        assert (declined.value.code, declined.value.error.decline_code) == ("card_declined", "generic_decline")
    assert len(seller.control.find("charge")) == 1


@pytest.mark.parametrize("key", ["", "pk_test_x", "whatever"])
async def test_no_secret_key_is_401(seller: Seller, key: str) -> None:
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with session.get(f"{seller.running.url}/v1/customers", headers=headers) as refused:
            assert refused.status == 401
            assert (await refused.json())["error"]["type"] == "invalid_request_error"


async def test_live_and_test_mode_do_not_see_one_another(seller: Seller) -> None:
    live = client_of(seller.running, "rk_live_made_up")
    ours = await seller.customer()
    theirs = await seller.call(live.v1.customers.create, {"email": "real@example.com"})
    assert (ours.livemode, theirs.livemode) == (False, True)
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        await seller.call(live.v1.customers.retrieve, ours.id)
    assert [customer.id for customer in await seller.call(live.v1.customers.list)] == [theirs.id]


async def test_another_version_of_the_api_is_refused(seller: Seller) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Invalid Stripe API version"):
        await seller.call(seller.client.v1.customers.list, {}, {"stripe_version": "2020-08-27"})


async def test_lists_are_newest_first_and_paged_in_both_directions(seller: Seller) -> None:
    made = [(await seller.customer()).id for _ in range(5)][::-1]
    listed = seller.client.v1.customers.list
    first = await seller.call(listed, {"limit": 2})
    assert [item.id for item in first.data] == made[:2]
    assert first.has_more
    last = await seller.call(listed, {"limit": 2, "starting_after": made[3]})
    assert ([item.id for item in last.data], last.has_more) == (made[4:], False)
    before = await seller.call(listed, {"limit": 2, "ending_before": made[3]})
    assert ([item.id for item in before.data], before.has_more) == (made[1:3], True)
    everything = await seller.call(lambda: [item.id for item in listed({"limit": 2}).auto_paging_iter()])
    assert everything == made


async def test_lists_are_filtered_by_when_objects_were_made(seller: Seller) -> None:
    first = await seller.customer()
    seller.control.advance(seconds=100)
    second = await seller.customer()
    listed = seller.client.v1.customers.list
    assert [item.id for item in await seller.call(listed, {"created": {"gte": second.created}})] == [second.id]
    assert [item.id for item in await seller.call(listed, {"created": {"lt": second.created}})] == [first.id]
    assert [item.id for item in await seller.call(listed, {"created": first.created})] == [first.id]


async def test_expand_reaches_through_objects_and_lists_and_refuses_what_is_no_reference(seller: Seller) -> None:
    intent = await seller.paid()
    path = "data.latest_charge.balance_transaction"
    listed = await seller.call(seller.client.v1.payment_intents.list, {"expand": [path]})
    assert listed.data[0].latest_charge.balance_transaction.amount == 2_500
    for wrong in ("nothing", "latest_charge.balance_transaction.source.customer.x"):
        with pytest.raises(stripe.InvalidRequestError, match="expand"):
            await seller.call(seller.client.v1.payment_intents.retrieve, intent.id, {"expand": [wrong]})


async def test_what_is_not_simulated_is_refused_rather_than_ignored(seller: Seller) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="does not act on it") as unknown:
        await seller.customer(preferred_locales=["de"])
    assert unknown.value.code == "parameter_unknown"
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        await seller.call(seller.client.v1.coupons.list)


async def test_search_finds_intents_by_all_of_some_metadata(seller: Seller) -> None:
    wanted = await seller.paid(payment_intent_data={"metadata": {"account": "a", "order": "1"}})
    await seller.paid(payment_intent_data={"metadata": {"account": "a", "order": "2"}})
    query = "metadata['account']:'a' AND metadata['order']:'1'"
    found = await seller.call(seller.client.v1.payment_intents.search, {"query": query})
    assert [item.id for item in found.data] == [wanted.id]


async def test_an_answer_is_json_and_carries_its_request_and_version(seller: Seller) -> None:
    made = await seller.customer(metadata={"a": "b"})
    headers = made.last_response.headers
    assert headers["Request-Id"].startswith("req_")
    assert headers["Stripe-Version"] == stripe.api_version
    assert json.loads(made.last_response.body)["metadata"] == {"a": "b"}
