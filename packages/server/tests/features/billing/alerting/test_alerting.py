"""An alert is told once by mail and webhook when the books cross its line, signed, and again and again until taken."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks

from monkey_coder_server.adapters.mail.delivery import Undeliverable
from monkey_coder_server.features.billing import alerting
from packages.server.tests.conftest import Customer
from packages.server.tests.features.billing.alerting.conftest import Office

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.system]
USD = 1_000_000_000
BELOW = {"kind": "balance.below", "amount_usd": "5"}


async def hooked(office: Office, customer: Customer, **wish: Any) -> dict[str, Any]:
    made: dict[str, Any] = await office.ask(customer, "POST", "webhooks", {"url": office.receiver.url, **wish})
    return made


def verified(office: Office, secret: str) -> list[dict[str, Any]]:
    """What was posted, signed as the receivers' own library signs it; times may be ahead, as the test's clock is."""
    receiver, taken = standardwebhooks.Webhook(secret), []
    for headers, body in office.receiver.posted:
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        assert receiver.sign(headers["webhook-id"], at, body.decode()) in headers["webhook-signature"].split()
        taken.append(json.loads(body))
    return taken


async def test_a_balance_that_fell_is_told_once_by_mail_and_webhook(office: Office) -> None:
    customer = await office.house.customer(usd=10)
    hook = await hooked(office, customer)
    alert = await office.ask(customer, "POST", "alerts", BELOW)
    await office.look()
    await office.spend(customer, 6 * USD)
    await office.look(3)
    await office.send()
    [event] = verified(office, hook["secret"])
    assert (event["type"], event["data"]) == (
        "balance.below",
        {
            "account_id": customer.account_id,
            "alert_id": alert["alert_id"],
            "balance_usd": "4.00",
            "threshold_usd": "5.00",
        },
    )
    [(headers, _)] = office.receiver.posted
    assert headers["content-type"] == "application/json"
    [(mail_id, mail)] = office.mail.mails
    assert mail_id == f"{headers['webhook-id']}.{customer.user_id}"
    assert (mail.to, mail.subject) == (customer.email, "The balance is below 5.00 USD")
    assert "The balance is 4.00 USD" in mail.text
    [shown] = (await office.ask(customer, "GET", "alerts"))["alerts"]
    assert shown["crossed"]
    assert shown["fired_at"] is not None
    told = (await office.ask(customer, "GET", "alerts/deliveries"))["deliveries"]
    assert sorted((each["channel"], each["state"], each["tries"]) for each in told) == [
        ("mail", "delivered", 1),
        ("webhook", "delivered", 1),
    ]


async def test_many_who_look_at_once_tell_it_once_and_it_comes_again_after_credit_came(office: Office) -> None:
    customer = await office.house.customer(usd=4)
    await hooked(office, customer)
    await office.ask(customer, "POST", "alerts", BELOW | {"mail": False})
    ledger = office.house.gateway.books.storage.ledger
    for number in range(2):
        office.clock.ahead += timedelta(minutes=1)
        await asyncio.gather(*[alerting.Watching(office.use).round() for _ in range(8)])
        await asyncio.gather(*[alerting.Delivering(office.use).round() for _ in range(8)])
        assert len(office.receiver.posted) == number + 1
        await ledger.grant(customer.account_id, 4 * USD, reason="test", idempotency_key=f"grant {number}")
        await office.look()
        await office.spend(customer, 4 * USD)
    assert office.mail.mails == []


async def test_spending_and_the_share_of_a_cap_are_told(office: Office) -> None:
    customer = await office.house.customer(usd=10)
    hook = await hooked(office, customer, kinds=["spent.month", "limit.share"])
    for wish in ({"kind": "spent.month", "amount_usd": 1}, {"kind": "limit.share", "percent": 50}, BELOW):
        await office.ask(customer, "POST", "alerts", wish)
    await office.house.key_of(customer, caps={"month_usd": "2"})
    keys = (await office.house.client.get("/v1/keys", headers=customer.headers)).json()["keys"]
    [capped] = [each["key_id"] for each in keys if each["name"] == "test"]
    await office.spend(customer, USD + USD // 2, key_id=capped)
    await office.look(2)
    await office.send()
    events = {each["type"]: each["data"] for each in verified(office, hook["secret"])}
    assert sorted(events) == ["limit.share", "spent.month"]
    assert events["spent.month"]["spent_usd"] == "1.50"
    assert (events["limit.share"]["holder_id"], events["limit.share"]["limit_usd"]) == (capped, "2.00")
    subjects = sorted(mail.subject for _, mail in office.mail.mails)
    assert subjects == ["A spending limit is used to 50%", "More than 1.00 USD were spent this month"]


async def test_what_is_not_taken_is_tried_for_days_under_one_id_and_then_given_up(office: Office) -> None:
    customer = await office.house.customer()
    hook = await hooked(office, customer)
    await office.ask(customer, "POST", f"webhooks/{hook['webhook_id']}/test", {})
    office.receiver.status = 500
    for _ in range(12):
        await office.send()
        office.clock.ahead += timedelta(hours=30)
    assert len(office.receiver.posted) == 10
    assert len({headers["webhook-id"] for headers, _ in office.receiver.posted}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in office.receiver.posted}) == 10
    [shown] = (await office.ask(customer, "GET", f"webhooks/{hook['webhook_id']}/deliveries"))["deliveries"]
    assert (shown["state"], shown["tries"], shown["note"]) == ("given_up", 10, "it answered with 500")
    assert shown["next_try_at"] is None


async def test_one_that_is_taken_at_the_second_try_is_not_tried_again(office: Office) -> None:
    customer = await office.house.customer()
    hook = await hooked(office, customer)
    await office.ask(customer, "POST", f"webhooks/{hook['webhook_id']}/test", {})
    office.receiver.status = 302
    await office.send()
    [shown] = (await office.ask(customer, "GET", f"webhooks/{hook['webhook_id']}/deliveries"))["deliveries"]
    assert (shown["state"], shown["note"]) == ("waiting", "it answered with 302")
    office.receiver.status = 200
    for _ in range(3):
        office.clock.ahead += timedelta(minutes=1)
        await office.send()
    events = verified(office, hook["secret"])
    assert [each["type"] for each in events] == ["webhook.test"] * 2


async def test_gone_and_removed_are_given_up_at_once(office: Office) -> None:
    customer = await office.house.customer()
    hook, other = await hooked(office, customer), await hooked(office, customer)
    office.receiver.status = 410
    for each in (hook, other):
        await office.ask(customer, "POST", f"webhooks/{each['webhook_id']}/test", {})
    await office.ask(customer, "DELETE", f"webhooks/{other['webhook_id']}")
    await office.send()
    assert len(office.receiver.posted) == 1
    told = (await office.ask(customer, "GET", "alerts/deliveries"))["deliveries"]
    assert sorted((each["state"], each["note"]) for each in told) == [
        ("given_up", "it answered with 410"),
        ("given_up", "the webhook was removed"),
    ]


async def test_a_mail_that_is_refused_for_now_is_tried_again_and_one_refused_for_good_is_not(office: Office) -> None:
    customer = await office.house.customer(usd=1)
    await office.ask(customer, "POST", "alerts", BELOW)
    office.mail.trouble = ConnectionError("ada@example.org is unknown")
    await office.look()
    await office.send()
    [shown] = (await office.ask(customer, "GET", "alerts/deliveries"))["deliveries"]
    assert (shown["state"], shown["note"]) == ("waiting", "the mail could not be handed on: ConnectionError")
    office.mail.trouble = Undeliverable("the mail server refused with 550")
    office.clock.ahead += timedelta(minutes=1)
    await office.send()
    [shown] = (await office.ask(customer, "GET", "alerts/deliveries"))["deliveries"]
    assert (shown["state"], shown["note"]) == ("given_up", "the mail server refused with 550")


async def test_after_a_rotation_both_secrets_sign_for_a_day(office: Office) -> None:
    customer = await office.house.customer()
    hook = await hooked(office, customer)
    test, rotate = (f"webhooks/{hook['webhook_id']}/{name}" for name in ("test", "rotate"))
    fresh = await office.ask(customer, "POST", rotate, {})
    assert fresh["secret"] != hook["secret"]
    assert fresh["former_secret_until"] is not None
    await office.ask(customer, "POST", test, {})
    await office.send()
    for secret in (hook["secret"], fresh["secret"]):
        assert len(verified(office, secret)) == 1
    office.clock.ahead += timedelta(hours=25)
    office.receiver.posted.clear()
    await office.ask(customer, "POST", test, {})
    await office.send()
    assert len(verified(office, fresh["secret"])) == 1
    with pytest.raises(AssertionError):
        verified(office, hook["secret"])


async def test_what_is_wrong_with_a_wish_is_said(office: Office) -> None:
    customer = await office.house.customer()
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"kind": "balance.below"}, "amount_usd must be above zero"),
        ({"kind": "balance.below", "amount_usd": "-1"}, "amount_usd"),
        ({"kind": "limit.share", "percent": 101}, "percent must be 1 to 100"),
        ({"kind": "account.frozen", "amount_usd": 1}, "amount_usd is not for account.frozen"),
        ({"kind": "made.up"}, "made.up"),
    )
    for body, told in wrong:
        answer = await office.ask(customer, "POST", "alerts", body, status=400)
        assert told in answer["detail"]
    for url in ("http://example.com/", "https://169.254.169.254/", "https://localhost/", "https://example.com:22/"):
        answer = await office.ask(customer, "POST", "webhooks", {"url": url}, status=400)
        assert answer["detail"].startswith("The field url ")


async def test_nobody_sees_or_touches_what_is_anothers(office: Office) -> None:
    ada, eve = await office.house.customer(), await office.house.customer()
    hook, alert = await hooked(office, ada), await office.ask(ada, "POST", "alerts", BELOW)
    one = f"webhooks/{hook['webhook_id']}"
    tries = (("DELETE", one), ("POST", f"{one}/rotate"), ("POST", f"{one}/test"), ("GET", f"{one}/deliveries"))
    for method, name in (*tries, ("DELETE", f"alerts/{alert['alert_id']}")):
        await office.ask(eve, method, name, {} if method == "POST" else None, status=404)
    assert (await office.ask(eve, "GET", "webhooks"))["count"] == (await office.ask(eve, "GET", "alerts"))["count"] == 0
    [shown] = (await office.ask(ada, "GET", "webhooks"))["webhooks"]
    assert "secret" not in shown
    await office.ask(ada, "DELETE", f"alerts/{alert['alert_id']}")
    await office.ask(ada, "DELETE", f"alerts/{alert['alert_id']}", status=404)


async def test_the_trail_tells_who_set_what_and_no_secret(office: Office) -> None:
    customer = await office.house.customer()
    hook = await hooked(office, customer)
    await office.ask(customer, "POST", "alerts", BELOW)
    trail = (await office.house.client.get("/v1/audit", headers=customer.headers)).json()["entries"]
    told = {each["action"]: each["details"] for each in trail}
    assert (told["alert.set"], told["webhook.add"]) == ("balance.below 5.00", "127.0.0.1")
    assert hook["secret"] not in json.dumps(trail)


async def test_too_many_tests_a_minute_are_refused(office: Office) -> None:
    customer = await office.house.customer()
    hook = await hooked(office, customer)
    for _ in range(6):
        await office.ask(customer, "POST", f"webhooks/{hook['webhook_id']}/test", {})
    answer = await office.ask(customer, "POST", f"webhooks/{hook['webhook_id']}/test", {}, status=429)
    assert answer["error_code"] == "rate_limited"
