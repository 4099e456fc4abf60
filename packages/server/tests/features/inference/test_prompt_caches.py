"""Providers are told what to keep of a prompt where that pays, and the turns of a conversation find it again."""

import json
from dataclasses import replace
from typing import Any

import pytest

from monkey_coder_server.dialects.openai_chat import OpenAIChat, Quirks
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.pricing import PriceBook, Rates
from monkey_coder_server.features.inference import prompt_caches as module
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway, rows
from packages.server.tests.features.inference.world import Script

MESSAGES = "/v1/messages"
CHAT = "/v1/chat/completions"
CLAUDE = "anthropic/claude-big"
LONG = "Keep to the rules. " * 1_000
"""More than the 4,096 tokens that a model keeps of which nothing is known."""
QUESTION = {"role": "user", "content": "first"}
CONVERSATION = [QUESTION, {"role": "assistant", "content": "yes"}, {"role": "user", "content": LONG}]
OFF = {"x-monkey-prompt-cache": "off"}


class Silent(Gateway):
    """One whose operator wants providers to be told nothing."""

    prompts = False


def gateway(*, cached: bool = True, kind: type[Gateway] = Gateway, **options: Any) -> Gateway:
    """A gateway whose providers read what they kept for a tenth, and write for a quarter more."""
    made = kind(balance=500_000_000_000_000, **options)
    if cached:
        made.prices = PriceBook.of(
            replace(
                row,
                rates=Rates.of(
                    input=row.rates.input,
                    output=row.rates.output,
                    cache_read=row.rates.input // 10,
                    cache_write_5m=row.rates.input * 5 // 4,
                ),
            )
            for row in rows()
        )
    made.wire.play("anthropic", wires.anthropic())
    made.wire.play("openai", wires.openai())
    return made


async def sent(
    at: Gateway, messages: list[Any], *, headers: dict[str, str] | None = None, account: str = "acct_1", **fields: Any
) -> dict[str, Any]:
    """What Anthropic gets of a request in its own dialect."""
    body = {"model": CLAUDE, "max_tokens": 50, "messages": messages, **fields}
    answer = await at.ask(MESSAGES, body=json.dumps(body).encode(), headers=headers, account=account)
    assert answer.status == 200, answer.body
    return at.wire.sent[-1][2]


def is_marked(body: dict[str, Any]) -> bool:
    return "cache_control" in json.dumps(body)


