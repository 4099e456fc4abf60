import base64
from typing import Any

import pytest

from monkey_coder_server.ports.credit import Refund

NANO = 1_000_000_000
SUMS = ("opening", "granted", "refunded", "taken_back", "expired", "charged", "closing")
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
        "top_up_url": "http://localhost:8000/billing",
    }


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
