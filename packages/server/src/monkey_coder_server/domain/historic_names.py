"""Names of models that older clients of this service send, and what they were officially replaced by."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

REPLACED_BY: Mapping[str, str] = MappingProxyType(
    {
        "gpt-4o": "openai/gpt-4.1",
        "gpt-4o-mini": "openai/gpt-4.1-mini",
        "gpt-3.5-turbo": "openai/gpt-4.1-nano",
        "o1": "openai/o3",
        "o1-preview": "openai/o3",
        "o1-mini": "openai/o4-mini",
        "claude-3-opus": "anthropic/claude-opus-4-5",
        "claude-3-sonnet": "anthropic/claude-sonnet-4-5",
        "claude-3-5-sonnet": "anthropic/claude-sonnet-4-5",
        "claude-3-7-sonnet": "anthropic/claude-sonnet-4-5",
        "claude-3-haiku": "anthropic/claude-haiku-4-5",
        "claude-3-5-haiku": "anthropic/claude-haiku-4-5",
        "gemini-1.5-pro": "google/gemini-2.5-pro",
        "gemini-2.0-flash": "google/gemini-2.5-flash",
        "grok-2": "xai/grok-3",
    }
)
"""The original service's manifest of deprecations."""

CALLED_OTHERWISE: Mapping[str, str] = MappingProxyType(
    {
        "gemini-1.5-flash": "google/gemini-2.5-flash",
        "gemini-2.0-flash-lite": "google/gemini-2.5-flash-lite",
        "gemini-3-pro-preview": "google/gemini-3.1-pro-preview",
        "gemini-3.1-pro-preview-customtools": "google/gemini-3.1-pro-preview",
        "gemini-3-flash": "google/gemini-3.5-flash",
        "gemini-3.1-flash-lite-preview": "google/gemini-3.1-flash-lite",
        "gemini-pro": "google/gemini-3.1-pro-preview",
        "gemini-flash": "google/gemini-3.8-flash",
        "gemini-flash-lite": "google/gemini-3.5-flash-lite",
    }
)
"""Names that Gemini CLI's router and Google's guides use (`gemini-flash-latest`), and the models Google serves for them
(google-gemini/gemini-cli, models.ts; ai.google.dev, Gemini deprecations)."""

_SUFFIX = re.compile(r"-(?:latest|20\d{2}-?\d{2}-?\d{2}|0\d{2}|\d{4})$", re.ASCII)


def historic_successors(name: str) -> Iterator[str]:
    """What a name nobody serves may stand for: itself without its date, then its stated replacement. Lower case."""
    undated = _SUFFIX.sub("", name)
    if undated != name:
        yield undated
    bare = undated.rpartition("/")[2]
    replacement = REPLACED_BY.get(bare) or CALLED_OTHERWISE.get(bare)
    if replacement is not None:
        yield replacement
