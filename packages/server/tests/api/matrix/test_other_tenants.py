"""What belongs to an account is not there for any other: neither by a path, nor named in a body."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from monkey_coder_server.domain.invoicing import Month
from monkey_coder_server.domain.scopes import OPERATOR_SCOPES
from monkey_coder_server.ports.factors import Passkey
from packages.server.tests.api.matrix.cast import filled, served, table
from packages.server.tests.conftest import House
from packages.server.tests.features.accounts.people import Person, founder

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]
MARK = "Marked-By-Its-Owner"
NOW = datetime.now(UTC)
NAMES = {"model", "provider", "markup_id", "promotion_id"}
"""Parameters that name nothing of anybody."""


@dataclass(frozen=True, slots=True)
class Estate:
    """An organization with one of everything, by the parameters that name it in paths, and its key."""

    owner: Person
    key: str
    objects: Mapping[str, str]
    quote_id: str
    task: Mapping[str, Any]
    request_id: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served_house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A gateway that answers, over simulated providers."""
    from monkey_coder_server.bootstrap.gateway import open_gateway
    from monkey_coder_server.settings import load

    async with open_gateway(load({}, folder=tmp_path_factory.mktemp("estate")), sandbox=True) as gateway:
        transport = httpx2.ASGITransport(app=gateway.application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield House(gateway, client)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def estate(served_house: House) -> Estate:
    house, owner = served_house, await founder(served_house, MARK)
    credit = house.gateway.books.storage.ledger
    await credit.grant(owner.account_id, 10**10, reason="test", idempotency_key="estate")

    async def made(path: str, headers: Mapping[str, str], **body: Any) -> Any:
        answer = await house.client.post(path, json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer

    key = (await made("/v1/keys", owner.headers, name=MARK)).json()
    spare = (await made("/v1/keys", owner.headers, name=MARK)).json()
    by_key = {"x-api-key": key["key"]}
    answered = await made("/v1/responses", by_key, model="openai/gpt-5", input=MARK)
    place = f"/v1/organizations/{owner.account_id}/invitations"
    invited = (await made(place, owner.headers, email="guest@example.com", role="viewer")).json()
    own = f"/v1/organizations/{owner.account_id}"
    team = (await made(f"{own}/teams", owner.headers, name=MARK)).json()
    await made(f"{own}/projects", owner.headers, project_id=MARK)
    task = {"task_type": "custom", "prompt": MARK}
    quote = (await made("/v1/quote", by_key, **task)).json()
    factors, now = house.gateway.books.storage.factors, house.gateway.books.clock.now()
    await factors.add_passkey(Passkey("psk_estate", owner.user.user_id, b"credential", b"cose", 0, MARK, now))
    invoices, january = house.gateway.books.storage.invoices, Month("2026-01")
    invoice = await invoices.close(owner.account_id, january, now)
    assert invoice is not None
    alert = (await made("/v1/billing/alerts", owner.headers, kind="account.frozen")).json()
    webhook = (await made("/v1/billing/webhooks", owner.headers, url=f"https://example.com/{MARK}")).json()
    objects = {
        "alert_id": alert["alert_id"],
        "webhook_id": webhook["webhook_id"],
        "invoice_id": invoice.invoice_id,
        "passkey_id": "psk_estate",
        "organization_id": owner.account_id,
        "account_id": owner.account_id,
        "user_id": owner.user.user_id,
        "invitation_id": invited["invitation_id"],
        "key_id": spare["key_id"],
        "team_id": team["team_id"],
        "project_id": MARK,
        "session_id": (await house.gateway.books.storage.sessions.of_user(owner.user.user_id, NOW))[0].session_id,
        "receipt_id": answered.headers["x-monkey-receipt"],
        "response_id": answered.json()["id"],
    }
    return Estate(owner, key["key"], objects, quote["quote_id"], task, answered.headers["x-request-id"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def neighbour(served_house: House) -> list[dict[str, str]]:
    """The credentials of somebody with every right in two accounts of their own."""
    somebody = await founder(served_house, "Neighbour")
    credit = served_house.gateway.books.storage.ledger
    await credit.grant(somebody.account_id, 10**10, reason="test", idempotency_key="neighbour")
    made = await served_house.client.post("/v1/keys", json={"name": "x"}, headers=somebody.headers)
    return [{"x-api-key": made.json()["key"]}, somebody.headers, somebody.alone]


async def test_nobody_reaches_what_a_path_names_of_others(
    served_house: House, estate: Estate, neighbour: list[dict[str, str]]
) -> None:
    reached = set()
    for path, row in served(served_house):
        if not _named(path):
            continue
        for headers in neighbour:
            answer = await served_house.client.request(
                row.method, filled(path, estate.objects), json={"name": "x", "role": "viewer"}, headers=headers
            )
            wrong_kind = row.credential == ("session" if "x-api-key" in headers else "key")
            if row.scope in OPERATOR_SCOPES:
                assert answer.status_code == 403, (row.method, path, answer.text)
                continue
            assert answer.status_code in ({403, 404} if wrong_kind else {404}), (row.method, path, answer.text)
            assert MARK not in answer.text
            reached.add(path)
    assert len(reached) > 20


async def test_nor_by_way_of_an_organization_of_ones_own(
    served_house: House, estate: Estate, neighbour: list[dict[str, str]]
) -> None:
    own = {**estate.objects, "organization_id": neighbour[1]["x-mk-organization"]}
    walked = 0
    for path, row in served(served_house):
        if {"organization_id"} < _parameters(path):
            sent = {"name": "x", "role": "viewer"}
            answer = await served_house.client.request(row.method, filled(path, own), json=sent, headers=neighbour[1])
            assert (answer.status_code, MARK in answer.text) == (404, False), (row.method, path, answer.text)
            walked += 1
    assert walked > 5


async def test_afterwards_all_of_it_is_there_for_its_owner(served_house: House, estate: Estate) -> None:
    for path, row in served(served_house):
        if row.method == "GET" and _named(path) and row.scope not in OPERATOR_SCOPES:
            headers = estate.owner.headers if row.credential == "session" else {"x-api-key": estate.key}
            answer = await served_house.client.get(filled(path, estate.objects), headers=headers)
            assert answer.status_code == 200, (path, answer.text)
    listed = (await served_house.client.get("/v1/keys", headers=estate.owner.headers)).json()["keys"]
    assert [key["status"] for key in listed] == ["active", "active"]
    place = f"/v1/organizations/{estate.owner.account_id}/invitations"
    open_ones = (await served_house.client.get(place, headers=estate.owner.headers)).json()["invitations"]
    assert [each["invitation_id"] for each in open_ones] == [estate.objects["invitation_id"]]


async def test_every_parameter_of_a_path_is_accounted_for() -> None:
    own = {"user_id", "key_id", "session_id", "passkey_id", "receipt_id", "response_id", "invoice_id"}
    own |= {"alert_id", "webhook_id"}
    known = {"organization_id", "account_id", "invitation_id", "team_id", "project_id", *own, *NAMES}
    assert set().union(*(_parameters(row.path) for row in table())) == known


async def test_a_quote_of_others_is_none(served_house: House, estate: Estate, neighbour: list[dict[str, str]]) -> None:
    body = {**estate.task, "quote_id": estate.quote_id}
    for headers in neighbour:
        refused = await served_house.client.post("/v1/execute", json=body, headers=headers)
        assert (refused.status_code, refused.json()["error_code"]) == (404, "not_found")
    mine = await served_house.client.post("/v1/execute", json=body, headers={"x-api-key": estate.key})
    assert mine.status_code == 200


async def test_a_conversation_of_others_is_not_gone_on_with(
    served_house: House, estate: Estate, neighbour: list[dict[str, str]]
) -> None:
    body = {"model": "openai/gpt-5", "input": "go on", "previous_response_id": estate.objects["response_id"]}
    refused = await served_house.client.post("/v1/responses", json=body, headers=neighbour[0])
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "previous_response_not_found")
    mine = await served_house.client.post("/v1/responses", json=body, headers={"x-api-key": estate.key})
    assert mine.status_code == 200


async def test_a_request_of_others_is_not_judged(
    served_house: House, estate: Estate, neighbour: list[dict[str, str]]
) -> None:
    body = {"request_id": estate.request_id, "outcome": "rejected"}
    for headers in neighbour:
        refused = await served_house.client.post("/v1/feedback", json=body, headers=headers)
        assert (refused.status_code, refused.json()["error_code"]) == (404, "not_found")


async def test_lists_show_nothing_of_others(served_house: House, neighbour: list[dict[str, str]]) -> None:
    walked = 0
    for path, row in served(served_house):
        if row.method == "GET" and not _parameters(path):
            for headers in neighbour:
                assert MARK not in (await served_house.client.get(path, headers=headers)).text
                walked += 1
    assert walked > 30


def _named(path: str) -> bool:
    return bool(_parameters(path) - NAMES)


def _parameters(path: str) -> set[str]:
    return {part.partition("}")[0].partition(":")[0] for part in path.split("{")[1:]}
