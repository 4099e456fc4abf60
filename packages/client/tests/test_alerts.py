"""`client.alerts` and `client.webhooks`: each call is one request, on the sync and on the async client."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from packages.client.tests.alert_answers import ALERT, DELIVERY, DONE, SECRET, SHARE, WEBHOOK, counted
from packages.client.tests.fake_gateway import FakeGateway, reply

PLACE = "/v1/billing"
CALLS: list[tuple[Callable[[Any], Any], str, str, Any]] = [
    (lambda client: client.alerts.list(), "GET", "alerts", counted("alerts", ALERT, SHARE)),
    (lambda client: client.alerts.set("balance.below", amount_usd=5), "POST", "alerts", ALERT),
    (lambda client: client.alerts.remove("alert_1"), "DELETE", "alerts/alert_1", DONE),
    (lambda client: client.alerts.deliveries(), "GET", "alerts/deliveries", counted("deliveries", DELIVERY)),
    (lambda client: client.webhooks.list(), "GET", "webhooks", counted("webhooks", WEBHOOK)),
    (lambda client: client.webhooks.add("https://example.com/hook"), "POST", "webhooks", SECRET),
    (lambda client: client.webhooks.remove("wh_1"), "DELETE", "webhooks/wh_1", DONE),
    (lambda client: client.webhooks.rotate("wh_1"), "POST", "webhooks/wh_1/rotate", SECRET),
    (lambda client: client.webhooks.test("wh_1"), "POST", "webhooks/wh_1/test", DONE),
    (lambda client: client.webhooks.deliveries("wh_1"), "GET", "webhooks/wh_1/deliveries", counted("deliveries")),
]


@pytest.mark.parametrize(("call", "method", "path", "answer"), CALLS)
def test_each_call_is_one_request(  # noqa: PLR0917 - fixtures and a row of the table
    connect: Callable[..., Any],
    gateway: FakeGateway,
    call: Callable[[Any], Any],
    method: str,
    path: str,
    answer: Any,
) -> None:
    gateway.on(f"{PLACE}/{path}", reply(answer))
    told = call(connect())
    assert [(seen.method, seen.path) for seen in gateway.seen] == [(method, f"{PLACE}/{path}")]
    assert msgspec.to_builtins(told) == answer


def test_what_is_wished_is_sent(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    gateway.on(f"{PLACE}/alerts", reply(SHARE))
    gateway.on(f"{PLACE}/webhooks", reply(SECRET))
    client = connect()
    client.alerts.set("limit.share", percent=80, mail=False)
    client.webhooks.add("https://example.com/hook", kinds=["spent.day"])
    assert [seen.body for seen in gateway.seen] == [
        {"kind": "limit.share", "amount_usd": None, "percent": 80, "mail": False},
        {"url": "https://example.com/hook", "kinds": ["spent.day"]},
    ]
