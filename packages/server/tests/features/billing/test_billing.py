import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from monkey_coder_server.features.billing.asking import Page
from monkey_coder_server.features.billing.cursor import written
from monkey_coder_server.ports.credit import Refund
from monkey_coder_server.ports.statements import GAINED, LOST
from packages.server.tests.contract.booking import hold_request, settle
from packages.server.tests.contract.paying import dispute, paid, refund

NANO = 1_000_000_000
SUMS = ("opening", *GAINED, *LOST, "charged", "closing")
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_new_wallet_shows_its_credit(house: Any) -> None:
    customer = await house.customer(usd=7)
    body = (await house.client.get("/v1/billing/balance", headers=customer.headers)).json()
    assert body == {
        "balance_usd": "7.00",
        "held_usd": "0.00",
        "available_usd": "7.00",
        "currency": "USD",
        "spent_today_usd": "0.00",
        "spent_month_usd": "0.00",
        "debt_usd": "0.00",
        "frozen": None,
        "top_up_url": "http://localhost:8000/billing",
    }


async def test_a_balance_says_what_is_owed_and_why_nothing_may_be_spent(house: Any) -> None:
    customer = await house.customer(usd=7)
    storage = house.gateway.books.storage
    whose = {"account_id": customer.account_id, "customer_id": "cus_owing"}

    async def shown() -> tuple[str, str, str | None]:
        body = (await house.client.get("/v1/billing/balance", headers=customer.headers)).json()
        return body["balance_usd"], body["debt_usd"], body["frozen"]

    await storage.payments.book(paid(100, "pay_owing", **whose))
    await storage.payments.book(paid(100, "pay_owing", disputes=(dispute(100, "dp_owing"),), **whose))
    assert await shown() == ("7.00", "0.00", "dispute")
    await storage.payments.book(paid(100, "pay_owing", disputes=(dispute(100, "dp_owing", state="won"),), **whose))
    assert await shown() == ("8.00", "0.00", None)
    asked = hold_request(8 * NANO, account_id=customer.account_id)
    await storage.books.place(asked)
    await storage.payments.book(paid(100, "pay_owing", refunds=(refund(100, "re_owing"),), **whose))
    assert await shown() == ("8.00", "1.00", "debt")


