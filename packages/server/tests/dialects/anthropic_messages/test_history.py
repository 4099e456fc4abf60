"""What other providers left in a conversation, and instructions within it, on the way to Anthropic."""

import json
from typing import Any

import pytest

from monkey_coder_server.dialects.anthropic_messages.front import MessagesFront
from monkey_coder_server.ports.front import Envelope
from monkey_coder_server.providers.anthropic import PROVIDER
from packages.server.tests.dialects import conversations
from packages.server.tests.dialects.anthropic_messages import agents

WITH_TURNS = "claude-opus-4-8"
WITHOUT_TURNS = "claude-haiku-4-5"
HI = {"role": "user", "content": "hi"}


def sent(*messages: dict[str, Any], model: str = WITH_TURNS, **fields: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    body = json.dumps({"model": "auto", "max_tokens": 10, "messages": list(messages), **fields}).encode()
    request = MessagesFront().read(body, Envelope(headers={}, query={})).request
    wire = PROVIDER.dialect.encode(request, card=conversations.card(PROVIDER, model), key="k", stream=False)
    return json.loads(wire.body), wire.dropped


def assistant(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def test_thoughts_of_other_providers_never_reach_anthropic() -> None:
    own = {"type": "thinking", "thinking": "mine", "signature": "s"}
    mixed = assistant(
        own,
        {"type": "thinking", "thinking": "theirs", "signature": "mk1.google.s"},
        {"type": "redacted_thinking", "data": "mk1.openai.d"},
        {"type": "redacted_thinking", "data": "mk1.google.next.c2ln"},
        {"type": "redacted_thinking", "data": "mine too"},
        agents.call(),
    )
    body, dropped = sent(HI, mixed, {"role": "user", "content": [agents.result("ok")]})
    assert body["messages"][1]["content"] == [own, {"type": "redacted_thinking", "data": "mine too"}, agents.call()]
    assert dropped == ("messages.thinking",)


def test_a_turn_of_nothing_but_foreign_thoughts_is_left_out() -> None:
    body, _ = sent(HI, assistant({"type": "thinking", "thinking": "", "signature": "mk1.google.s"}), HI)
    assert body["messages"] == [HI, HI]


def test_a_text_that_only_speaks_of_sealed_thoughts_is_left_alone() -> None:
    said = [{"role": "user", "content": '"mk1.google.s'}, assistant(agents.text('"mk1.')), HI]
    assert sent(*said) == ({"model": WITH_TURNS, "max_tokens": 10, "messages": said}, ())


def test_sources_of_other_providers_are_left_out() -> None:
    theirs = {"type": "web_search_result_location", "url": "u", "encrypted_index": "mk1.openai."}
    own = {"type": "web_search_result_location", "url": "u", "encrypted_index": "e"}
    body, _ = sent(HI, assistant(agents.text("a", citations=[theirs, own]), agents.text("b", citations=[theirs])), HI)
    assert body["messages"][1]["content"] == [agents.text("a", citations=[own]), agents.text("b")]


def test_call_ids_of_other_providers_are_rewritten_alike_on_both_sides() -> None:
    call, result = agents.call("functions.Write:0"), agents.result("ok", "functions.Write:0")
    body, _ = sent(HI, assistant(call), {"role": "user", "content": [result, agents.text("go on")]})
    (made,), (answered, _) = body["messages"][1]["content"], body["messages"][2]["content"]
    assert made["id"] == answered["tool_use_id"]
    assert made["id"].replace("_", "").isalnum()


def test_a_system_turn_keeps_its_place_where_the_model_takes_it() -> None:
    turns = [HI, {"role": "system", "content": "Be brief."}, assistant(agents.text("Ok.")), HI]
    assert sent(*turns)[0]["messages"] == turns
    developer = [HI, {"role": "developer", "content": "Be brief.", "clear_at": "never"}]
    assert sent(*developer)[0]["messages"] == [HI, {"role": "system", "content": "Be brief.", "clear_at": "never"}]


def test_elsewhere_it_speaks_through_the_user() -> None:
    turns = [HI, {"role": "system", "content": "Be brief."}, assistant(agents.text("Ok.")), HI]
    spoken = {"role": "user", "content": [agents.text("<system>\nBe brief.\n</system>")]}
    assert sent(*turns, model=WITHOUT_TURNS)[0]["messages"] == [HI, spoken, assistant(agents.text("Ok.")), HI]


def test_an_instruction_right_after_an_answer_speaks_through_the_user() -> None:
    answer = assistant(agents.text("Ok."))
    late = {"role": "system", "content": [agents.text("Be brief.", cache_control=agents.EPHEMERAL)]}
    spoken = agents.text("<system>\nBe brief.\n</system>", cache_control=agents.EPHEMERAL)
    assert sent(HI, answer, late)[0]["messages"] == [HI, answer, {"role": "user", "content": [spoken]}]


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        (None, [agents.text("Be brief.")]),
        ("You help.", [agents.text("You help."), agents.text("Be brief.")]),
        ([agents.text("You help.")], [agents.text("You help."), agents.text("Be brief.")]),
    ],
)
def test_instructions_at_the_head_join_the_system_prompt(system: Any, expected: list[dict[str, Any]]) -> None:
    fields = {} if system is None else {"system": system}
    body, _ = sent({"role": "system", "content": "Be brief."}, {"role": "developer", "content": " "}, HI, **fields)
    assert (body["system"], body["messages"]) == (expected, [HI])


def test_what_an_instruction_holds_besides_text_is_named_where_it_is_lost() -> None:
    added = {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "Write"}}
    turns = [HI, {"role": "system", "content": [added]}, {"role": "system", "content": [added, agents.text("Go.")]}]
    assert sent(*turns, tools=[agents.WRITE])[0]["messages"] == turns
    body, dropped = sent(*turns, model=WITHOUT_TURNS, tools=[agents.WRITE])
    assert body["messages"] == [HI, {"role": "user", "content": [agents.text("<system>\nGo.\n</system>")]}]
    assert dropped == ("tool_addition",)


def test_without_messages_anthropic_is_asked_all_the_same() -> None:
    body = b'{"model": "auto", "max_tokens": 10}'
    request = MessagesFront().read(body, Envelope(headers={}, query={})).request
    wire = PROVIDER.dialect.encode(request, card=PROVIDER.cards[0], key="k", stream=False)
    assert json.loads(wire.body) == {"model": PROVIDER.cards[0].model, "max_tokens": 10}
