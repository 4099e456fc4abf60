"""The `google-genai` SDK speaking generateContent."""

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from typing import Any, ClassVar

import httpx2
from google import genai
from google.genai import types
from google.genai.errors import APIError, ClientError, ServerError

from tests.matrix.words import PATIENCE, PLAIN, Call, Conversation, Driver, Options, Returned, Said, Usage, hang_up

_BUDGET = 1_024


class Gemini(Driver):
    name = "gemini"
    finishes: ClassVar = {
        "stop": "STOP",
        "stop sequence": "STOP",
        "length": "MAX_TOKENS",
        "calls": "STOP",
        "filter": "SAFETY",
    }
    errors: ClassVar = {
        "bad key": (ClientError, 401),
        "unknown model": (ClientError, 404),
        "no credit": (ClientError, 402),
        "refused": (ClientError, 400),
        "provider": (ServerError, 502),
    }
    broken = (APIError,)

    def __init__(self, base_url: str, key: str, transport: httpx2.BaseTransport | None = None) -> None:
        self.wire = _Overheard(transport or httpx2.HTTPTransport())
        self.settings = {"base_url": base_url, "timeout": int(PATIENCE * 1_000)}
        self.key = key
        options = types.HttpOptions(**self.settings, client_args={"transport": self.wire})
        self.client = genai.Client(api_key=key, http_options=options)

    def talk(self, model: str) -> "GeminiTalk":
        return GeminiTalk(model, driver=self)

    def close(self) -> None:
        self.client.close()


class _Overheard(httpx2.BaseTransport):
    """Keeps what came for each request, by its id: this SDK's types have no place for a field of ours."""

    def __init__(self, transport: httpx2.BaseTransport) -> None:
        self._transport = transport
        self.bodies: dict[str, list[bytes]] = {}

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self._transport.handle_request(request)
        kept = self.bodies.setdefault(response.headers.get("x-request-id", ""), [])
        response.stream = _Tee(response.stream, kept)
        return response

    def close(self) -> None:
        self._transport.close()

    def cost(self, request_id: str) -> Decimal | None:
        """The `usageMetadata.cost` of an answer, by its last mention."""
        raw = b"".join(self.bodies.pop(request_id, ())).decode()
        documents = [line[6:] for line in raw.splitlines() if line.startswith("data: ")] or [raw]
        told = [json.loads(text, parse_float=Decimal).get("usageMetadata", {}).get("cost") for text in documents]
        return next((Decimal(cost) for cost in reversed(told) if cost is not None), None)


class _Tee(httpx2.SyncByteStream):
    def __init__(self, stream: Any, kept: list[bytes]) -> None:
        self._stream = stream
        self._kept = kept

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            self._kept.append(piece)
            yield piece

    def close(self) -> None:
        self._stream.close()


