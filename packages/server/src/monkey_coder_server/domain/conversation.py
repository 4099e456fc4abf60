"""The neutral conversation: what every dialect can be read into and written from.

Frozen records; nothing is lost on the way in: fields and blocks no dialect-neutral name exists for
travel as `Unknown` parts and `extra` mappings marked with the dialect they came from, and are
replayed only there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

Json: TypeAlias = Any
"""A value that JSON can say."""

EMPTY: Mapping[str, Json] = MappingProxyType({})


def _empty() -> Mapping[str, Json]:
    return EMPTY


class Role(StrEnum):
    """Who speaks. `DEVELOPER` is OpenAI's name for instructions below the system's."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class CacheHint:
    """The prefix up to here is worth caching at the provider; `ttl` as Anthropic names it (`5m`, `1h`)."""

    ttl: Literal["5m", "1h"] = "5m"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a statement comes from; `raw` is the provider's own record of it."""

    url: str | None = None
    title: str | None = None
    quoted: str | None = None
    raw: Json = None


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text."""

    text: str
    cache: CacheHint | None = None
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """An image by URL or as base64 `data` with its media type; `detail` is OpenAI's low/high/auto."""

    url: str | None = None
    data: str | None = None
    media_type: str | None = None
    detail: str | None = None
    cache: CacheHint | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A file such as a PDF, by URL, provider file id, base64 `data` or plain `text`."""

    name: str | None = None
    url: str | None = None
    file_id: str | None = None
    data: str | None = None
    text: str | None = None
    media_type: str | None = None
    cache: CacheHint | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the client is to make. `arguments` is JSON text exactly as the model wrote it.

    `custom` calls carry free text instead of JSON. `signature` is an opaque proof of thought
    (Gemini `thoughtSignature`) good only at `origin`.
    """

    id: str
    name: str
    arguments: str
    custom: bool = False
    signature: str | None = None
    origin: str | None = None
    cache: CacheHint | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call returned."""

    call_id: str
    parts: tuple["Text | Image | Document | Unknown", ...]
    name: str | None = None
    is_error: bool = False
    cache: CacheHint | None = None


@dataclass(frozen=True, slots=True)
class Thinking:
    """Reasoning text. `signature` (or `redacted` data in place of text) is only good at `origin`, a provider name."""

    text: str
    signature: str | None = None
    redacted: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The model declined, in its own words."""

    text: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A block no neutral name exists for; `raw` is replayed only in `dialect`."""

    dialect: str
    raw: Json


Part: TypeAlias = Text | Image | Document | ToolCall | ToolResult | Thinking | Refusal | Unknown


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `extra` holds unknown fields of the message in the caller's dialect."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None
    extra: Mapping[str, Json] = field(default_factory=_empty)


@dataclass(frozen=True, slots=True)
class Grammar:
    """What the text given to a free-form tool must match; `syntax` in OpenAI's words (`lark`, `regex`)."""

    syntax: str
    definition: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call. `schema` is JSON Schema; None for a free-form (`custom`) tool.

    A tool the provider runs itself (web search…) has `server` set to its raw definition; so has one that the provider
    only defines and the caller runs (`run_by_caller`: Anthropic's bash, text editor, memory, computer).
    """

    name: str
    description: str | None = None
    schema: Mapping[str, Json] | None = None
    strict: bool | None = None
    cache: CacheHint | None = None
    server: Json = None
    dialect: str | None = None
    """Where `server` came from."""
    grammar: Grammar | None = None
    """Of a free-form tool."""
    run_by_caller: bool = False


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`auto`, `none`, `required` (any tool) or `named` (by `name`); `parallel` False asks for at most one call."""

    mode: Literal["auto", "none", "required", "named"] = "auto"
    name: str | None = None
    parallel: bool | None = None


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """Free text when absent. `json` any object; `json_schema` an instance of `schema`."""

    kind: Literal["json", "json_schema"]
    schema: Mapping[str, Json] | None = None
    name: str = "answer"
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class Reasoning:
    """How much to think: `effort` in OpenAI's words or `budget_tokens`; `enabled` False turns thinking off."""

    enabled: bool = True
    effort: str | None = None
    budget_tokens: int | None = None
    include_text: bool = True


@dataclass(frozen=True, slots=True)
class Sampling:
    """Decoding parameters; None leaves the provider's default."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    presence_penalty: float | None = None
    frequency_penalty: float | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """The request as its caller wrote it, for a provider that speaks the same `dialect`.

    `body` is the JSON text, `headers` (lower case) are those of the dialect that mean something to its provider.
    `server_tools` counts what the provider is to run itself and `tools` does not show, such as MCP servers.
    `words_only`: every message is nothing but a role and words, as all providers of the dialect take them.
    """

    dialect: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=_empty)
    server_tools: int = 0
    words_only: bool = False


class Reuse(IntEnum):
    """How much of a prompt is expected to come again soon: what stands before the conversation, or all of it."""

    NOTHING = 0
    BEGINNING = 1
    ALL = 2


@dataclass(frozen=True, slots=True)
class PromptCache:
    """What a provider is told about keeping a prompt, beyond what its caller said.

    `session` is the same for all turns of a conversation and says nothing of whose it is; empty where it is not told.
    """

    reuse: Reuse = Reuse.NOTHING
    session: str = ""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """Everything a model is asked, apart from which model. System text stands first in `messages`.

    `extra` holds unknown top-level fields as they came, to be sent on only in `dialect`. What is to be embedded or
    judged stands in `messages`, one each; `dimensions` is how long the vectors are to be.
    `user` is an opaque end-user id for the provider's abuse detection, never a name.
    """

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    sampling: Sampling = field(default_factory=Sampling)
    reasoning: Reasoning | None = None
    output: OutputFormat | None = None
    dimensions: int | None = None
    user: str | None = None
    dialect: str | None = None
    extra: Mapping[str, Json] = field(default_factory=_empty)
    source: Source | None = None
    prompt_cache: PromptCache | None = None

    @property
    def spoken(self) -> str | None:
        """The dialect its caller speaks; None for the native API."""
        return None if self.source is None else self.source.dialect
