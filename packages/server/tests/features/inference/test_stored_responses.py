"""Stored responses: had by their own account until they expire, gone on from, never billed again."""

import json
from datetime import timedelta
from typing import Any

import pytest

from monkey_coder_server.domain.errors import FailureKind, Unavailable
from monkey_coder_server.features.inference import recollection
from packages.server.tests.dialects.openai_responses.answers import client, frames
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Answer, Caller, Gateway

CLAUDE = "anthropic/claude-big"
PATHS = ("/v1/responses", "/openai/v1/responses", "/openai/responses")
PATH = PATHS[0]


@pytest.fixture
def gateway() -> Gateway:
    made = Gateway()
    made.wire.play("anthropic", wires.anthropic("One."), wires.anthropic("Two."), wires.anthropic("Three."))
    return made


async def ask(gateway: Gateway, path: str = PATH, *, caller: Caller | None = None, **fields: Any) -> Answer:
    account = fields.pop("account", "acct_1")
    body = json.dumps({"model": CLAUDE, "input": "hi", **fields}).encode()
    return await gateway.ask(path, body=body, caller=caller, account=account)


async def get(gateway: Gateway, path: str, **more: Any) -> Answer:
    return await gateway.ask(path, method="GET", body=b"", **more)


def told(gateway: Gateway, number: int) -> list[tuple[str, str]]:
    """What a model was told in one call: roles and texts."""
    turns = gateway.wire.sent[number][2]["messages"]
    return [(turn["role"], "".join(part["text"] for part in turn["content"])) for turn in turns]


@pytest.mark.parametrize("path", PATHS)
async def test_an_answer_is_had_again_as_it_was_and_not_billed(gateway: Gateway, path: str) -> None:
    answer = await ask(gateway, path)
    name = answer.json["id"]
    again = await get(gateway, f"{path}/{name}")
    assert (again.status, again.body) == (200, answer.body)
    assert again.headers["content-type"] == "application/json"
    assert len(gateway.books.settled) == 1
    assert answer.json["store"] is True


async def test_a_streamed_answer_is_had_again_as_it_ended(gateway: Gateway) -> None:
    gateway.wire.play("anthropic", wires.anthropic_stream())
    last = frames((await ask(gateway, stream=True)).body)[-1]["response"]
    assert (await get(gateway, f"{PATH}/{last['id']}")).json == last


async def test_what_was_cut_off_is_kept_as_its_caller_got_it(gateway: Gateway) -> None:
    script = wires.anthropic_stream()
    script.pieces, script.fails = script.pieces[:4], FailureKind.CUT_SHORT
    gateway.wire.play("anthropic", script)
    last = frames((await ask(gateway, stream=True)).body)[-1]["response"]
    assert last["status"] == "incomplete"
    assert (await get(gateway, f"{PATH}/{last['id']}")).json == last


async def test_nothing_is_kept_where_nothing_is_to_be_stored(gateway: Gateway) -> None:
    answer = await ask(gateway, store=False)
    missing = await get(gateway, f"{PATH}/{answer.json['id']}")
    assert (missing.status, missing.json["error"]["type"]) == (404, "invalid_request_error")
    assert answer.json["id"] in missing.json["error"]["message"]
    assert not gateway.kept.answers


async def test_nothing_is_kept_of_an_error(gateway: Gateway) -> None:
    gateway.wire.play("anthropic", *[wires.anthropic("x")])
    gateway.books.balance = 0
    assert (await ask(gateway)).status == 429
    assert not gateway.kept.answers


async def test_nothing_is_kept_for_a_caller_who_left(gateway: Gateway) -> None:
    script = wires.anthropic_stream()
    script.gap = 0.01
    gateway.wire.play("anthropic", script)
    await ask(gateway, stream=True, caller=Caller(hang_up_after=2))
    await gateway.settle_down()
    assert not gateway.kept.answers


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_no_other_account_sees_an_answer(gateway: Gateway, method: str) -> None:
    name = (await ask(gateway)).json["id"]
    stranger = await gateway.ask(f"{PATH}/{name}", method=method, body=b"", account="acct_2")
    assert stranger.status == 404
    assert (await get(gateway, f"{PATH}/{name}/input_items", account="acct_2")).status == 404
    refused = await ask(gateway, previous_response_id=name, account="acct_2")
    assert (refused.status, refused.json["error"]["code"]) == (400, "previous_response_not_found")
    assert (await get(gateway, f"{PATH}/{name}")).status == 200