class GeminiTalk(Conversation):
    def __init__(self, model: str, *, driver: Gemini) -> None:
        super().__init__(model)
        self._driver = driver

    def say(self, text: str, images: Sequence[str] = ()) -> None:
        parts = [types.Part(text=text), *(_image(data) for data in images)]
        self.history.append(types.Content(role="user", parts=parts))

    def hand_back(self, results: Sequence[Returned]) -> None:
        parts = []
        for result in results:
            shown = [types.FunctionResponsePart(inline_data=_blob(data)) for data in result.images]
            answer = types.FunctionResponse(
                id=result.call.id,
                name=result.call.name,
                response={"output": result.text},
                parts=[types.FunctionResponsePart(inline_data=part.inline_data) for part in shown] or None,
            )
            parts.append(types.Part(function_response=answer))
        self.history.append(types.Content(role="user", parts=parts))

    def ask(self, options: Options = PLAIN, *, stream: bool = False) -> Said:
        models = self._driver.client.models
        if stream:
            with closing(models.generate_content_stream(**self._body(options))) as chunks:
                answers = list(chunks)
        else:
            answers = [models.generate_content(**self._body(options))]
        parts = list(_joined(part for answer in answers for part in _parts(answer)))
        if parts:
            self.history.append(types.Content(role="model", parts=parts))
        headers = httpx2.Headers(answers[-1].sdk_http_response.headers)
        cost = self._driver.wire.cost(headers.get("x-request-id", ""))
        return _said(answers, parts, len(answers) if stream else 0, headers, cost)

    async def leave(self, options: Options = PLAIN, *, after: int) -> str:
        transport = {"transport": httpx2.AsyncHTTPTransport()}
        http = types.HttpOptions(**self._driver.settings, async_client_args=transport)
        async with genai.Client(api_key=self._driver.key, http_options=http).aio as speaking:
            chunks = await speaking.models.generate_content_stream(**self._body(options))
            chunk = await hang_up(chunks, after)
            return str(httpx2.Headers(chunk.sdk_http_response.headers)["x-request-id"])

    def _body(self, options: Options) -> dict[str, Any]:
        config: dict[str, Any] = {"automatic_function_calling": types.AutomaticFunctionCallingConfig(disable=True)}
        if options.system:
            config["system_instruction"] = options.system
        if options.tools:
            declared = [
                types.FunctionDeclaration(
                    name=tool.name, description=tool.description, parameters_json_schema=tool.schema
                )
                for tool in options.tools
            ]
            config["tools"] = [types.Tool(function_declarations=declared)]
        if options.choice:
            words = {"auto": "AUTO", "required": "ANY", "none": "NONE"}
            calling: dict[str, Any] = {"mode": words.get(options.choice, "ANY")}
            if options.choice not in words:
                calling["allowed_function_names"] = [options.choice]
            config["tool_config"] = types.ToolConfig(function_calling_config=types.FunctionCallingConfig(**calling))
        if options.schema:
            config |= {"response_mime_type": "application/json", "response_json_schema": options.schema}
        if options.thinking:
            config["thinking_config"] = types.ThinkingConfig(include_thoughts=True, thinking_budget=_BUDGET)
        if options.max_tokens:
            config["max_output_tokens"] = options.max_tokens
        if options.stop:
            config["stop_sequences"] = list(options.stop)
        return {"model": self.model, "contents": self.history, "config": types.GenerateContentConfig(**config)}


def _blob(data: str) -> types.FunctionResponseBlob:
    return types.FunctionResponseBlob(mime_type="image/png", data=base64.b64decode(data))


def _image(data: str) -> types.Part:
    return types.Part(inline_data=types.Blob(mime_type="image/png", data=base64.b64decode(data)))


def _parts(answer: types.GenerateContentResponse) -> Sequence[types.Part]:
    content = answer.candidates[0].content if answer.candidates else None
    return (content and content.parts) or ()


def _joined(parts: Iterator[types.Part]) -> Iterator[types.Part]:
    """Neighbouring pieces of text as one part, as the SDK's own chats keep them; a signature ends a piece."""
    open_part: types.Part | None = None
    for part in parts:
        plain = part.text is not None and part.function_call is None
        if open_part and plain and bool(open_part.thought) == bool(part.thought) and not open_part.thought_signature:
            open_part.text = (open_part.text or "") + (part.text or "")
            open_part.thought_signature = part.thought_signature
            continue
        if open_part:
            yield open_part
        open_part = part.model_copy() if plain else None
        if not plain:
            yield part
    if open_part:
        yield open_part


def _said(
    answers: Sequence[types.GenerateContentResponse],
    parts: Sequence[types.Part],
    pieces: int,
    headers: httpx2.Headers,
    cost: Decimal | None,
) -> Said:
    ends = [answer.candidates[0].finish_reason for answer in answers if answer.candidates]
    ends = [str(end.value) for end in ends if end is not None]
    assert len(ends) == 1, f"finish reasons {ends}"
    calls = tuple(
        Call(part.function_call.id, part.function_call.name, part.function_call.args or {})
        for part in parts
        if part.function_call
    )
    return Said(
        text="".join(part.text for part in parts if part.text and not part.thought),
        thinking="".join(part.text for part in parts if part.text and part.thought),
        calls=calls,
        finish=ends[0],
        usage=_usage(next((a.usage_metadata for a in reversed(answers) if a.usage_metadata), None)),
        cost=cost,
        headers=headers,
        pieces=pieces,
    )


def _usage(usage: types.GenerateContentResponseUsageMetadata | None) -> Usage | None:
    if usage is None:
        return None
    thoughts = usage.thoughts_token_count or 0
    return Usage(
        prompt=(usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0),
        cached=usage.cached_content_token_count or 0,
        output=(usage.candidates_token_count or 0) + thoughts,
        reasoning=thoughts,
    )
