"""Writes a conversation as a `generateContent` request.

Left out because the API has no word for it: cache hints (Gemini caches prefixes by itself), the end-user id,
"at most one call". The contents stand last in the body, so that the next turn's body begins with this one's bytes.
"""

from collections.abc import Sequence
from urllib.parse import quote

from monkey_coder_server.dialects.gemini.config import write_config, write_tool_config, write_tools
from monkey_coder_server.dialects.gemini.content import Record, model_parts, text_part, user_parts
from monkey_coder_server.dialects.gemini.forwarding import forward
from monkey_coder_server.dialects.gemini.names import DIALECT
from monkey_coder_server.dialects.gemini.traits import ModelTraits
from monkey_coder_server.dialects.left_out import left_out
from monkey_coder_server.dialects.wire import write_json
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, Text, ToolCall
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.ports.provider import WireRequest

_WORDS = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "seed": "seed",
    "stop": "stopSequences",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
_INSTRUCTING = frozenset({Role.SYSTEM, Role.DEVELOPER})


def write_request(
    request: ModelRequest, *, card: ModelCard, traits: ModelTraits, key: str, stream: bool
) -> WireRequest:
    """Write one call of `(stream)generateContent`; the key goes into a header, never into the URL."""
    body, dropped = _body(request, card=card, traits=traits)
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    headers = {"content-type": "application/json", "x-goog-api-key": key}
    return WireRequest(f"/v1beta/models/{quote(card.model, safe='')}:{verb}", headers, body, dropped)


def _body(request: ModelRequest, *, card: ModelCard, traits: ModelTraits) -> tuple[bytes, tuple[str, ...]]:
    if request.source is not None and request.source.dialect == DIALECT:
        return forward(request, request.source, card=card, traits=traits)
    body: Record = {"generationConfig": write_config(request, card=card, traits=traits)}
    if tool_config := write_tool_config(request):
        body["toolConfig"] = tool_config
    if request.dialect == DIALECT:
        body |= {name: value for name, value in request.extra.items() if name not in body}
    if request.tools:
        body["tools"] = write_tools(request.tools)
    leading = _leading_instructions(request.messages)
    if system := [part for message in leading for part in _instruction(message)]:
        body["systemInstruction"] = {"parts": system}
    body["contents"] = _contents(request.messages[len(leading) :], traits=traits, provider=card.provider)
    if not body["contents"]:
        raise InvalidRequest("The conversation holds no message a model could answer.")
    return write_json(body), _left_out(request, body["generationConfig"])


def _left_out(request: ModelRequest, config: Record) -> tuple[str, ...]:
    names = left_out(request.sampling, _WORDS, config)
    alone = request.tools and request.tool_choice is not None and request.tool_choice.parallel is False
    return (*names, "parallel_tool_calls") if alone else names


def _leading_instructions(messages: Sequence[Message]) -> Sequence[Message]:
    count = next((at for at, message in enumerate(messages) if message.role not in _INSTRUCTING), len(messages))
    return messages[:count]


def _instruction(message: Message) -> list[Record]:
    return [record for part in message.parts if isinstance(part, Text) for record in text_part(part.text)]


def _contents(messages: Sequence[Message], *, traits: ModelTraits, provider: str) -> list[Record]:
    """Turns with neighbours of one role joined, tool results before anything else of a turn."""
    names = {part.id: part.name for message in messages for part in message.parts if isinstance(part, ToolCall)}
    contents: list[Record] = []
    for message in messages:
        role, parts = "user", []
        if message.role is Role.ASSISTANT:
            role, parts = "model", model_parts(message.parts, provider=provider, traits=traits)
        elif message.role in _INSTRUCTING:
            parts = [{"text": f"<system>\n{record['text']}\n</system>"} for record in _instruction(message)]
        else:
            parts = user_parts(message.parts, names=names, traits=traits)
        if not parts:
            continue
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        else:
            contents.append({"role": role, "parts": parts})
    for turn in contents:
        if turn["role"] == "user":
            turn["parts"].sort(key=lambda part: "functionResponse" not in part)
    return contents