async def test_a_beginning_is_marked_when_the_same_account_sends_it_again() -> None:
    at = gateway()
    assert not is_marked(await sent(at, [QUESTION], system=LONG))
    assert not is_marked(await sent(at, [QUESTION], system=LONG, account="acct_2"))
    assert not is_marked(await sent(at, [QUESTION], system=f"Not so. {LONG}"))
    again = await sent(at, [{"role": "user", "content": "second"}], system=LONG)
    assert again["system"] == [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    assert not is_marked(again["messages"])


async def test_tools_are_a_part_of_the_beginning() -> None:
    at = gateway()
    tool = {"name": "read", "description": LONG, "input_schema": {"type": "object"}}
    other = {**tool, "input_schema": {"type": "object", "properties": {}}}
    assert not is_marked(await sent(at, [QUESTION], tools=[tool]))
    assert not is_marked(await sent(at, [QUESTION], tools=[other]))
    assert is_marked(await sent(at, [QUESTION], tools=[tool]))


@pytest.mark.parametrize("system", ["", "Be brief."])
async def test_what_no_model_keeps_is_not_remembered(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at = gateway()
    monkeypatch.setattr(module, "REMEMBERED", 1)
    await sent(at, [QUESTION], system=LONG)
    await sent(at, [QUESTION], system=system)
    assert is_marked(await sent(at, [QUESTION], system=LONG))


async def test_only_the_newest_beginnings_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    at = gateway()
    monkeypatch.setattr(module, "REMEMBERED", 1)
    for name in ("A", "B", "A"):
        assert not is_marked(await sent(at, [QUESTION], system=name + LONG))


async def test_a_beginning_that_no_provider_keeps_any_more_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    at = gateway()
    monkeypatch.setattr(module, "SECONDS", 0.0)
    for _ in range(2):
        assert not is_marked(await sent(at, [QUESTION], system=LONG))


async def test_a_conversation_is_marked_once_it_goes_on() -> None:
    body = await sent(gateway(), CONVERSATION)
    assert body["messages"][2]["content"] == [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    assert body["messages"][:2] == CONVERSATION[:2]


async def test_so_is_one_in_another_dialect() -> None:
    at = gateway()
    answer = await at.ask(CHAT, body=json.dumps({"model": CLAUDE, "messages": CONVERSATION}).encode())
    assert answer.status == 200
    assert is_marked(at.wire.sent[-1][2])


async def test_a_native_task_with_a_long_beginning_of_its_own_is_not_one() -> None:
    at = gateway()
    for _ in range(2):
        answer = await at.ask(prompt=LONG, model=CLAUDE)
        assert answer.status == 200
        assert not is_marked(at.wire.sent[-1][2])
    assert (await at.ask(prompt=LONG, model=CLAUDE, headers={"x-monkey-prompt-cache": "on"})).status == 200
    assert is_marked(at.wire.sent[-1][2])


async def test_a_caller_that_marks_is_sent_on_as_it_wrote() -> None:
    marked = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    body = await sent(gateway(), CONVERSATION, system=marked)
    assert body["system"] == marked
    assert not is_marked(body["messages"])


async def test_nothing_is_marked_for_a_caller_that_says_no_nor_by_an_operator_that_does() -> None:
    assert not is_marked(await sent(gateway(), CONVERSATION, headers=OFF))
    told = {"x-monkey-prompt-cache": "on"}
    assert not is_marked(await sent(gateway(kind=Silent), CONVERSATION, headers=told))


async def test_all_is_marked_for_a_caller_that_says_so() -> None:
    body = await sent(gateway(), [{"role": "user", "content": LONG}], headers={"x-monkey-prompt-cache": "ON"})
    assert is_marked(body)


@pytest.mark.parametrize("path", ["/v1/execute", MESSAGES])
async def test_a_word_of_no_meaning_is_refused(path: str) -> None:
    body = None if path != MESSAGES else json.dumps({"model": CLAUDE, "max_tokens": 9, "messages": [QUESTION]}).encode()
    answer = await gateway().ask(path, headers={"x-monkey-prompt-cache": "maybe"}, body=body)
    assert answer.status == 400
    assert b"must be one of auto, on, off; 'maybe' was sent" in answer.body


async def test_nothing_is_marked_where_the_price_list_knows_of_no_cache() -> None:
    assert not is_marked(await sent(gateway(cached=False), CONVERSATION))


async def test_a_second_call_for_one_request_does_not_count_as_a_second_request() -> None:
    at = gateway()
    at.wire.play("anthropic", Script(before=FailureKind.OVERLOADED), wires.anthropic())
    await sent(at, [QUESTION], system=LONG)
    assert len(at.wire.sent) == 2
    assert not any(is_marked(body) for _, _, body, _ in at.wire.sent)


async def test_what_is_held_covers_what_is_written_to_a_cache() -> None:
    at = gateway()
    await sent(at, CONVERSATION, headers=OFF)
    await sent(at, CONVERSATION)
    without, marked = [request.amount for request in at.books.asked]
    assert marked == without, "it was the dearest bucket before"
    tokens = len(LONG.encode())
    assert marked >= tokens * 3_000 * 5 // 4, "every byte a token, written"


async def test_the_turns_of_a_conversation_go_to_one_key_and_conversations_to_all() -> None:
    keys = tuple(f"sk-{number}" for number in range(4))
    at = gateway(keys={"anthropic": keys})
    used = []
    for number in range(12):
        asked = {"role": "user", "content": f"conversation {number}"}
        for turns in ([asked], [asked, {"role": "assistant", "content": "yes"}, QUESTION]):
            await sent(at, turns)
            used.append(at.wire.sent[-1][3]["x-api-key"])
    assert used[::2] == used[1::2]
    assert len(set(used)) > 2


async def test_the_turns_of_a_conversation_share_a_name_that_tells_nothing_of_whose_it_is() -> None:
    at = gateway(also={"openai": (OpenAIChat(Quirks("openai", session_field="prompt_cache_key")),)})

    async def name(messages: list[Any], account: str = "acct_1", **fields: Any) -> Any:
        body = json.dumps({"model": "openai/gpt-big", "messages": messages, **fields}).encode()
        assert (await at.ask(CHAT, body=body, account=account)).status == 200
        return at.wire.sent[-1][2].get("prompt_cache_key")

    assert await name([QUESTION]) is None, "nobody knows whether it goes on, and other prompts may begin like it"
    first = await name(CONVERSATION)
    assert await name([*CONVERSATION, {"role": "assistant", "content": "so"}, QUESTION]) == first
    assert await name(CONVERSATION, account="acct_2") != first
    assert len(first) == 32
    assert int(first, 16)
    assert await name(CONVERSATION, prompt_cache_key="own") == "own"


async def test_a_task_of_the_native_api_is_no_turn_of_a_conversation() -> None:
    at = gateway(also={"openai": (OpenAIChat(Quirks("openai", session_field="prompt_cache_key")),)})
    assert (await at.ask(model="openai/gpt-big")).status == 200
    assert "prompt_cache_key" not in at.wire.sent[-1][2]
