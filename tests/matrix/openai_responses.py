"""The `openai` SDK speaking responses, without stored state: what its reasoning models gave is handed back."""

from collections.abc import Sequence
from typing import Any, ClassVar

import httpx2
import openai
from openai.types.responses import Response

from tests.matrix.openai_chat import cost_of
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

_ENDS = {"response.completed", "response.incomplete", "response.failed"}


class Responses(Driver):
    name = "responses"
    finishes: ClassVar = {
        "stop": "completed",
        "stop sequence": "completed",
        "length": "incomplete:max_output_tokens",
        "calls": "completed",
        "filter": "incomplete:content_filter",
    }
    errors: ClassVar = {
        "bad key": (openai.AuthenticationError, 401),
        "unknown model": (openai.NotFoundError, 404),
        "no credit": (openai.RateLimitError, 429),
        "refused": (openai.BadRequestError, 400),
        "provider": (openai.InternalServerError, 502),
    }
    broken = (openai.APIError,)

    def __init__(self, base_url: str, key: str, transport: httpx2.BaseTransport | None = None) -> None:
        settings: dict[str, Any] = {"base_url": base_url, "api_key": key, "max_retries": 0, "timeout": PATIENCE}
        http = httpx2.Client(transport=transport) if transport else None
        self.client = openai.OpenAI(**settings, http_client=http)
        self.settings = settings

    def talk(self, model: str) -> "ResponsesTalk":
        return ResponsesTalk(model, driver=self)

    def close(self) -> None:
        self.client.close()


class ResponsesTalk(Conversation):
    def __init__(self, model: str, *, driver: Responses) -> None:
        super().__init__(model)
        self._driver = driver

    def say(self, text: str, images: Sequence[str] = ()) -> None:
        content: list[dict[str, Any]] = [{"type": "input_text", "text": text}]
        content += [{"type": "input_image", "image_url": f"data:image/png;base64,{data}"} for data in images]
        self.history.append({"role": "user", "content": content if images else text})

    def hand_back(self, results: Sequence[Returned]) -> None:
        for result in results:
            output: Any = result.text
            if result.images:
                output = [{"type": "input_text", "text": result.text}]
                output += [
                    {"type": "input_image", "image_url": f"data:image/png;base64,{data}"} for data in result.images
                ]
            self.history.append({"type": "function_call_output", "call_id": result.call.id, "output": output})

    def ask(self, options: Options = PLAIN, *, stream: bool = False) -> Said:
        create = self._driver.client.responses.with_raw_response.create
        pieces = 0
        if stream:
            raw = create(**self._body(options), stream=True)
            with raw.parse() as events:
                response, pieces = _last(events)
        else:
            raw = create(**self._body(options))
            response = raw.parse()
        self.history += [
            item.model_dump(exclude_none=True, exclude={"status"}, warnings=False) for item in response.output
        ]
        return _said(response, pieces, raw.headers)

    async def leave(self, options: Options = PLAIN, *, after: int) -> str:
        async with openai.AsyncOpenAI(**self._driver.settings) as client:
            raw = await client.responses.with_raw_response.create(**self._body(options), stream=True)
            events = raw.parse()
            await hang_up(events, after)
            return str(raw.headers["x-request-id"])

    def _body(self, options: Options) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.model, "input": self.history, "store": False}
        if options.system:
            body["instructions"] = options.system
        if options.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.schema,
                    "strict": False,
                }
                for tool in options.tools
            ]
        if options.choice:
            plain = options.choice in {"auto", "required", "none"}
            body["tool_choice"] = options.choice if plain else {"type": "function", "name": options.choice}
        if options.parallel is not None:
            body["parallel_tool_calls"] = options.parallel
        if options.schema:
            body["text"] = {
                "format": {"type": "json_schema", "name": "answer", "schema": options.schema, "strict": True}
            }
        if options.thinking:
            body["reasoning"] = {"effort": "medium", "summary": "auto"}
            body["include"] = ["reasoning.encrypted_content"]
        if options.max_tokens:
            body["max_output_tokens"] = options.max_tokens
        if options.stop:
            body["extra_body"] = {"stop": list(options.stop)}
        return body


def _last(events: Any) -> tuple[Response, int]:
    """The response the last event holds; what the deltas said must be what it says."""
    said: dict[str, list[str]] = {"response.output_text.delta": [], "response.function_call_arguments.delta": []}
    last, pieces, numbers = None, 0, []
    for event in events:
        numbers.append(event.sequence_number)
        pieces += event.type.endswith(".delta")
        if event.type in said:
            said[event.type].append(event.delta)
        if event.type in _ENDS:
            last = event.response
    assert last is not None, "the stream ended without its last event"
    assert None in numbers or numbers == list(range(len(numbers)))  # older recordings have none
    calls = [item.arguments for item in last.output if item.type == "function_call"]
    assert "".join(said["response.output_text.delta"]) == last.output_text
    assert "".join(said["response.function_call_arguments.delta"]) == "".join(calls)
    return last, pieces


def _said(response: Response, pieces: int, headers: Any) -> Said:
    usage = response.usage
    thoughts = [item for item in response.output if item.type == "reasoning"]
    messages = [item for item in response.output if item.type == "message"]
    reason = response.incomplete_details.reason if response.incomplete_details else None
    return Said(
        text=response.output_text,
        thinking="".join(part.text for thought in thoughts for part in thought.summary),
        refusal="".join(part.refusal for item in messages for part in item.content if part.type == "refusal"),
        calls=tuple(
            Call(item.call_id, item.name, read_arguments(item.arguments))
            for item in response.output
            if item.type == "function_call"
        ),
        finish=f"{response.status}:{reason}" if reason else str(response.status),
        usage=None
        if usage is None
        else Usage(
            prompt=usage.input_tokens,
            cached=usage.input_tokens_details.cached_tokens if usage.input_tokens_details else 0,
            output=usage.output_tokens,
            reasoning=usage.output_tokens_details.reasoning_tokens if usage.output_tokens_details else 0,
        ),
        cost=None if usage is None else cost_of(usage),
        headers=headers,
        pieces=pieces,
    )
