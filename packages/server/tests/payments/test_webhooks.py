"""From Stripe's webhook to the books: once, in any order, and only when it is Stripe's."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import stripe

from packages.server.tests.payments.till import OLD_SECRET, SECRET, Till

pytestmark = pytest.mark.system
WEEK = timedelta(days=7)
ALERTS = Path(__file__).resolve().parents[4] / "deploy/prometheus/alerts.yml"


def signed(body: bytes, *, secret: str = SECRET, shift: int = 0) -> str:
    return stripe.WebhookSignature.generate_signature_header(
        body.decode(), secret, int(datetime.now(UTC).timestamp()) + shift
    )


async def completed(till: Till) -> bytes:
    """The event of a payment of 25 dollars, which nobody was told of."""
    await till.buy(2_500)
    [event] = till.control.find("event", type="payment_intent.succeeded")
    return json.dumps(event).encode()


async def test_what_is_paid_on_the_page_becomes_credit(till: Till) -> None:
    await till.buy(2_500)
    assert await till.balance() == 0, "the page's own word is worth nothing"
    await till.settled()
    assert await till.balance() == 2_500
    [(handled, failing)] = await till.rows("SELECT count(handled_at), count(*) - count(handled_at) FROM stripe_events")
    assert (handled > 2, failing) == (True, 0)


async def test_one_event_a_thousand_times_at_once_grants_once(till: Till) -> None:
    body = await completed(till)
    answers = await asyncio.gather(*(till.post(body, signed(body)) for _ in range(1_000)))
    assert {each.status_code for each in answers} == {200}
    assert answers[0].json() == {"received": True}
    await till.settled()
    assert await till.balance() == 2_500


@pytest.mark.parametrize("mixed", [False, True])
async def test_any_order_and_number_of_webhooks_ends_alike(till: Till, mixed: bool) -> None:
    till.control.script(copies=3)
    payment = await till.buy(2_500)
    till.control.refund(payment, 700)
    till.control.open_dispute(payment, cents=300)
    await till.control.deliver(mixed=mixed, everything=True)
    await till.settled()
    assert await till.balance() == 2_500 - 700 - 300
    found = await till.side.reconcile(WEEK)
    assert (found.sound, found.repaired) == (True, 0)


async def test_a_webhook_that_comes_before_the_calls_own_answer_is_booked_once(till: Till) -> None:
    await till.buy(2_500)
    await till.settled()
    charge = await till.charge_of("topup_1")
    till.control.fault("webhook_first", method="POST", path="/v1/payment_intents")
    seen = await till.gate.charge(charge, key="topup_1")
    await till.side.events.book(seen)
    await till.settled()
    assert await till.balance() == 4_500
    assert len(till.control.find("payment_intent")) == 2


async def test_an_event_of_the_other_mode_is_refused_and_noted(till: Till) -> None:
    body = (await completed(till)).replace(b'"livemode": false', b'"livemode": true')
    answer = await till.post(body, signed(body))
    assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_request")
    assert await till.rows("SELECT note FROM stripe_events") == [("refused: of the other mode",)]
    assert await till.balance() == 0


async def test_an_unknown_event_is_taken_kept_and_of_no_concern(till: Till) -> None:
    till.control.forge("never.heard_of", {"id": "x_1", "object": "x"})
    await till.settled()
    assert await till.rows("SELECT kind, note, attempts FROM stripe_events") == [("never.heard_of", "of no concern", 0)]


async def test_a_strangers_payment_is_kept_and_alerted(till: Till, caplog: pytest.LogCaptureFixture) -> None:
    client = till.sdk
    made = await asyncio.to_thread(
        client.v1.checkout.sessions.create,
        {
            "mode": "payment",
            "success_url": "https://other.example/ok",
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {"currency": "usd", "unit_amount": 900, "product_data": {"name": "Other"}},
                }
            ],
        },
    )
    till.control.pay(made.id)
    await till.settled()
    assert "of nobody known here" in caplog.text
    assert not [each for each in ("evt_", "pi_", "cus_", "ch_", "cs_") if each in caplog.text]
    state = await till.gateway.books.storage.payment_inbox.state()
    assert state.failing > 0
    await till.told("monkey_coder_payment_events_failing")
    assert "monkey_coder_payment_events_failing > 0" in ALERTS.read_text(encoding="utf-8")
    assert [each.kind for each in await till.gateway.books.storage.payment_inbox.waiting(50)]


async def test_the_secret_that_is_replaced_still_counts(till: Till) -> None:
    body = await completed(till)
    assert (await till.post(body, signed(body, secret=OLD_SECRET))).status_code == 200
    await till.settled()
    assert await till.balance() == 2_500


async def test_what_is_not_stripes_or_not_of_this_moment_changes_nothing(till: Till) -> None:
    body = await completed(till)
    forged = [
        (body.replace(b"usd", b"eur"), signed(body)),
        (body, signed(body, secret="whsec_guessed0123456789")),
        (body, signed(body, shift=-301)),
        (body, signed(body, shift=3_600)),
        (body, f"t={int(datetime.now(UTC).timestamp())},v1={'0' * 64}"),
        (body, ""),
    ]
    for sent, signature in forged:
        answer = await till.post(sent, signature)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_request")
    huge = b" " * (1024 * 1024 + 1)
    assert (await till.post(huge, signed(huge))).status_code == 413
    assert await till.rows("SELECT count(*) FROM stripe_events") == [(0,)]
    assert await till.balance() == 0


async def test_a_webhook_that_is_lost_is_found_by_reconciliation(till: Till) -> None:
    till.control.script(lose=1_000)
    payment = await till.buy(2_500)
    await till.settled()
    assert await till.balance() == 0
    found = await till.side.reconcile(WEEK)
    assert (found.repaired, found.sound, found.processor) == (1, True, 2_500 * 10_000_000)
    assert await till.balance() == 2_500
    till.control.refund(payment, 500)
    assert (await till.side.reconcile(WEEK)).repaired == 1
    assert (await till.side.reconcile(WEEK)).document()["unexplained_usd"] == "0.00"
    assert await till.balance() == 2_000


async def test_a_decision_on_an_old_dispute_that_nobody_told_of_is_found(till: Till) -> None:
    payment = await till.buy(2_500)
    disputed = till.control.open_dispute(payment)["id"]
    await till.settled()
    assert await till.balance() == 0
    till.control.script(lose=1_000)
    till.control.decide_dispute(disputed, won=True)
    found = await till.side.reconcile(timedelta(0))
    assert (found.looked_at, found.repaired, found.sound) == (1, 1, True)
    assert await till.balance() == 2_500