async def test_what_was_spent_is_the_sum_the_ledger_gives(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def spent(*_: object, **__: object) -> int:
        return 1_500_000_000

    customer = await house.customer()
    monkeypatch.setattr(type(house.gateway.books.storage.ledger), "spent", spent)
    body = (await house.client.get("/v1/billing/balance", headers=customer.headers)).json()
    assert (body["spent_today_usd"], body["spent_month_usd"]) == ("1.50", "1.50")


async def test_the_page_errors_point_at_exists(house: Any) -> None:
    assert "admin grant" in (await house.client.get("/billing")).text


async def test_usage_takes_both_spellings_of_its_query(house: Any) -> None:
    customer = await house.customer()
    for query in ("start_date=2026-11-01&include_details=False", "startDate=2026-11-01&granularity=daily"):
        answer = await house.client.get(f"/api/v1/billing/usage?{query}", headers=customer.headers)
        assert answer.status_code == 200
        assert answer.json()["by_model"] == []


async def test_an_unknown_receipt_is_not_found(house: Any) -> None:
    customer = await house.customer()
    answer = await house.client.get("/v1/billing/receipts/rcp_1", headers=customer.headers)
    assert (answer.status_code, answer.json()["error_code"]) == (404, "not_found")


async def test_the_receipts_keys_are_public_and_of_ed25519_length(house: Any) -> None:
    keys = (await house.client.get("/.well-known/monkey-receipts.json")).json()["keys"]
    assert [len(base64.b64decode(key)) for key in keys.values()] == [32]


async def test_an_export_is_a_file_of_the_accounts_own_requests(house: Any) -> None:
    customer = await house.customer()
    answer = await house.client.get("/v1/billing/usage/export?format=csv", headers=customer.headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert answer.text.startswith("at,request_id,account_id,key_id,key_name,status")
    assert "usage-" in answer.headers["content-disposition"]
    refused = await house.client.get("/v1/billing/usage/export?format=xls", headers=customer.headers)
    assert (refused.status_code, "csv, jsonl" in refused.json()["detail"]) == (400, True)


async def test_receipts_and_statements_of_a_new_account_are_empty(house: Any) -> None:
    customer = await house.customer()
    page = (await house.client.get("/v1/billing/receipts?limit=5", headers=customer.headers)).json()
    assert page == {"receipts": [], "next": None}
    body = (await house.client.get("/v1/billing/statement?month=2026-11", headers=customer.headers)).json()
    assert (body["month"], body["start"], body["end"]) == (
        "2026-11",
        "2026-11-01T00:00:00+00:00",
        "2026-12-01T00:00:00+00:00",
    )
    assert (body["receipts"], body["total_usd"], body["lines"]) == (0, "0.00", [])
    this_month = (await house.client.get("/v1/billing/statement", headers=customer.headers)).json()
    assert len(this_month["month"]) == len("2026-11")


async def test_a_statement_tells_of_grants_and_what_is_taken_back(house: Any) -> None:
    customer = await house.customer(usd=7)
    ledger = house.gateway.books.storage.ledger
    [granted] = await ledger.grants(customer.account_id)
    await ledger.refund(Refund(customer.account_id, granted.grant_id, 50, "test", "back"))
    credit = (await house.client.get("/v1/billing/statement", headers=customer.headers)).json()["credit"]
    shown = {name: credit[f"{name}_nano"] for name in SUMS}
    assert shown == dict.fromkeys(SUMS, 0) | {"granted": 7 * NANO, "taken_back": 50, "closing": 7 * NANO - 50}
    assert (credit["granted_usd"], credit["taken_back_usd"], credit["opening_usd"]) == ("7.00", "0.00000005", "0.00")
    assert [(moved["kind"], moved["amount_nano"], moved["amount_usd"]) for moved in credit["movements"]] == [
        ("grant", 7 * NANO, "7.00"),
        ("taken_back", -50, "-0.00000005"),
    ]
    assert credit["truncated"] is False


@pytest.mark.parametrize(
    "asked",
    [
        "receipts?limit=0",
        "receipts?limit=1001",
        "receipts?limit=x",
        "receipts?after=%21",
        "receipts?after=eA",
        "statement?month=11",
    ],
)
async def test_what_no_page_and_no_month_is_is_said(house: Any, asked: str) -> None:
    customer = await house.customer()
    answer = await house.client.get(f"/v1/billing/{asked}", headers=customer.headers)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_request")


async def test_usage_is_refused_for_names_nothing_has_and_says_which(house: Any) -> None:
    customer = await house.customer()
    for name, value in (
        ("provider", "opnai"),
        ("model", "gpt-nothing"),
        ("key_id", "key_of_nobody"),
        ("project", "proj_x"),
        ("team", "a\0b"),
        ("persona", "poet"),
        ("status", "done"),
        ("group_by", "day"),
    ):
        for path in ("usage", "usage/export"):
            if (name, path) == ("group_by", "usage/export"):
                continue
            answer = await house.client.get(
                f"/v1/billing/{path}", params={name: [value, "openai"]}, headers=customer.headers
            )
            assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_request"), (name, path)
            assert f"`{name}" in answer.json()["detail"]


async def test_usage_is_filtered_grouped_and_paged(house: Any) -> None:
    customer = await house.customer(usd=5)
    books, now = house.gateway.books.storage.books, datetime.now(UTC) - timedelta(minutes=1)
    for persona in ("developer", "architect", "reviewer"):
        asked = replace(hold_request(at=now, expires_at=now + timedelta(hours=1)), account_id=customer.account_id)
        await books.place(asked)
        await settle(books, asked, persona=persona)
    every = (await house.client.get("/v1/billing/usage", headers=customer.headers)).json()
    assert every["total_requests"] == 3
    chosen = await house.client.get("/v1/billing/usage?persona=architect,reviewer", headers=customer.headers)
    assert chosen.json()["total_requests"] == 2
    met, after, totals = [], None, set()
    for _ in range(3):
        asked = {"group_by": "persona,model", "limit": 1, **({"after": after} if after else {})}
        page = (await house.client.get("/v1/billing/usage", params=asked, headers=customer.headers)).json()
        met += page["groups"]
        totals.add(page["total_cost_usd"])
        after = page["next"]
    assert after is None
    assert {each["persona"] for each in met} == {"developer", "architect", "reviewer"}
    assert totals == {every["total_cost_usd"]}
    details: list[str] = []
    after = ""
    while after is not None:
        asked = {"include_details": "True", "limit": 2, "after": after}
        page = (await house.client.get("/v1/billing/usage", params=asked, headers=customer.headers)).json()
        details += [each["at"] for each in page["details"]]
        after = page["next"]
    assert (len(details), details) == (3, sorted(details, reverse=True))
    file = await house.client.get("/v1/billing/usage/export?persona=architect", headers=customer.headers)
    assert len(file.text.strip().splitlines()) == 2
    [rate] = every["rate_limit_status"]
    assert rate["current_usage"] + rate["remaining"] == rate["limit"] > 0


@pytest.mark.parametrize("asked", ["group_by=key&include_details=true", "after=eA", "after=%21", "limit=0"])
async def test_what_no_page_of_usage_said_is_refused(house: Any, asked: str) -> None:
    customer = await house.customer()
    answer = await house.client.get(f"/v1/billing/usage?{asked}", headers=customer.headers)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_request")


async def test_a_page_of_one_report_is_none_of_another(house: Any) -> None:
    customer = await house.customer()
    page = Page(
        grouped=True, start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2026, 2, 1, tzinfo=UTC), at=1, names=("a",)
    )
    for page_of, query in ((page, "include_details=true"), (page, "group_by=key,model")):
        asked = f"/v1/billing/usage?{query}&after={written(page_of)}"
        assert (await house.client.get(asked, headers=customer.headers)).status_code == 400
    going_on = await house.client.get(f"/v1/billing/usage?group_by=key&after={written(page)}", headers=customer.headers)
    assert going_on.json()["period"]["start_date"].startswith("2026-01-01")
