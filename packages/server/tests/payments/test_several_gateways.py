"""Several gateways on one database take the same events at once: one books, once."""

import asyncio
import json
from pathlib import Path

import pytest

from packages.server.tests.payments.test_webhooks import signed
from packages.server.tests.payments.till import SECRET, open_till

pytestmark = pytest.mark.system


async def test_one_event_a_thousand_times_at_once_at_three_gateways_grants_once(
    postgresql_database: str, tmp_path: Path
) -> None:
    async with open_till(tmp_path, postgresql_database, gateways=3) as till:
        await till.buy(2_500)
        [event] = till.control.find("event", type="payment_intent.succeeded")
        body = json.dumps(event).encode()
        answers = await asyncio.gather(
            *(
                till.clients[number % 3].post(
                    "/v1/billing/webhook", content=body, headers={"stripe-signature": signed(body, secret=SECRET)}
                )
                for number in range(1_000)
            )
        )
        assert {each.status_code for each in answers} == {200}
        assert await till.rows("SELECT count(*) FROM stripe_events") == [(1,)]
        await till.settled()
        assert await till.balance() == 2_500
        assert await till.rows("SELECT count(*) FROM grants") == [(1,)]


async def test_all_that_is_told_of_a_payment_at_once_at_three_gateways_is_booked_once(
    postgresql_database: str, tmp_path: Path
) -> None:
    async with open_till(tmp_path, postgresql_database, gateways=3) as till:
        till.control.script(copies=3)
        for _ in range(4):
            payment = await till.buy(2_500)
            till.control.refund(payment, 700)
            till.control.decide_dispute(till.control.open_dispute(payment, cents=300)["id"], won=False)
        await till.control.deliver(mixed=True, everything=True)
        await till.settled()
        assert await till.balance() == 4 * (2_500 - 700 - 300)
        report = await till.gateway.books.storage.ledger.verify()
        assert report.sound, report.details
