"""`/v1/audit`: an account's own trail, in pages and as a file."""

import csv
import io
import json
from typing import Any

import pytest

from monkey_coder_server.domain.audit_chain import digest

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def entries(house: Any, headers: dict[str, str], **query: Any) -> list[dict[str, Any]]:
    answer = await house.client.get("/v1/audit", headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


async def test_what_is_done_with_keys_is_told_with_who_and_from_where(house: Any) -> None:
    customer = await house.customer()
    headers = {**customer.headers, "user-agent": "monkey/1.0"}
    made = (await house.client.post("/v1/keys", json={"name": "laptop"}, headers=headers)).json()
    turned = (await house.client.post(f"/v1/keys/{made['key_id']}/rotate", headers=headers)).json()
    await house.client.delete(f"/v1/keys/{turned['key_id']}", headers=headers)
    told = await entries(house, customer.headers)
    assert [each["action"] for each in told[:3]] == ["key.revoke", "key.rotate", "key.create"]
    for each in told[:3]:
        assert (each["actor"], each["address"], each["agent"]) == (customer.user_id, "127.0.0.1", "monkey/1.0")
        assert each["outcome"] == "done"
    assert made["key"] not in str(told)


async def test_what_is_refused_is_told_with_its_code(house: Any) -> None:
    customer = await house.customer()
    poor = {"x-api-key": await house.key_of(customer, scopes=["execute"])}
    for _ in range(3):
        assert (await house.client.delete("/v1/keys/key_9", headers=poor)).status_code == 403
    newest = (await entries(house, customer.headers))[0]
    assert (newest["action"], newest["target"], newest["outcome"]) == ("key.revoke", "key_9", "refused")
    assert newest["details"] == "forbidden"


async def test_a_wrong_password_is_told_in_the_trail_of_its_account_once(house: Any) -> None:
    customer = await house.customer(password="several plain words together")
    for _ in range(3):
        body = {"email": customer.email, "password": "not the password"}
        assert (await house.client.post("/v1/auth/login", json=body)).status_code == 401
    await house.gateway.application.services.refusals.settle()
    refused = [each for each in await entries(house, customer.headers) if each["outcome"] == "refused"]
    assert [(each["actor"], each["action"]) for each in refused] == [("anonymous", "session.open")]


async def test_pages_follow_on_each_other_and_end(house: Any) -> None:
    customer = await house.customer()
    for number in range(4):
        await house.key_of(customer, name=f"key {number}")
    whole = await entries(house, customer.headers)
    seen: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await house.client.get("/v1/audit", headers=customer.headers, params=query)).json()
        seen += page["entries"]
        if page["next"] is None:
            break
        query["before"] = page["next"]
    assert seen == whole


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "1001"}, {"before": "x"}, {"before": "1" * 30}])
async def test_a_number_that_is_none_is_refused(house: Any, query: dict[str, str]) -> None:
    customer = await house.customer()
    answer = await house.client.get("/v1/audit", headers=customer.headers, params=query)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_request")


async def test_nobody_reads_the_trail_of_another(house: Any) -> None:
    ada, eve = await house.customer(), await house.customer()
    await house.key_of(ada, name="ada's own")
    shown = await entries(house, eve.headers)
    files = [
        await house.client.get(f"/v1/audit/export?format={name}", headers=eve.headers) for name in ("csv", "jsonl")
    ]
    assert not [text for text in (str(shown), *[each.text for each in files]) if ada.user_id in text or "ada's" in text]


async def test_a_cell_no_spreadsheet_runs(house: Any) -> None:
    customer = await house.customer()
    for name in ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)"):
        await house.key_of(customer, name=name)
    file = await house.client.get("/v1/audit/export", headers={**customer.headers, "user-agent": "=1+1"})
    assert file.headers["content-type"].startswith("text/csv")
    assert file.headers["content-disposition"].endswith('.csv"')
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert len(rows) == 6
    assert not [cell for row in rows for cell in row.values() if cell[:1] in {"=", "+", "-", "@", "\t", "\r"}]


async def test_each_line_of_an_export_can_be_checked_by_who_has_it(house: Any) -> None:
    customer = await house.customer()
    await house.key_of(customer, name="laptop")
    file = await house.client.get("/v1/audit/export?format=jsonl", headers=customer.headers)
    records = {
        each.audit_id: each
        for page in [p async for p in house.gateway.books.storage.audit.pages(None)]
        for each in page
    }
    moments = {each.sequence: round(each.entry.at.timestamp() * 1_000_000) for each in records.values()}
    said = ("actor", "action", "target", "at", "account_id", "details", "address", "agent", "outcome", "on_behalf_of")
    for line in file.text.splitlines():
        row = json.loads(line)
        told = [moments[row["sequence"]] if name == "at" else row[name] for name in said]
        assert digest(bytes.fromhex(row["previous"]), told).hex() == row["digest"]


async def test_an_export_in_no_known_format_is_refused_and_told(house: Any) -> None:
    customer = await house.customer()
    answer = await house.client.get("/v1/audit/export?format=xls", headers=customer.headers)
    assert (answer.status_code, "csv, jsonl" in answer.json()["detail"]) == (400, True)
    assert (await entries(house, customer.headers))[0]["action"] == "audit.export"
