"""Writes a request for one model: fixed key order, the input last, so that turn n is a prefix of turn n + 1.

Nothing is stored at the provider (`store` is false), so reasoning is asked for in its encrypted form, to be given back
with the next turn. Left out because the format has no word for it: `stop`, `seed`, `top_k` and the penalties.
"""

from monkey_coder_server.dialects.left_out import left_out
from monkey_coder_server.dialects.openai_responses.items import split_instructions, write_items
from monkey_coder_server.dialects.openai_responses.names import DIALECT
from monkey_coder_server.dialects.openai_responses.parameters import (
    ENCRYPTED,
    encode_json,
    schema_in_words,
    thinks,
    write_format,
    write_limits,
    write_reasoning,
)
from monkey_coder_server.dialects.openai_responses.quirks import Quirks
from monkey_coder_server.dialects.openai_responses.tools import write_tools
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import Json, ModelRequest
from monkey_coder_server.domain.errors import InvalidRequest

_SHARED = ("metadata", "prompt_cache_key", "prompt_cache_retention", "safety_identifier")
"""Parameters that mean the same in all of OpenAI's dialects."""
_OPENAI = frozenset({DIALECT, "openai-chat"})
_WORDS = {"temperature": "temperature", "top_p": "top_p"}


def write_body(
    request: ModelRequest, *, card: ModelCard, quirks: Quirks, stream: bool
) -> tuple[bytes, tuple[str, ...]]:
    """The JSON body, and the names of what this model is not told.

    Raises `InvalidRequest` for what this provider cannot be told.
    """
    body: dict[str, Json] = {"model": card.model}
    if stream:
        body["stream"] = True
    body["store"] = False
    if thinks(card):
        body["include"] = [ENCRYPTED]
    if request.reasoning is not None and (reasoning := write_reasoning(request.reasoning, card, quirks)):
        body["reasoning"] = reasoning
    body |= write_limits(request.sampling, card, quirks)
    dropped = list(left_out(request.sampling, _WORDS, body))
    if request.output is not None:
        body["text"] = {"format": write_format(request.output, card, dialect=request.dialect)}
    if request.user is not None:
        body["user"] = request.user
    if request.dialect in _OPENAI:
        body |= {name: request.extra[name] for name in _SHARED if request.extra.get(name) is not None}
    name_session(body, request)
    body |= write_conversation(request, card=card, quirks=quirks, dropped=dropped)
    return encode_json(body), tuple(dict.fromkeys(dropped))


def name_session(body: dict[str, Json], request: ModelRequest) -> None:
    """Give the conversation its name, unless its caller did: OpenAI and xAI lead all its turns to one cache by it."""
    if request.prompt_cache is not None and request.prompt_cache.session:
        body.setdefault("prompt_cache_key", request.prompt_cache.session)


def write_conversation(
    request: ModelRequest, *, card: ModelCard, quirks: Quirks, dropped: list[str]
) -> dict[str, Json]:
    """The fields that hold the conversation: tools, instructions and, last, the input."""
    body = write_tools(request, card.model, quirks, dropped)
    instructions, rest = split_instructions(request.messages)
    if instructions is not None:
        body["instructions"] = instructions
    items = write_items(rest, card, quirks)
    if not items:
        raise InvalidRequest("The request holds no message for a model to answer.")
    if request.output is not None and (words := schema_in_words(request.output, card)):
        items.append({"role": "user", "content": words})
    body["input"] = items
    return body
