"""Reads a `generateContent` request as its caller wrote it."""

from collections.abc import Mapping
from typing import Final

from monkey_coder_server.dialects.gemini.fields import Fields, record
from monkey_coder_server.dialects.gemini.names import DIALECT
from monkey_coder_server.dialects.gemini.reading_config import left_unsaid as config_left_unsaid
from monkey_coder_server.dialects.gemini.reading_config import read_output, read_reasoning, read_sampling
from monkey_coder_server.dialects.gemini.reading_contents import read_contents, read_instruction
from monkey_coder_server.dialects.gemini.reading_tools import left_unsaid as tools_left_unsaid
from monkey_coder_server.dialects.gemini.reading_tools import read_choice, read_tools
from monkey_coder_server.dialects.wire import UNREADABLE, parse_json
from monkey_coder_server.domain.conversation import Json, ModelRequest, Source
from monkey_coder_server.domain.errors import InvalidRequest

_READ: Final = frozenset({"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "model"})
_COUNTED: Final = "generateContentRequest"
"""`countTokens` takes a whole request, too."""


def read_request(body: bytes) -> tuple[ModelRequest, tuple[str, ...], str | None]:
    """The request, the names of what only Google can be told, and the model a body may name.

    Raises `InvalidRequest` with one sentence that names the field.
    """
    fields = _fields(body)
    if fields.get("cachedContent") is not None:
        raise InvalidRequest(
            "The field `cachedContent` names a cache of another account; send the contents themselves:"
            " providers cache what repeats by themselves, and this gateway bills it as cached."
        )
    config = record(fields.get("generationConfig"), "generationConfig")
    messages = (*read_instruction(fields.get("systemInstruction")), *read_contents(fields.get("contents")))
    choice, tools = read_choice(fields, read_tools(fields.get("tools")))
    extra = {name: value for name, value in fields.items() if name not in _READ and value is not None}
    request = ModelRequest(
        messages,
        tools=tools,
        tool_choice=choice,
        sampling=read_sampling(config),
        reasoning=read_reasoning(config),
        output=read_output(config),
        dialect=DIALECT,
        extra=extra,
        source=Source(DIALECT, body),
    )
    model = fields.get("model")
    lost = (*extra, *config_left_unsaid(config), *tools_left_unsaid(fields))
    return request, lost, model if isinstance(model, str) else None


def _fields(body: bytes) -> Fields:
    document = parse_json(body)
    if document is UNREADABLE:
        raise InvalidRequest("The body is not JSON; send one object with the field `contents`.")
    if not isinstance(document, Mapping):
        raise InvalidRequest("The body must be one JSON object with the field `contents`.")
    fields = record(document, "the body")
    inner: Json = fields.get(_COUNTED)
    return record(inner, _COUNTED) if inner is not None else fields
