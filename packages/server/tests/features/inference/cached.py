"""One request, asked again and again of a gateway with a cache of answers."""

import asyncio
import json
from typing import Any

from packages.server.tests.features.inference.gateway import Answer, Caller, Gateway
from packages.server.tests.features.inference.world import Script

CLAUDE, GPT, GEMINI = "anthropic/claude-big", "openai/gpt-big", "google/gemini-big"
CHAT, MESSAGES, RESPONSES, GENERATE = "/v1/chat/completions", "/v1/messages", "/v1/responses", "gemini"
ON = {"x-monkey-cache": "on"}


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
        words: str = "hi",
        **fields: Any,
    ) -> Answer:
        path, said = self.path, [{"role": "user", "content": words}]
        body: dict[str, Any] = {"model": self.model, "max_tokens": 5_000, "messages": said, "stream": stream, **fields}
        if path == RESPONSES:
            body = {"model": self.model, "input": words, "stream": stream, "store": False, **fields}
        elif path == GENERATE:
            body = {"contents": [{"role": "user", "parts": [{"text": words}]}], **fields}
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
