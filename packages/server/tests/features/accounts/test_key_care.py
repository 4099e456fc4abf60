"""Keys after they were made: changed, given a new secret, reported as leaked."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monkey_coder_server.domain import api_keys
from monkey_coder_server.domain.errors import InvalidApiKey
from monkey_coder_server.ports.accounts import Caps, KeyRecord

pytestmark = pytest.mark.asyncio(loop_scope="module")
PAGE = Path(__file__).parents[5] / "docs/how-to/leaked-keys.md"


async def made(house: Any, customer: Any, **wish: Any) -> dict[str, Any]:
    answer = await house.client.post("/v1/keys", json={"name": "laptop", **wish}, headers=customer.headers)
    assert answer.status_code == 200, answer.text
    key: dict[str, Any] = answer.json()
    return key


async def change(house: Any, customer: Any, key: dict[str, Any], **wish: Any) -> Any:
    return await house.client.patch(f"/v1/keys/{key['key_id']}", json=wish, headers=customer.headers)


async def stored(house: Any, key: dict[str, Any]) -> KeyRecord:
    known = house.gateway.books.storage.keys.every()
    found: KeyRecord = next(each for each in known if each.key_id == key["key_id"] and not each.by_former)
    return found


async def works(house: Any, secret: str) -> bool:
    answer = await house.client.get("/v1/models", headers={"x-api-key": secret})
    assert answer.status_code in {200, 401}
    return bool(answer.status_code == 200)


async def test_what_is_sent_changes_and_the_rest_stays(house: Any) -> None:
    customer = await house.customer()
    key = await made(house, customer, rate=30, models=["openai/gpt-5"], caps={"day_usd": "2", "day_tokens": 9})
    answer = await change(house, customer, key, name="desk", caps={"day_usd": "1", "month_tokens": 5}, rate=None)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert "key" not in shown
    assert (shown["name"], shown["rate"], shown["models"]) == ("desk", None, ["openai/gpt-5"])
    assert shown["caps"] == {"day_usd": "1.00", "month_tokens": 5}
    record = await stored(house, key)
    assert (record.name, record.rate, record.caps) == ("desk", None, Caps(day=1_000_000_000))
    [listed] = [
        each
        for each in (await house.client.get("/v1/keys", headers=customer.headers)).json()["keys"]
        if each["key_id"] == key["key_id"]
    ]
    assert listed == shown
    [told] = (await house.client.get("/v1/audit?limit=1", headers=customer.headers)).json()["entries"]
    assert (told["action"], told["target"]) == ("key.change", key["key_id"])
    assert told["details"].startswith("caps, name, rate; now 'desk': openai/gpt-5, day_usd 1.00, the usual")


async def test_caps_of_null_are_none(house: Any) -> None:
    customer = await house.customer()
    key = await made(house, customer, caps={"total_usd": "2", "total_tokens": 9})
    assert (await change(house, customer, key, caps=None)).json()["caps"] is None


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"rate": 0}, "`rate`"),
        ({"name": " "}, "`name`"),
        ({"name": None}, "`name`"),
        ({"models": []}, "`models`"),
        ({"ip_allow": ["home"]}, "`ip_allow`"),
        ({"caps": {"day_usd": "-1"}}, "`caps.day_usd`"),
        ({"caps": {"dayUsd": "1"}}, "dayUsd"),
    ],
)
async def test_what_no_key_can_be_is_refused_and_changes_nothing(house: Any, wish: dict[str, Any], says: str) -> None:
    customer = await house.customer()
    key = await made(house, customer, rate=5)
    before = await stored(house, key)
    answer = await change(house, customer, key, **wish)
    assert (answer.status_code, says in answer.json()["detail"]) == (400, True), answer.text
    assert await stored(house, key) == before


async def test_what_is_no_field_of_a_change_is_not_assigned(house: Any) -> None:
    customer = await house.customer()
    key = await made(house, customer, scopes=["execute"])
    before = await stored(house, key)
    wish = {"scopes": ["*"], "account_id": "acc_1", "expires_at": None, "digest": "x", "revoked_at": None}
    assert (await change(house, customer, key, **wish)).status_code == 200
    assert await stored(house, key) == before


async def test_a_key_with_bounds_does_not_widen_them(house: Any) -> None:
    customer = await house.customer()
    key = await made(house, customer, caps={"day_usd": "1"})
    answer = await house.client.patch(
        f"/v1/keys/{key['key_id']}", json={"caps": None}, headers={"x-api-key": key["key"]}
    )
    assert answer.status_code == 403
    assert (await stored(house, key)).caps == Caps(day=1_000_000_000)


async def test_nobody_changes_what_is_anothers_or_revoked(house: Any) -> None:
    ada, eve = await house.customer(), await house.customer()
    key = await made(house, ada)
    assert (await change(house, eve, key, name="eve's")).status_code == 404
    await house.client.delete(f"/v1/keys/{key['key_id']}", headers=ada.headers)
    assert (await change(house, ada, key, name="again")).status_code == 404
    assert (await stored(house, key)).name == "laptop"


async def test_a_rotated_key_ends_at_once_or_after_its_grace(house: Any) -> None:
    customer = await house.customer()
    at_once, graced = await made(house, customer), await made(house, customer, rate=7)
    new = (await house.client.post(f"/v1/keys/{at_once['key_id']}/rotate", headers=customer.headers)).json()
    assert [await works(house, secret) for secret in (at_once["key"], new["key"])] == [False, True]
    path = f"/v1/keys/{graced['key_id']}/rotate"
    new = (await house.client.post(path, json={"grace_hours": 2}, headers=customer.headers)).json()
    assert [await works(house, secret) for secret in (graced["key"], new["key"])] == [True, True]
    ends = datetime.fromisoformat(new["former_until"])
    assert timedelta(hours=1, minutes=59) < ends - datetime.now(UTC) <= timedelta(hours=2)
    assert (new["key_id"], new["rate"], new["expires_at"]) == (graced["key_id"], 7, None)
    listed = (await house.client.get("/v1/keys", headers=customer.headers)).json()["keys"]
    assert [key["prefix"] for key in listed if key["key_id"] == new["key_id"]] == [new["prefix"]]


async def test_a_secret_that_was_replaced_says_so_and_only_two_are_good_at_a_time(house: Any) -> None:
    customer = await house.customer()
    first = await made(house, customer)
    path = f"/v1/keys/{first['key_id']}/rotate"
    second, third = [
        (await house.client.post(path, json={"grace_hours": 2}, headers=customer.headers)).json() for _ in range(2)
    ]
    assert [await works(house, each["key"]) for each in (first, second, third)] == [False, True, True]
    await house.client.post(path, headers=customer.headers)
    assert [await works(house, each["key"]) for each in (first, second, third)] == [False, False, False]
    refused = await house.client.get("/v1/models", headers={"x-api-key": third["key"]})
    assert "new secret" in refused.json()["detail"]


async def test_a_reported_secret_ends_without_the_one_in_its_place_and_a_revoked_key_with_both(house: Any) -> None:
    customer = await house.customer()
    leaked, revoked = await made(house, customer), await made(house, customer)
    new, other = [
        (await house.client.post(f"/v1/keys/{key['key_id']}/rotate", json=hours, headers=customer.headers)).json()
        for key, hours in ((leaked, {"grace_hours": 2}), (revoked, {"grace_hours": 2}))
    ]
    for _ in range(2):
        assert (await house.client.post("/v1/keys/report", json={"key": leaked["key"]})).status_code == 200
    assert [await works(house, each["key"]) for each in (leaked, new)] == [False, True]
    told = (await house.client.get("/v1/audit?limit=20", headers=customer.headers)).json()["entries"]
    assert [each["action"] for each in told].count("key.report") == 1
    assert (await house.client.delete(f"/v1/keys/{revoked['key_id']}", headers=customer.headers)).status_code == 200
    assert [await works(house, each["key"]) for each in (revoked, other)] == [False, False]


async def test_grace_never_makes_a_key_live_longer(house: Any) -> None:
    customer = await house.customer()
    key = await made(house, customer, expires_days=1)
    expires = (await stored(house, key)).expires_at
    path = f"/v1/keys/{key['key_id']}/rotate"
    assert (await house.client.post(path, json={"grace_hours": 100}, headers=customer.headers)).status_code == 200
    found = await stored(house, key)
    former = found.formerly()
    assert former is not None
    assert (found.expires_at, former.expires_at) == (expires, expires)
    for hours in (-1, 169):
        answer = await house.client.post(path, json={"grace_hours": hours}, headers=customer.headers)
        assert (answer.status_code, "`grace_hours`" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize("shape", ["key", "token", "list"])
async def test_who_has_a_key_may_end_it_and_its_owner_is_told(house: Any, shape: str) -> None:
    customer = await house.customer()
    key = await made(house, customer)
    found = {"token": key["key"], "type": "monkey_coder_api_key", "url": "https://code.example/x", "source": "content"}
    body = {"key": {"key": key["key"]}, "token": {"token": key["key"]}, "list": [found, {"token": "nonsense"}]}[shape]
    answer = await house.client.post("/v1/keys/report", json=body)
    assert answer.status_code == 200
    assert not await works(house, key["key"])
    [told] = (await house.client.get("/v1/audit?limit=1", headers=customer.headers)).json()["entries"]
    assert (told["actor"], told["action"], told["target"]) == ("reporter", "key.report", key["key_id"])
    assert ("https://code.example/x" in told["details"]) is (shape == "list")
    assert key["key"] not in str(told)


async def test_the_answer_tells_nobody_whether_there_was_such_a_key(house: Any) -> None:
    customer = await house.customer()
    key = (await made(house, customer))["key"]
    unknown = api_keys.compose("dev", bytes(32)).text
    answers = [await house.client.post("/v1/keys/report", json={"key": each}) for each in (key, key, unknown, "x")]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    for body in ([], [{"key": "x"}] * 101):
        assert (await house.client.post("/v1/keys/report", json=body)).status_code == 400


def matches(text: str) -> list[str]:
    """What a scanner finds that follows the published page: by its pattern, then by the checksum."""
    [pattern] = re.findall(r"^    (mk-\(.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    found = []
    for match in re.finditer(pattern, text):
        try:
            found.append(api_keys.parse(match[0]).text)
        except InvalidApiKey:
            continue
    return found


async def test_the_published_pattern_finds_keys_and_the_checksum_drops_what_looks_like_them() -> None:
    keys = [api_keys.compose(each, bytes([number] * 32)).text for number, each in enumerate(("live", "test", "dev"))]
    wrong = keys[0][:-1] + ("A" if keys[0][-1] != "A" else "B")
    look_alikes = [wrong, "mk-live-short", "mk-prod-" + keys[0][8:], keys[0].replace("mk-", "sk-"), keys[0][:-4]]
    text = f"KEY='{keys[0]}'\n{keys[1]};\nurl?key={keys[2]}&x=1\n" + "\n".join(look_alikes)
    assert matches(text) == keys
