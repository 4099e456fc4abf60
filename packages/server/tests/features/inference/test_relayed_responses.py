"""Responses over a provider that speaks them, too: passed on as they came, ended properly, stored as given."""

import json
from types import MappingProxyType
from typing import Any

import openai
import pytest

from monkey_coder_protocol.sse import SseParser
from monkey_coder_server.dialects.openai_responses import OpenAIResponses, Quirks
from monkey_coder_server.domain.errors import FailureKind
from packages.server.tests.dialects.openai_responses.answers import frames, read_stream, read_whole, read_with_helper
from packages.server.tests.dialects.openai_responses.test_relaying import recorded
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Answer, Gateway
from packages.server.tests.features.inference.world import Script

PATH = "/v1/responses"
GPT, CLAUDE = "openai/gpt-big", "anthropic/claude-big"
SPOKEN = OpenAIResponses(Quirks("openai", tools=MappingProxyType({"gpt": ("web_search",)})))


def speaking(*scripts: Script, **options: Any) -> Gateway:
    gateway = Gateway(also={"openai": (SPOKEN,)}, **options)
    gateway.wire.play("openai", *scripts)
    return gateway


def whole() -> Script:
    return Script(pieces=[plain(stream=False).encode()], headers={"content-type": "application/json"})


def streamed() -> Script:
    events = plain(stream=True).replace("\r\n", "\n").split("\n\n")
    return Script(pieces=[f"{event}\n\n".encode() for event in events if event.strip()])


def plain(*, stream: bool) -> str:
    """A recorded answer in words."""
    good = (each for each in recorded(stream=stream) if each["expected"]["text"] and not each["expected"]["tool_calls"])
    body: str = next(each for each in good if each["provider"] == "openai")["response"]["body"]
    return body


async def ask(gateway: Gateway, **fields: Any) -> Answer:
    return await gateway.ask(PATH, body=json.dumps({"model": GPT, "input": "hi", **fields}).encode())


async def test_the_provider_is_asked_in_the_callers_own_words() -> None:
    gateway = speaking(whole())
    body = (
        b'{ "model":"openai/gpt-big", "input":[{"role":"user","content":"hi","novelty":1.50}], "max_output_tokens":99 }'
    )
    answer = await gateway.ask(PATH, body=body)
    assert answer.status == 200, answer.body
    _, url, sent, _ = gateway.wire.sent[0]
    assert url == "https://openai.example/responses"
    assert sent["input"] == [{"role": "user", "content": "hi", "novelty": 1.5}]
    assert (sent["model"], sent["max_output_tokens"], sent["store"]) == ("gpt-big", 99, False)


async def test_a_whole_answer_is_given_as_it_came_with_its_cost() -> None:
    gateway = speaking(whole())
    answer = await ask(gateway)
    wanted = json.loads(plain(stream=False))
    ((_, charge),) = gateway.books.settled.values()
    wanted["usage"]["cost"] = charge.charged / 1e9
    wanted["store"] = True
    assert answer.json == wanted
    assert read_whole(answer.body).output_text


async def test_a_stream_is_given_as_it_came_with_its_cost() -> None:
    gateway = speaking(streamed())
    answer = await ask(gateway, stream=True, store=False)
    parser = SseParser()
    given = [(event.event, event.data) for event in parser.feed(answer.body)]
    theirs = [(event.event, event.data) for event in SseParser().feed(b"".join(streamed().pieces))]
    assert given[:-1] == theirs[:-1]
    ((_, charge),) = gateway.books.settled.values()
    assert frames(answer.body)[-1]["response"]["usage"]["cost"] == charge.charged / 1e9
    assert read_with_helper(answer.body).output_text


async def test_an_answer_of_nothing_but_what_the_provider_ran_is_one_to_who_can_read_it() -> None:
    body = json.loads(plain(stream=False))
    body["output"] = [{"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAA"}]
    script = Script(pieces=[json.dumps(body).encode()], headers={"content-type": "application/json"})
    answer = await ask(speaking(script))
    assert (answer.status, answer.json["output"]) == (200, body["output"])


async def test_words_a_model_does_not_have_are_said_in_others_and_its_answer_is_translated_back() -> None:
    called = {"type": "function_call", "call_id": "c1", "name": "apply_patch", "arguments": '{"input":"*** x"}'}
    body = json.loads(plain(stream=False)) | {"output": [called]}
    gateway = speaking(Script(pieces=[json.dumps(body).encode()], headers={"content-type": "application/json"}))
    answer = await ask(gateway, tools=[{"type": "custom", "name": "apply_patch"}], prompt_cache_key="k")
    sent = gateway.wire.sent[0][2]
    assert (sent["tools"][0]["type"], sent["prompt_cache_key"]) == ("function", "k")
    (item,) = answer.json["output"]
    assert (item["type"], item["input"]) == ("custom_tool_call", "*** x")


