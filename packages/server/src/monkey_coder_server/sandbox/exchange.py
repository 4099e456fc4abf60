"""What the simulators share: a provider-neutral request, reply and usage, private to the sandbox."""

from dataclasses import dataclass, field
from typing import Any, Literal

Finish = Literal["stop", "length", "tool_calls", "content_filter", "refusal", "stop_sequence"]
ToolChoice = Literal["auto", "none", "any"]
Kind = Literal["chat", "embeddings", "moderation"]
"""What a model is for."""

PROVIDERS = ("openai", "anthropic", "google", "groq", "xai", "perplexity", "moonshot")


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of the prompt in the order a provider caches it: tools, system, then message blocks."""

    text: str
    tokens: int
    cache_seconds: int = 0
    """Lifetime an explicit Anthropic breakpoint after this piece asks for; 0 where there is none."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the request offers, or a tool that takes free text (`custom`)."""

    name: str
    schema: dict[str, Any]
    custom: bool = False
    namespace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A validated request, whatever wire format it came in."""

    provider: str
    model: str
    pieces: tuple[Piece, ...]
    system: str
    prompt: str
    """Text of the last user message that has any, without sandbox directives."""
    directives: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = "auto"
    tool_name: str = ""
    """The one tool the request insists on, or an empty string."""
    parallel: bool = True
    tool_results: tuple[str, ...] = ()
    """Results that arrived after the last user text: the model is to answer them."""
    schema: dict[str, Any] | None = None
    json_mode: bool = False
    max_tokens: int | None = None
    limit_covers_reasoning: bool = True
    stop: tuple[str, ...] = ()
    stream: bool = False
    include_usage: bool = False
    reasoning_tokens: int = 0
    """About how many tokens of reasoning the model should spend."""
    show_reasoning: bool = False
    inline_reasoning: bool = False
    """The provider writes its reasoning into the text as a `<think>` passage."""
    media_tokens: dict[str, int] = field(default_factory=dict)
    """Tokens by modality other than text (`IMAGE`, `DOCUMENT`), already part of `pieces`."""
    dimensions: int = 0
    """How many numbers the vector of each piece is to have."""
    encoding: str = ""
    """How an answer that is no text is to be written."""
    echo: dict[str, Any] = field(default_factory=dict)
    """What the answer repeats of its request."""
    encrypted: bool = False
    """The reasoning is asked for in a form that can be given back."""
    searches: bool = False
    """The model may search the web."""

    @property
    def prompt_tokens(self) -> int:
        """Every input token, cached or not."""
        return sum(piece.tokens for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model makes; of a free-form tool `text` counts instead of the arguments."""

    name: str
    arguments: dict[str, Any]
    custom: bool = False
    text: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the model said, before it is put into a wire format."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: Finish = "stop"
    stop_sequence: str | None = None
    refusal: str = ""
    text_tokens: int = 0
    """Visible output: text, refusal and tool calls."""
    reasoning_tokens: int = 0
    searches: int = 0
    """Web searches run for the answer."""

    @property
    def output_tokens(self) -> int:
        """Everything generated."""
        return self.text_tokens + self.reasoning_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Disjoint token buckets of one served request."""

    uncached: int
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    """Visible output, reasoning excluded."""
    reasoning: int = 0
    citation: int = 0
    searches: int = 0

    @property
    def prompt(self) -> int:
        """Every input token, cached or not."""
        return self.uncached + self.cache_read + self.cache_write_5m + self.cache_write_1h


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream, and how many output tokens were generated once it is sent."""

    data: bytes
    generated: int
