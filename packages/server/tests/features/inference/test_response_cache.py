"""The same request again is answered from what is kept: no call, no charge, the caller's own dialect, never another's."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from monkey_coder_server.domain.cache_control import CacheMode
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.features import inference
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import KEY, Answer, Caller, Gateway
from packages.server.tests.features.inference.test_repeats import STREAMED, WHOLE, cost, ended, text
from packages.server.tests.features.inference.world import Script

CLAUDE, GPT, GEMINI = "anthropic/claude-big", "openai/gpt-big", "google/gemini-big"
CHAT, MESSAGES, RESPONSES, GENERATE = "/v1/chat/completions", "/v1/messages", "/v1/responses", "gemini"
ON = {"x-monkey-cache": "on"}

each_model = pytest.mark.parametrize("model", STREAMED)
each_path = pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES, GENERATE])
whole_or_stream = pytest.mark.parametrize("stream", [False, True])


class Asking:
    """One request, again and again."""

    def __init__(self, model: str = GPT, path: str = CHAT, **options: Any) -> None:
        self.gateway = Gateway(**options)
        self.model, self.path = model, path

    def play(self, *scripts: Script) -> None:
        self.gateway.wire.play(self.model.partition("/")[0], *scripts)

    async def ask(
        self,
        headers: dict[str, str] | None = None,
        *,
        stream: bool = False,
        caller: Caller | None = None,
        account: str = "acct_1",
        **fields: Any,
    ) -> Answer:
        path, said = self.path, [{"role": "user", "content": "hi"}]
        body: dict[str, Any] = {"model": self.model, "max_tokens": 5_000, "messages": said, "stream": stream, **fields}
        if path == RESPONSES:
            body = {"model": self.model, "input": "hi", "stream": stream, "store": False, **fields}
        elif path == GENERATE:
            body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], **fields}
            verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
            path = f"/v1beta/models/{self.model}:{verb}"
        sent = json.dumps(body).encode()
        headers = ON if headers is None else headers
        answer = await self.gateway.ask(path, body=sent, headers=headers, caller=caller, account=account)
        await asyncio.sleep(0)
        return answer

    @property
    def calls(self) -> int:
        return len(self.gateway.wire.sent)


@each_model
@each_path
@whole_or_stream
async def test_a_hit_says_the_same_calls_nobody_and_costs_nothing(model: str, path: str, *, stream: bool) -> None:
    asking = Asking(model, path)
    asking.play((STREAMED if stream else WHOLE)[model]())
    first = await asking.ask(stream=stream)
    assert (first.status, first.headers["x-monkey-cache"]) == (200, "miss"), first.body
    balance = asking.gateway.books.balance
    again = await asking.ask(stream=stream)
    assert (again.status, again.headers["x-monkey-cache"], again.headers["age"]) == (200, "hit", "0"), again.body
    assert text(again) == text(first) == wires.TEXT
    assert ended(again) == ended(first) is stream or not stream
    assert again.headers["x-monkey-model"] == first.headers["x-monkey-model"]
    assert asking.calls == 1
    assert asking.gateway.books.balance == balance
    (_, paid), (free, charge) = asking.gateway.books.settled.values()
    assert (charge.charged, free.cache_saving, free.usage.total) == (0, paid.charged, 0)
    assert [each.outcome for each in free.attempts] == ["cached"]
    if not stream:
        assert again.headers["x-monkey-cost"] == "0.00"
        assert again.headers["x-monkey-receipt"] == charge.receipt_id
        assert (cost(first.json) > 0, cost(again.json)) == (True, 0)
    assert (asking.gateway.counts.hits, asking.gateway.counts.saved) == (1, paid.charged)