@pytest.mark.parametrize("stream", [False, True])
async def test_what_is_stored_is_what_the_caller_got(stream: bool) -> None:
    gateway = speaking(streamed() if stream else whole())
    answer = await ask(gateway, stream=stream)
    got = frames(answer.body)[-1]["response"] if stream else answer.json
    again = await gateway.ask(f"{PATH}/{got['id']}", method="GET", body=b"")
    assert again.json == got


async def test_one_may_go_on_and_the_provider_sees_no_id_of_ours() -> None:
    gateway = speaking(whole())
    first = await ask(gateway)
    second = await ask(gateway, input="and?", previous_response_id=first.json["id"])
    sent = gateway.wire.sent[1][2]
    assert "previous_response_id" not in sent
    assert sent["input"][0] == {"role": "user", "content": "hi"}
    assert sent["input"][-1] == {"role": "user", "content": "and?"}
    assert sent["input"][1:-1] == [item for item in first.json["output"] if item["type"] != "reasoning"]
    assert second.json["previous_response_id"] == first.json["id"]


async def test_a_conversation_may_move_from_claude_to_openai_and_back() -> None:
    gateway = speaking(whole())
    gateway.wire.play("anthropic", wires.anthropic("One."))
    first = await ask(gateway, model=CLAUDE)
    thought = {"type": "reasoning", "summary": [], "encrypted_content": "mk1.anthropic.c2ln"}
    items = [{"role": "user", "content": "hi"}, thought, *first.json["output"], {"role": "user", "content": "and?"}]
    second = await ask(gateway, input=items)
    assert thought not in gateway.wire.sent[1][2]["input"]
    assert len(gateway.wire.sent[1][2]["input"]) == 3
    third = await ask(gateway, model=CLAUDE, input="more", previous_response_id=second.json["id"])
    assert third.status == 200, third.body
    turn = gateway.wire.sent[2][2]["messages"][1]["content"]
    assert turn == [{"type": "thinking", "thinking": "", "signature": "c2ln"}, {"type": "text", "text": "One."}]


@pytest.mark.parametrize("kept", range(3, 12, 2))
async def test_a_cut_stream_is_complete_all_the_same(kept: int) -> None:
    script = streamed()
    script.pieces, script.fails = script.pieces[: kept + 3], FailureKind.CUT_SHORT
    gateway = speaking(script)
    answer = await ask(gateway, stream=True)
    assert answer.complete
    last = read_stream(answer.body)[-1]
    assert last.type == "response.incomplete"
    assert last.response.usage is not None
    assert not gateway.books.settled


async def test_an_error_in_mid_stream_is_raised_by_the_sdk() -> None:
    script = streamed()
    error = {"type": "error", "code": "server_error", "message": "It broke.", "param": None}
    script.pieces = [*script.pieces[:6], f"event: error\ndata: {json.dumps(error)}\n\n".encode()]
    answer = await ask(speaking(script), stream=True)
    with pytest.raises(openai.APIError, match="It broke"):
        read_stream(answer.body)


async def test_tools_in_namespaces_are_written_anew_for_a_model_without_them() -> None:
    call = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "agents__spawn", "arguments": "{}"}
    response = {**json.loads(plain(stream=False)), "output": [{**call, "status": "completed"}]}
    gateway = speaking(Script(pieces=[json.dumps(response).encode()]))
    spawn = {"type": "function", "name": "spawn", "parameters": {"type": "object", "properties": {}}}
    answer = await ask(gateway, tools=[{"type": "namespace", "name": "agents", "description": "", "tools": [spawn]}])
    assert [tool["name"] for tool in gateway.wire.sent[0][2]["tools"]] == ["agents__spawn"]
    (item,) = answer.json["output"]
    assert (item["namespace"], item["name"], item["call_id"]) == ("agents", "spawn", "c")


async def test_a_tool_the_provider_runs_is_passed_on_to_it() -> None:
    gateway = speaking(whole())
    answer = await ask(gateway, tools=[{"type": "web_search"}])
    assert gateway.wire.sent[0][2]["tools"] == [{"type": "web_search"}]
    assert "x-monkey-dropped" not in answer.headers


async def test_what_such_a_tool_may_find_is_held_for() -> None:
    gateway = speaking(whole())
    held: list[int] = []
    gateway.wire.before_send = lambda: held.append(gateway.books.held)
    for tools in ([{"type": "web_search"}], []):
        await ask(gateway, tools=tools, max_output_tokens=100)
    assert held[0] > held[1] + 190_000 * 10_000
