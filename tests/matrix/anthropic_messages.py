"""The `anthropic` SDK speaking messages."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

import anthropic
import httpx2
from anthropic.types import Message

from tests.matrix.openai_chat import cost_of
from tests.matrix.words import PATIENCE, PLAIN, Call, Conversation, Driver, Options, Returned, Said, Usage, hang_up

_LIMIT = 4_000
"""Tokens; the dialect wants a limit with every request."""
_BUDGET = 1_024


class Messages(Driver):
    name = "messages"
    finishes: ClassVar = {
        "stop": "end_turn",
        "stop sequence": "stop_sequence",
        "length": "max_tokens",
        "calls": "tool_use",
        "filter": "refusal",
    }
    errors: ClassVar = {
        "bad key": (anthropic.AuthenticationError, 401),
        "unknown model": (anthropic.NotFoundError, 404),
        "no credit": (anthropic.PaymentRequiredError, 402),
        "refused": (anthropic.BadRequestError, 400),
        "provider": (anthropic.InternalServerError, 502),
    }
    broken = (anthropic.APIError,)

    def __init__(self, base_url: str, key: str, transport: httpx2.BaseTransport | None = None) -> None:
        settings: dict[str, Any] = {"base_url": base_url, "api_key": key, "max_retries": 0, "timeout": PATIENCE}
        http = httpx2.Client(transport=transport) if transport else None
        self.client = anthropic.Anthropic(**settings, http_client=http)
        self.settings = settings

    def talk(self, model: str) -> "MessagesTalk":
        return MessagesTalk(model, driver=self)

    def close(self) -> None:
        self.client.close()


class MessagesTalk(Conversation):
    def __init__(self, model: str, *, driver: Messages) -> None:
        super().__init__(model)
        self._driver = driver

    def say(self, text: str, images: Sequence[str] = ()) -> None:
        content: Any = text
        if images:
            content = [*(_image(data) for data in images), {"type": "text", "text": text}]
        self.history.append({"role": "user", "content": content})

    def hand_back(self, results: Sequence[Returned]) -> None:
        blocks = []
        for result in results:
            content: Any = result.text
            if result.images:
                content = [{"type": "text", "text": result.text}, *(_image(data) for data in result.images)]
            blocks.append({"type": "tool_result", "tool_use_id": result.call.id, "content": content})
        self.history.append({"role": "user", "content": blocks})

    def ask(self, options: Options = PLAIN, *, stream: bool = False) -> Said:
        pieces = 0
        if stream:
            cost = None  # the last event tells it; the SDK's own accumulator keeps only the fields it knows
            with self._driver.client.messages.stream(**self._body(options)) as events:
                for event in events:
                    pieces += event.type == "content_block_delta"
                    cost = cost_of(event.usage) if event.type == "message_delta" else cost
                message = events.get_final_message()
                headers = events.response.headers
        else:
            raw = self._driver.client.messages.with_raw_response.create(**self._body(options))
            message, headers = raw.parse(), raw.headers
            cost = cost_of(message.usage)
        blocks = [block.model_dump(exclude_none=True, exclude={"parsed_output"}) for block in message.content]
        self.history.append({"role": "assistant", "content": blocks})
        return _said(message, cost, pieces, headers)

    async def leave(self, options: Options = PLAIN, *, after: int) -> str:
        async with anthropic.AsyncAnthropic(**self._driver.settings) as client:
            raw = await client.messages.with_raw_response.create(**self._body(options), stream=True)
            events = await raw.parse()
            await hang_up(events, after)
            return str(raw.headers["x-request-id"])

    def _body(self, options: Options) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model,
            "max_tokens": options.max_tokens or _LIMIT,
            "messages": self.history,
        }
        if options.system:
            body["system"] = options.system
        if options.tools:
            body["tools"] = [
                {"name": tool.name, "description": tool.description, "input_schema": tool.schema}
                for tool in options.tools
            ]
        if options.choice or options.parallel is not None:
            words = {"auto": "auto", "required": "any", "none": "none"}
            chosen: dict[str, Any] = {"type": words.get(options.choice or "auto", "tool")}
            if chosen["type"] == "tool":
                chosen["name"] = options.choice
            if options.parallel is not None:
                chosen["disable_parallel_tool_use"] = not options.parallel
            body["tool_choice"] = chosen
        if options.schema:
            body["output_config"] = {"format": {"type": "json_schema", "schema": options.schema}}
        if options.thinking:
            body["thinking"] = {"type": "enabled", "budget_tokens": _BUDGET}
        if options.stop:
            body["stop_sequences"] = list(options.stop)
        return body


def _image(data: str) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


def _said(message: Message, cost: Decimal | None, pieces: int, headers: Any) -> Said:
    usage = message.usage
    read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    return Said(
        text="".join(block.text for block in message.content if block.type == "text"),
        thinking="".join(block.thinking for block in message.content if block.type == "thinking"),
        calls=tuple(Call(block.id, block.name, block.input) for block in message.content if block.type == "tool_use"),
        finish=str(message.stop_reason),
        usage=Usage(
            prompt=usage.input_tokens + read + written, cached=read, output=usage.output_tokens, reasoning=None
        ),
        cost=cost,
        headers=headers,
        pieces=pieces,
    )
