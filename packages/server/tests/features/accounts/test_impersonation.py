"""An operator in a person's place: for minutes, with a reason, seen by the person, and changing nothing."""

import re
from datetime import timedelta
from typing import Any

import pytest

from monkey_coder_server.bootstrap import access
from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.web.assurance import MAY_BE_ASKED_FOR_OTHERS

pytestmark = pytest.mark.asyncio(loop_scope="module")
REASON = "the balance of ticket 12 looks wrong"


async def acting(house: Any, customer: Any, minutes: int = 5) -> tuple[dict[str, str], dict[str, str]]:
    """What the operator was given, and the header that carries it."""
    settings = house.gateway.books.settings
    made = await access.impersonate(settings, email=customer.email, reason=REASON, minutes=minutes)
    return made, {"authorization": f"Bearer {made['access_token']}"}


async def test_it_sees_what_the_person_sees(house: Any) -> None:
    customer = await house.customer(usd=7)
    _, headers = await acting(house, customer)
    balance = (await house.client.get("/v1/billing/balance", headers=headers)).json()
    assert balance["balance_usd"] == "7.00"
    status = (await house.client.get("/v1/auth/status", headers=headers)).json()
    assert status["user"]["email"] == customer.email


async def test_it_changes_and_spends_nothing_whatever_route_there_is(house: Any) -> None:
    customer = await house.customer()
    _, headers = await acting(house, customer)
    refused = 0
    for path, route in house.gateway.application.routes:
        if route.method == "GET" or route.auth in {"public", "key"} or route.path in MAY_BE_ASKED_FOR_OTHERS:
            continue
        sent = {**headers, "x-mk-confirmation": "x"}
        answer = await house.client.request(route.method, re.sub(r"\{[^}]+\}", "x", path), json={}, headers=sent)
        assert answer.status_code in {403, 404}, (route.method, path, answer.text)
        refused += answer.status_code == 403
    assert refused > 20
    keys = (await house.client.get("/v1/keys", headers=headers)).json()
    assert keys["count"] == 1


async def test_the_person_reads_who_was_there_why_and_what_they_tried(house: Any) -> None:
    customer = await house.customer()
    made, headers = await acting(house, customer)
    await house.client.post("/v1/keys", json={"name": "mine now"}, headers=headers)
    tried, began = (await house.client.get("/v1/audit?limit=2", headers=customer.headers)).json()["entries"]
    assert (began["actor"], began["action"], began["on_behalf_of"]) == (
        "operator",
        "session.impersonate",
        customer.user_id,
    )
    assert began["details"] == f"for 5 minutes: {REASON}"
    assert (tried["actor"], tried["on_behalf_of"]) == ("operator", customer.user_id)
    assert (tried["action"], tried["outcome"]) == ("key.create", "refused")
    assert made["access_token"] not in str((began, tried))
    [session] = await house.gateway.books.storage.sessions.of_user(customer.user_id, house.gateway.books.clock.now())
    assert (session.impersonator, session.agent) == ("operator", f"operator: {REASON}")


async def test_it_ends_when_its_time_is_over_and_earlier_by_logging_out(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = await house.customer()
    _, ended = await acting(house, customer)
    assert (await house.client.post("/v1/auth/logout", headers=ended)).status_code == 200
    assert (await house.client.get("/v1/keys", headers=ended)).status_code == 401
    _, headers = await acting(house, customer, minutes=1)
    clock = house.gateway.books.clock
    later = clock.now() + timedelta(minutes=1, seconds=1)
    monkeypatch.setattr(type(clock), "now", lambda _: later)
    assert (await house.client.get("/v1/keys", headers=headers)).status_code == 401


@pytest.mark.parametrize(("reason", "minutes"), [(" ", 5), ("two\nlines", 5), (REASON, 0), (REASON, 16)])
async def test_without_a_reason_or_for_longer_there_is_none(house: Any, reason: str, minutes: int) -> None:
    customer = await house.customer()
    settings = house.gateway.books.settings
    with pytest.raises(InvalidRequest):
        await access.impersonate(settings, email=customer.email, reason=reason, minutes=minutes)
    with pytest.raises(NotFound):
        await access.impersonate(settings, email="nobody@example.com", reason=REASON, minutes=5)
