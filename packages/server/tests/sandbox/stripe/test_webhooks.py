"""Webhooks: signed as the SDK checks them, repeated until taken, lost, doubled, mixed, delayed, forged; and faults."""

import asyncio
import json
import time

import aiohttp
import pytest
import stripe

from packages.server.tests.sandbox.stripe.conftest import KEY, Seller, client_of
from packages.server.tests.simulated_stripe import SECRET, inbox_of, strict_stripe

pytestmark = pytest.mark.system


async def test_a_webhook_is_what_the_sdk_constructs_an_event_from(seller: Seller) -> None:
    async with inbox_of(seller.control) as inbox:
        customer = await seller.customer()
        (sent,) = await seller.control.deliver()
    event = stripe.Webhook.construct_event(inbox.bodies[0], inbox.signatures[0], SECRET)
    assert (event.type, event.data.object.id, event.id) == ("customer.created", customer.id, sent.event_id)
    assert (event.api_version, event.livemode) == (stripe.api_version, False)
    assert event.request.id == customer.last_response.headers["Request-Id"]
    assert event.request.idempotency_key
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(inbox.bodies[0] + b" ", inbox.signatures[0], SECRET)


async def test_while_a_secret_is_changed_both_sign(seller: Seller) -> None:
    async with inbox_of(seller.control, "whsec_old", "whsec_new") as inbox:
        await seller.customer()
        await seller.control.deliver()
    for secret in ("whsec_old", "whsec_new"):
        assert stripe.Webhook.construct_event(inbox.bodies[0], inbox.signatures[0], secret)


async def test_what_is_not_taken_comes_again_later_and_later(seller: Seller) -> None:
    async with inbox_of(seller.control) as inbox:
        inbox.answers = [500, 503]
        await seller.customer()
        assert [sent.status for sent in await seller.control.deliver()] == [500]
        assert await seller.control.deliver() == []
        seller.control.advance(seconds=2)
        assert [sent.status for sent in await seller.control.deliver()] == [503]
        seller.control.advance(seconds=2)
        assert await seller.control.deliver() == []
        seller.control.advance(seconds=2)
        assert [sent.status for sent in await seller.control.deliver()] == [200]
    assert len(set(inbox.bodies)) == 1
    assert seller.control.find("event")[0]["pending_webhooks"] == 0


async def test_an_address_without_a_listener_is_tried_again(seller: Seller) -> None:
    seller.control.add_endpoint("http://127.0.0.1:9/nobody", [SECRET])
    await seller.customer()
    assert [sent.status for sent in await seller.control.deliver()] == [0]
    assert len(seller.running.simulator.webhooks.waiting) == 1


async def test_scripts_lose_double_and_delay(seller: Seller) -> None:
    async with inbox_of(seller.control) as inbox:
        seller.control.script(lose=1, copies=3)
        await seller.customer()
        await seller.customer()
        assert len(await seller.control.deliver()) == 3
        lost = seller.control.find("event")[0]
        found = await seller.call(seller.client.v1.events.list, {"delivery_success": False})
        assert [event.id for event in found] == [lost["id"]]
        seller.control.script(delay=3_600)
        await seller.customer()
        assert await seller.control.deliver() == []
        seller.control.resend(lost["id"], copies=2)
        assert len(await seller.control.deliver()) == 2
        assert len(await seller.control.deliver(everything=True)) == 1
    assert len(inbox.bodies) == 6


async def test_a_mixed_delivery_brings_everything_once_in_another_order(seller: Seller) -> None:
    async with inbox_of(seller.control) as inbox:
        await seller.paid(invoice_creation={"enabled": True})
        await seller.control.deliver(mixed=True)
    arrived = [json.loads(body)["type"] for body in inbox.bodies]
    assert sorted(arrived) == sorted(seller.told)
    assert arrived != seller.told


async def test_forged_events_are_signed_rightly_and_wrong_otherwise(seller: Seller) -> None:
    async with inbox_of(seller.control) as inbox:
        seller.control.forge("customer.created", {"id": "cus_x"}, live=True)
        seller.control.forge("something.new", {"id": "x_1", "object": "x"}, shift=3_600)
        await seller.control.deliver(everything=True)
    first, second = (
        stripe.Webhook.construct_event(body, signed, SECRET)
        for body, signed in zip(inbox.bodies, inbox.signatures, strict=True)
    )
    assert (first.livemode, second.type) == (True, "something.new")
    assert int(inbox.signatures[1].removeprefix("t=").split(",")[0]) > time.time() + 3_500