async def test_a_deleted_answer_is_gone(gateway: Gateway) -> None:
    name = (await ask(gateway)).json["id"]
    deleted = await gateway.ask(f"{PATH}/{name}", method="DELETE", body=b"")
    assert deleted.json == {"id": name, "object": "response", "deleted": True}
    assert (await get(gateway, f"{PATH}/{name}")).status == 404
    assert (await gateway.ask(f"{PATH}/{name}", method="DELETE", body=b"")).status == 404


async def test_an_answer_expires_after_thirty_days(gateway: Gateway) -> None:
    name = (await ask(gateway)).json["id"]
    gateway.clock.today += timedelta(days=30) - timedelta(seconds=1)
    assert (await get(gateway, f"{PATH}/{name}")).status == 200
    gateway.clock.today += timedelta(seconds=1)
    assert (await get(gateway, f"{PATH}/{name}")).status == 404


async def test_a_stored_answer_is_not_streamed_again(gateway: Gateway) -> None:
    name = (await ask(gateway)).json["id"]
    refused = await get(gateway, f"{PATH}/{name}?stream=true")
    assert (refused.status, refused.json["error"]["param"]) == (400, "stream")


async def test_the_next_request_goes_on_from_all_before_it(gateway: Gateway) -> None:
    first = await ask(gateway, instructions="Never told again.")
    second = await ask(gateway, input=[{"role": "user", "content": "and?"}], previous_response_id=first.json["id"])
    third = await ask(gateway, input="and then?", previous_response_id=second.json["id"])
    assert told(gateway, 2) == [
        *[("user", "hi"), ("assistant", "One."), ("user", "and?"), ("assistant", "Two."), ("user", "and then?")]
    ]
    assert "system" not in gateway.wire.sent[2][2]
    assert third.json["previous_response_id"] == second.json["id"]
    assert third.json["output"][0]["content"][0]["text"] == "Three."


async def test_input_may_be_left_out_where_one_goes_on(gateway: Gateway) -> None:
    first = await ask(gateway)
    for number, nothing in enumerate(({"input": []}, {"input": None}, {}), start=1):
        body = {"model": CLAUDE, "previous_response_id": first.json["id"], **nothing}
        assert (await gateway.ask(PATH, body=json.dumps(body).encode())).status == 200
        assert told(gateway, number) == [("user", "hi"), ("assistant", "One.")]


async def test_what_is_stored_of_a_later_answer_is_only_its_own_input(gateway: Gateway) -> None:
    first = await ask(gateway)
    second = await ask(gateway, input="and?", previous_response_id=first.json["id"])
    kept = gateway.kept.answers["acct_1", second.json["id"]]
    assert json.loads(kept.asked) == [{"role": "user", "content": "and?"}]
    assert kept.previous == first.json["id"]


@pytest.mark.parametrize("name", ["resp_unknown", "x" * 1_000])
async def test_an_unknown_answer_cannot_be_gone_on_from(gateway: Gateway, name: str) -> None:
    refused = await ask(gateway, previous_response_id=name)
    assert (refused.status, refused.json["error"]["code"]) == (400, "previous_response_not_found")
    assert refused.json["error"]["param"] == "previous_response_id"
    assert not gateway.wire.sent


async def test_a_request_that_grew_too_long_is_refused(gateway: Gateway) -> None:
    first = await ask(gateway, input="x" * 20_000_000)
    assert first.status == 400  # longer than every context window
    kept = await ask(gateway)
    stored = gateway.kept.answers["acct_1", kept.json["id"]]
    huge = json.dumps([{"role": "user", "content": "x" * 34_000_000}]).encode()
    gateway.kept.answers["acct_1", "resp_huge"] = type(stored)(
        answer_id="resp_huge",
        account_id="acct_1",
        previous=None,
        asked=huge,
        body=stored.body,
        at=stored.at,
        expires_at=stored.expires_at,
    )
    refused = await ask(gateway, previous_response_id="resp_huge")
    assert refused.status == 413


async def test_items_may_be_referred_to(gateway: Gateway) -> None:
    first = await ask(gateway)
    reference = {"type": "item_reference", "id": first.json["output"][0]["id"]}
    items = [{"role": "user", "content": "hi"}, reference, {"role": "user", "content": "and?"}]
    second = await ask(gateway, input=items)
    assert told(gateway, 1) == [("user", "hi"), ("assistant", "One."), ("user", "and?")]
    await gateway.ask(f"{PATH}/{first.json['id']}", method="DELETE", body=b"")
    assert (await ask(gateway, input="more", previous_response_id=second.json["id"])).status == 200


