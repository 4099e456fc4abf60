"""The `openai` SDK speaking chat completions."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

import httpx2
import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.matrix.words import (
    PATIENCE,
    PLAIN,
    Call,
    Conversation,
    Driver,
    Options,
    Returned,
    Said,
    Usage,
    hang_up,
    read_arguments,
)

_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")


class Chat(Driver):
    name = "chat"
    finishes: ClassVar = {
        "stop": "stop",
        "stop sequence": "stop",
        "length": "length",
        "calls": "tool_calls",
        "filter": "content_filter",
    }
    errors: ClassVar = {
        "bad key": (openai.AuthenticationError, 401),
        "unknown model": (openai.NotFoundError, 404),
        "no credit": (openai.BadRequestError, 400),
        "refused": (openai.BadRequestError, 400),
        "provider": (openai.InternalServerError, 502),
    }
    broken = (openai.APIError,)

    def __init__(self, base_url: str, key: str, transport: httpx2.BaseTransport | None = None) -> None:
        settings: dict[str, Any] = {"base_url": base_url, "api_key": key, "max_retries": 0, "timeout": PATIENCE}
        http = httpx2.Client(transport=transport) if transport else None
        self.client = openai.OpenAI(**settings, http_client=http)
        self.settings = settings

    def talk(self, model: str) -> "ChatTalk":
        return ChatTalk(model, driver=self)

    def close(self) -> None:
        self.client.close()


class ChatTalk(Conversation):
    def __init__(self, model: str, *, driver: Chat) -> None:
        super().__init__(model)
        self._driver = driver

    def say(self, text: str, images: Sequence[str] = ()) -> None:
        content: Any = text
        if images:
            content = [{"type": "text", "text": text}]
            content += [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}} for data in images]
        self.history.append({"role": "user", "content": content})

    def hand_back(self, results: Sequence[Returned]) -> None:
        """The dialect's tool messages hold text alone; images follow in a user message, as its agents send them."""
        for result in results:
            self.history.append({"role": "tool", "tool_call_id": result.call.id, "content": result.text})
        images = [image for result in results for image in result.images]
        if images:
            self.say("What the tools returned:", images)

    def ask(self, options: Options = PLAIN, *, stream: bool = False) -> Said:
        create = self._driver.client.chat.completions.with_raw_response.create
        if stream:
            asked = self._body(options) | {"stream": True, "stream_options": {"include_usage": True}}
            raw = create(**asked)
            with raw.parse() as chunks:
                message, finish, usage, pieces = _folded(chunks)
        else:
            raw = create(**self._body(options))
            whole: ChatCompletion = raw.parse()
            (choice,) = whole.choices
            message, finish, usage, pieces = choice.message.model_dump(), choice.finish_reason, whole.usage, 0
        message = {name: value for name, value in message.items() if value is not None}
        self.history.append(message)
        return _said(message, str(finish), usage, pieces, raw.headers)

    async def leave(self, options: Options = PLAIN, *, after: int) -> str:
        async with openai.AsyncOpenAI(**self._driver.settings) as client:
            raw = await client.chat.completions.with_raw_response.create(**self._body(options), stream=True)
            chunks = raw.parse()
            await hang_up(chunks, after)
            return str(raw.headers["x-request-id"])

    def _body(self, options: Options) -> dict[str, Any]:
        system = [{"role": "system", "content": options.system}] if options.system else []
        body: dict[str, Any] = {"model": self.model, "messages": [*system, *self.history]}
        if options.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {"name": tool.name, "description": tool.description, "parameters": tool.schema},
                }
                for tool in options.tools
            ]
        if options.choice:
            plain = options.choice in {"auto", "required", "none"}
            named = {"type": "function", "function": {"name": options.choice}}
            body["tool_choice"] = options.choice if plain else named
        if options.parallel is not None:
            body["parallel_tool_calls"] = options.parallel
        if options.schema:
            described = {"name": "answer", "schema": options.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": described}
        if options.thinking:
            body["reasoning_effort"] = "medium"
        if options.max_tokens:
            body["max_completion_tokens"] = options.max_tokens
        if options.stop:
            body["stop"] = list(options.stop)
        return body


def _folded(chunks: openai.Stream[ChatCompletionChunk]) -> tuple[dict[str, Any], str | None, Any, int]:
    """The message a stream adds up to, as the clients of this dialect add it up."""
    message: dict[str, Any] = {"role": "assistant"}
    finish, usage, pieces = None, None, 0
    for chunk in chunks:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            finish = choice.finish_reason or finish
            delta = choice.delta.model_dump(exclude_unset=True)
            pieces += any(delta.get(name) for name in (*_TEXTS, "tool_calls"))
            for name in _TEXTS:
                if delta.get(name):
                    message[name] = message.get(name, "") + delta[name]
            for piece in delta.get("tool_calls") or ():
                _add_call(message.setdefault("tool_calls", []), piece)
    return message, finish, usage, pieces


def _add_call(calls: list[dict[str, Any]], piece: dict[str, Any]) -> None:
    index = piece.pop("index")
    if index == len(calls):
        calls.append({"type": "function", "function": {"name": "", "arguments": ""}})
    call = calls[index]
    function = piece.pop("function", None) or {}
    call |= {name: value for name, value in piece.items() if value is not None}
    call["function"]["name"] = function.get("name") or call["function"]["name"]
    call["function"]["arguments"] += function.get("arguments") or ""


def _said(message: dict[str, Any], finish: str, usage: Any, pieces: int, headers: Any) -> Said:
    calls = tuple(
        Call(call["id"], call["function"]["name"], read_arguments(call["function"]["arguments"]))
        for call in message.get("tool_calls") or ()
    )
    return Said(
        text=message.get("content") or "",
        thinking=message.get("reasoning_content") or message.get("reasoning") or "",  # Groq's own word
        refusal=message.get("refusal") or "",
        calls=calls,
        finish=finish,
        usage=_usage(usage),
        cost=None if usage is None else cost_of(usage),
        headers=headers,
        pieces=pieces,
    )


def _usage(usage: Any) -> Usage | None:
    if usage is None:
        return None
    prompt, output = usage.prompt_tokens_details, usage.completion_tokens_details
    reasoning = (output and output.reasoning_tokens) or 0
    said = usage.total_tokens - usage.prompt_tokens
    assert said - usage.completion_tokens in {0, reasoning}  # xAI, passed on as it is, counts reasoning apart
    cached = (prompt and prompt.cached_tokens) or 0
    return Usage(prompt=usage.prompt_tokens, cached=cached, output=said, reasoning=reasoning)


def cost_of(usage: Any) -> Decimal | None:
    """The one field of ours in a usage object; JSON's shortest digits come through a float unharmed."""
    cost = (usage.model_extra or {}).get("cost")
    return None if cost is None else Decimal(str(cost))
