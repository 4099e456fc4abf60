"""`monkey billing alerts` and `monkey billing webhooks`."""

import json
from collections.abc import Callable

from packages.client.tests.alert_answers import ALERT, DELIVERY, DONE, SECRET, SHARE, WEBHOOK, counted
from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import FakeGateway, reply

Monkey = Callable[..., Ran]
PLACE = "/v1/billing"


def test_alerts_are_set_listed_and_removed(monkey: Monkey, gateway: FakeGateway) -> None:
    listed = reply(counted("alerts", ALERT, SHARE))
    gateway.on(f"{PLACE}/alerts", reply(ALERT), reply(SHARE), listed, reply(counted("alerts")))
    gateway.on(f"{PLACE}/alerts/alert_1", reply(DONE))
    assert "balance.below" in monkey("billing", "alerts", "set", "balance.below", "--amount", "5").out
    assert gateway.seen[-1].body["amount_usd"] == "5"
    monkey("billing", "alerts", "set", "limit.share", "--percent", "80", "--no-mail")
    assert gateway.seen[-1].body["mail"] is False
    table = monkey("billing", "alerts", "list").out
    assert ("5.00" in table, "80%" in table) == (True, True)
    assert "No alert is set" in monkey("billing", "alerts", "list").out
    assert "Done." in monkey("billing", "alerts", "remove", "alert_1").out


def test_a_kind_there_is_not_is_a_usage_error(monkey: Monkey) -> None:
    assert monkey("billing", "alerts", "set", "made.up").code == 2
    assert monkey("billing", "webhooks", "add", "https://example.com", "--kind", "made.up").code == 2


def test_a_webhook_is_added_rotated_tried_and_removed(monkey: Monkey, gateway: FakeGateway) -> None:
    rotated = {**SECRET, "former_secret_until": "2026-12-01T10:00:00+00:00"}
    gateway.on(f"{PLACE}/webhooks", reply(SECRET), reply(counted("webhooks", WEBHOOK)), reply(counted("webhooks")))
    gateway.on(f"{PLACE}/webhooks/wh_1/rotate", reply(rotated))
    gateway.on(f"{PLACE}/webhooks/wh_1/test", reply(DONE))
    gateway.on(f"{PLACE}/webhooks/wh_1", reply(DONE))
    assert SECRET["secret"] in monkey("billing", "webhooks", "add", "https://example.com/hook").out
    assert "https://example.com/hook" in monkey("billing", "webhooks", "list").out
    assert "There is no webhook" in monkey("billing", "webhooks", "list").out
    assert "2026-12-01" in monkey("billing", "webhooks", "rotate", "wh_1").out
    for name in ("test", "remove"):
        assert "Done." in monkey("billing", "webhooks", name, "wh_1").out


def test_deliveries_say_why_the_last_try_failed(monkey: Monkey, gateway: FakeGateway) -> None:
    one, none = reply(counted("deliveries", DELIVERY)), reply(counted("deliveries"))
    gateway.on(f"{PLACE}/alerts/deliveries", one, none)
    gateway.on(f"{PLACE}/webhooks/wh_1/deliveries", one)
    assert "it answered with 500" in monkey("billing", "alerts", "deliveries").out
    assert "Nothing was told yet" in monkey("billing", "alerts", "deliveries").out
    assert json.loads(monkey("billing", "webhooks", "deliveries", "wh_1", "--json").out)["count"] == 1
