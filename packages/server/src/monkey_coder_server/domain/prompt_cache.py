"""Whether the gateway marks what a provider is to keep of a prompt, where the caller marked nothing (Anthropic).

A mark makes the provider write what stands before it to its cache, for 1.25 times the price of input, and read it from
there for 0.1 times the price when it comes again within five minutes
(https://platform.claude.com/docs/en/build-with-claude/prompt-caching, pricing). Of an input of 1 that comes again with
probability p a mark costs 1.25 + 0.1 p instead of 1 + p: it pays from p = 0.25 / 0.9 = 28 % on. Nothing is known of a
prompt that comes for the first time and begins no conversation, so it is not marked. A conversation that was answered
once, or a beginning that was sent before within the cache's lifetime, is reckoned to come again at least every other
time: 1.30 instead of 1.5 for the two together, and 0.1 instead of 1 for each further turn of an agent.
"""

from enum import StrEnum

from monkey_coder_server.domain.conversation import (
    Document,
    Image,
    Message,
    ModelRequest,
    Part,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.pricing import Rates

HEADER = "x-monkey-prompt-cache"
SECONDS = 300.0
"""How long what was written or read last is kept at least."""
MARK_KEY = b'"cache_control"'
"""As it stands in a body where something is marked; within a text its quotes are escaped."""
_SHOWN = 40


class PromptCaching(StrEnum):
    """What the header may say. `AUTO`: by the rule; `ON`: all of the prompt is marked at once; `OFF`: nothing is."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


def read_caching(header: str | None) -> PromptCaching:
    """What the header says. Raises `InvalidRequest`."""
    if header is None:
        return PromptCaching.AUTO
    try:
        return PromptCaching(header.strip().lower())
    except ValueError:
        message = (
            f"The header `X-Monkey-Prompt-Cache` must be one of {', '.join(PromptCaching)}; "
            f"{header[:_SHOWN]!r} was sent."
        )
        raise InvalidRequest(message) from None


def pays(rates: Rates) -> bool:
    """Whether writing costs less than is spared if every other prompt comes again."""
    return 2 * (rates.cache_write_5m - rates.input) < rates.input - rates.cache_read


def goes_on(request: ModelRequest) -> bool:
    """Whether it is a further turn of a conversation: an agent's loop, a chat, or examples before the question."""
    return any(message.role is Role.ASSISTANT for message in request.messages)


def is_marked(request: ModelRequest) -> bool:
    """Whether its caller says what is to be kept: then nothing is added to it."""
    source = request.source
    if source is not None and MARK_KEY in source.body:
        return True
    return any(tool.cache is not None for tool in request.tools) or any(map(_is_marked, request.messages))


def _is_marked(message: Message) -> bool:
    return any(map(_carries_mark, message.parts))


def _carries_mark(part: Part) -> bool:
    if isinstance(part, ToolResult):
        return part.cache is not None or any(map(_carries_mark, part.parts))
    return isinstance(part, Text | Image | Document | ToolCall) and part.cache is not None