@pytest.mark.parametrize("reference", [{"id": "msg_unknown"}, {"id": None}, {}])
async def test_a_reference_to_nothing_is_refused(gateway: Gateway, reference: dict[str, Any]) -> None:
    refused = await ask(gateway, input=[{"type": "item_reference", **reference}])
    assert (refused.status, refused.json["error"]["param"]) == (400, "input[0].id")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"input":3}', b'{"input":[3,{"type":"item_reference"}]}', b'{"store":3}']
)
async def test_nonsense_is_refused_by_its_reader(gateway: Gateway, body: bytes) -> None:
    assert (await gateway.ask(PATH, body=body)).status == 400


async def test_an_answer_that_cannot_be_stored_is_given_all_the_same(gateway: Gateway) -> None:
    gateway.kept.fail.append(Unavailable("away"))
    answer = await ask(gateway)
    assert answer.status == 200
    assert [str(defect) for defect in gateway.notes.defects] == ["away"]
    assert (await get(gateway, f"{PATH}/{answer.json['id']}")).status == 404


async def test_an_answer_does_not_wait_for_a_store_that_is_silent(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recollection, "SAVE_SECONDS", 0.01)
    gateway.kept.delay = 3_600.0
    assert (await ask(gateway)).status == 200
    assert [type(defect) for defect in gateway.notes.defects] == [TimeoutError]


async def test_the_input_is_listed_a_page_at_a_time(gateway: Gateway) -> None:
    items = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "1"},
        {"type": "message", "id": "msg_mine", "role": "user", "content": [{"type": "input_text", "text": "d"}]},
    ]
    name = (await ask(gateway, input=items)).json["id"]
    page = (await get(gateway, f"{PATH}/{name}/input_items?order=asc&limit=3")).json
    assert [item["type"] for item in page["data"]] == ["message", "message", "function_call"]
    assert page["data"][0]["content"] == [{"type": "input_text", "text": "a"}]
    assert page["data"][1]["content"] == [{"type": "output_text", "text": "b"}]
    assert (page["first_id"], page["has_more"]) == (page["data"][0]["id"], True)
    rest = (await get(gateway, f"{PATH}/{name}/input_items?order=asc&after={page['last_id']}")).json
    assert [item["id"] for item in rest["data"]][-1] == "msg_mine"
    assert (len(rest["data"]), rest["has_more"]) == (2, False)
    newest = (await get(gateway, f"{PATH}/{name}/input_items?limit=1")).json
    assert newest["data"][0]["id"] == "msg_mine"
    beyond = (await get(gateway, f"{PATH}/{name}/input_items?after=nothing")).json
    assert beyond == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


async def test_the_input_of_a_later_answer_holds_all_before_it(gateway: Gateway) -> None:
    first = (await ask(gateway)).json
    second = (await ask(gateway, input="and?", previous_response_id=first["id"])).json
    listed = (await get(gateway, f"{PATH}/{second['id']}/input_items?order=asc")).json["data"]
    assert [item["role"] for item in listed] == ["user", "assistant", "user"]
    assert listed[1] == first["output"][0]
    assert len({item["id"] for item in listed}) == 3
    await gateway.ask(f"{PATH}/{first['id']}", method="DELETE", body=b"")
    listed = (await get(gateway, f"{PATH}/{second['id']}/input_items")).json["data"]
    assert [item["content"][0]["text"] for item in listed] == ["and?"]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=99999999999999999999", "order=up"])
async def test_a_page_has_its_bounds(gateway: Gateway, query: str) -> None:
    name = (await ask(gateway)).json["id"]
    refused = await get(gateway, f"{PATH}/{name}/input_items?{query}")
    assert (refused.status, refused.json["error"]["param"]) == (400, query.partition("=")[0])


async def test_the_sdk_reads_what_is_stored(gateway: Gateway) -> None:
    answer = await ask(gateway)
    name = answer.json["id"]
    stored = await get(gateway, f"{PATH}/{name}")
    assert client(200, "application/json", stored.body).responses.retrieve(name).output_text == "One."
    listed = await get(gateway, f"{PATH}/{name}/input_items")
    items = client(200, "application/json", listed.body).responses.input_items.list(name).data
    assert [item.type for item in items] == ["message"]
    counted = await ask(gateway, f"{PATH}/input_tokens", previous_response_id=name)
    count = client(200, "application/json", counted.body).responses.input_tokens.count(model="m", input="hi")
    assert count.input_tokens > 3


async def test_a_request_that_goes_on_is_counted_with_all_before_it(gateway: Gateway) -> None:
    first = await ask(gateway, input="word " * 500)
    alone = await ask(gateway, f"{PATH}/input_tokens")
    together = await ask(gateway, f"{PATH}/input_tokens", previous_response_id=first.json["id"])
    assert together.json["input_tokens"] > alone.json["input_tokens"] + 500