async def test_webhooks_go_out_by_themselves_unless_they_are_held() -> None:
    async with strict_stripe() as running, inbox_of(running.control) as inbox:
        create = client_of(running).v1.customers.create
        await asyncio.to_thread(create, {"email": "ada@example.com"})
        async with asyncio.timeout(5):
            while not inbox.bodies:  # noqa: ASYNC110 - the other end is a socket
                await asyncio.sleep(0.01)
        running.control.hold()
        await asyncio.to_thread(create, {"email": "ada@example.com"})
        await asyncio.sleep(0.7)
        assert len(inbox.bodies) == 1


async def test_a_webhook_can_come_before_the_answer_to_its_own_call(seller: Seller) -> None:
    async with inbox_of(seller.control) as inbox:
        seller.control.fault("webhook_first", method="POST", path="/v1/customers")
        await seller.customer()
    assert len(inbox.bodies) == 1


@pytest.mark.parametrize("kind", ["timeout_after_commit", "cut_after_commit", "cut", "lock_timeout"])
async def test_the_sdk_gets_over_a_lost_answer_and_the_work_is_done_once(seller: Seller, kind: str) -> None:
    seller.control.fault(kind, method="POST", path="/v1/customers", seconds=0.2)
    patient = client_of(seller.running, max_network_retries=2)
    made = await seller.call(patient.v1.customers.create, {"email": "ada@example.com"})
    assert [customer["id"] for customer in seller.control.find("customer")] == [made.id]
    replayed = made.last_response.headers.get("Idempotent-Replayed") == "true"
    assert replayed == kind.endswith("after_commit")


@pytest.mark.parametrize(("kind", "made"), [("server_error", 0), ("server_error_after_commit", 1)])
async def test_a_500_is_kept_under_its_key(seller: Seller, kind: str, made: int) -> None:
    seller.control.fault(kind, method="POST", path="/v1/customers")
    patient = client_of(seller.running, max_network_retries=2)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as broken:
            await seller.call(patient.v1.customers.create, {"email": "a@example.com"}, {"idempotency_key": "once"})
        assert broken.value.http_status == 500
    assert len(seller.control.find("customer")) == made


async def test_too_many_calls_are_a_429_that_no_key_remembers(seller: Seller) -> None:
    seller.control.fault("rate_limit", times=1)
    create = seller.client.v1.customers.create
    with pytest.raises(stripe.RateLimitError):
        await seller.call(create, {"email": "ada@example.com"}, {"idempotency_key": "once"})
    assert (await seller.call(create, {"email": "ada@example.com"}, {"idempotency_key": "once"})).id


def test_an_unknown_fault_is_no_fault() -> None:
    from monkey_coder_server.sandbox.stripe.faults import Fault, UnknownFault

    with pytest.raises(UnknownFault):
        Fault("earthquake")


async def test_events_are_found_by_type_and_kept_for_a_month(seller: Seller) -> None:
    await seller.paid()
    listed = seller.client.v1.events.list
    assert [event.type for event in await seller.call(listed, {"type": "charge.*"})] == ["charge.succeeded"]
    wanted = ["charge.succeeded", "payment_intent.succeeded"]
    assert [event.type for event in await seller.call(listed, {"types": wanted})] == wanted[::-1]
    one = seller.control.find("event")[0]["id"]
    assert (await seller.call(seller.client.v1.events.retrieve, one)).id == one
    with pytest.raises(stripe.InvalidRequestError, match="both type and types"):
        await seller.call(listed, {"type": "a", "types": ["b"]})
    seller.control.advance(days=31)
    assert (await seller.call(listed)).data == []


async def test_the_control_is_reached_over_http_too(seller: Seller) -> None:
    session = await seller.session()
    url = f"{seller.running.url}/_control"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as http:

        async def do(verb: str, **given: object) -> tuple[int, dict[str, object]]:
            async with http.post(url, json={"do": verb, "with": given}) as reply:
                return reply.status, await reply.json()

        assert (await do("pay", session=session.id))[1]["result"]["payment_status"] == "paid"
        assert (await do("deliver")) == (200, {"result": []})
        assert (await do("cash"))[1]["result"]["charge"] == 2_500
        assert (await do("pay", session=session.id))[0] == 400
        assert (await do("pay", session="nothing"))[0] == 404
        assert (await do("advance", weeks=1))[0] == 400
        assert (await do("__init__"))[0] == 404
        async with http.get(url) as told:
            assert "open_dispute" in await told.json()
