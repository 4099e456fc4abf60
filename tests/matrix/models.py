"""Which model of each provider stands for what, and what a provider cannot do: the table behind the matrix."""

from collections.abc import Mapping
from dataclasses import dataclass

PROVIDERS = ("openai", "anthropic", "google", "groq", "xai", "perplexity", "moonshot")
IN_RESPONSES = "responses of openai"
"""A column of its own: the models of OpenAI that are spoken to in that format, whatever the caller speaks."""
COLUMNS = (*PROVIDERS, IN_RESPONSES)

PLAIN: Mapping[str, str] = {
    "openai": "gpt-4.1-mini",
    "anthropic": "claude-haiku-4-5",
    "google": "gemini-2.5-flash",
    "groq": "llama-3.3-70b-versatile",
    "xai": "grok-3",
    "perplexity": "sonar-pro",
    "moonshot": "kimi-k2.6",
    IN_RESPONSES: "gpt-6-luna",
}
SEES: Mapping[str, str] = {
    **PLAIN,
    "groq": "meta-llama/llama-4-scout-17b-16e-instruct",
    "xai": "grok-4.3",
}
KEEPS_TO_A_SCHEMA: Mapping[str, str] = {**PLAIN, "groq": "openai/gpt-oss-20b"}
THINKS: Mapping[str, str] = {
    "openai": "gpt-5-mini",
    "anthropic": "claude-haiku-4-5",
    "google": "gemini-3.5-flash",
    "groq": "openai/gpt-oss-120b",
    "xai": "grok-3-mini",
    "perplexity": "sonar-reasoning-pro",
    "moonshot": "kimi-k2.6",
    IN_RESPONSES: "gpt-6-luna",
}
SMALL: Mapping[str, str] = {**PLAIN, "openai": "o3-mini", "perplexity": "sonar", IN_RESPONSES: "gpt-5.3-codex"}
"""With the smallest context window, in tokens of the next table."""
WINDOWS: Mapping[str, int] = {
    "openai": 200_000,
    "anthropic": 200_000,
    "google": 1_048_576,
    "groq": 131_072,
    "xai": 131_072,
    "perplexity": 128_000,
    "moonshot": 262_144,
    IN_RESPONSES: 400_000,
}


@dataclass(frozen=True, slots=True)
class Limit:
    """What a provider cannot do. `kind`: how a request for it is answered.

    `refused`: with the dialect's error for a bad request, whose sentence holds `says`.
    `dropped`: as if it had not been asked, and the header x-monkey-dropped names `says`.
    `hidden`: the provider does it without showing it.
    `worded`: it is asked for in words, which nothing makes the model keep to.
    `inline`: the provider writes it into the text, where it stays.
    `plain`: nothing but the words tells it from any other answer.
    `empty`: an answer without a word that ends as declined.
    """

    kind: str
    says: str
    reason: str


ANY = "any"
_CALLS = (
    "one tool",
    "one tool, streamed",
    "parallel tools",
    "parallel tools, streamed",
    "a call without arguments",
    "a tool that must be called",
    "any tool must be called",
    "an image from a tool",
    "thinking before a call",
    "moving on after a call",
)
_THOUGHTS = ("thinking", "thinking, streamed")
_FORMS = ("structured output", "structured output, streamed")
_NO_TOOLS = Limit("refused", "tool", "Perplexity's models call no tools")
_HIDDEN = Limit("hidden", "", "OpenAI's chat completions count reasoning and do not show it")
_PLAIN_WORDS = Limit("plain", "", "Models of Groq, xAI, Perplexity and Moonshot decline in plain words")
_INLINE = Limit("inline", "", "Perplexity writes `<think>…</think>` into the text")
_UNSTOPPED = Limit("dropped", "stop", "The Responses API knows no stop sequences")
_WORDED = Limit("worded", "", "Moonshot takes no JSON Schema; the model is told it in words")
LIMITS: Mapping[tuple[str, str, str], Limit] = {
    **{(ANY, "perplexity", scenario): _NO_TOOLS for scenario in _CALLS},
    **{(ANY, column, "the model declines"): _PLAIN_WORDS for column in ("groq", "xai", "perplexity", "moonshot")},
    (ANY, "google", "the model declines"): Limit("refused", "filter", "Gemini's models decline by their filter"),
    (ANY, "anthropic", "kept back by a filter"): Limit("empty", "", "Anthropic's filter ends an answer as declined"),
    (ANY, "perplexity", "stop sequence"): Limit("dropped", "stop", "Perplexity knows no stop sequences"),
    ("responses", "openai", "stop sequence"): _UNSTOPPED,
    ("responses", "xai", "stop sequence"): _UNSTOPPED,
    (ANY, IN_RESPONSES, "stop sequence"): _UNSTOPPED,
    **{(dialect, "openai", scenario): _HIDDEN for dialect in ("chat", "messages", "gemini") for scenario in _THOUGHTS},
    **{(ANY, "perplexity", scenario): _INLINE for scenario in _THOUGHTS},
    **{(ANY, "moonshot", scenario): _WORDED for scenario in _FORMS},
    (ANY, "moonshot", "any tool must be called"): Limit(
        "worded", "", "Moonshot knows `auto` and named tools; `required` is asked as `auto`"
    ),
}
"""By dialect, provider and scenario; `any` for all."""


def provider_of(column: str) -> str:
    """The provider whose column it is."""
    return "openai" if column == IN_RESPONSES else column


def limit_of(dialect: str, provider: str, scenario: str) -> Limit | None:
    """What stands in the way of a cell, if anything."""
    places = ((dialect, provider), (ANY, provider), (dialect, ANY))
    return next((LIMITS[*place, scenario] for place in places if (*place, scenario) in LIMITS), None)
