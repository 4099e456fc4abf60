"""Reads `generationConfig`: sampling, thinking, the form of the answer."""

from collections.abc import Mapping
from typing import Final

from monkey_coder_server.dialects.gemini.fields import Fields, flag, number, record, records, text, whole
from monkey_coder_server.dialects.gemini.open_api_schema import json_schema
from monkey_coder_server.domain.conversation import Json, OutputFormat, Reasoning, Sampling
from monkey_coder_server.domain.errors import InvalidRequest

PATH: Final = "generationConfig."
_JSON: Final = "application/json"
_SAID_ELSEWHERE: Final = frozenset(
    {
        "maxOutputTokens",
        "temperature",
        "topP",
        "topK",
        "seed",
        "stopSequences",
        "presencePenalty",
        "frequencyPenalty",
        "thinkingConfig",
        "candidateCount",
        "responseMimeType",
        "responseSchema",
        "responseJsonSchema",
        "_responseJsonSchema",
    }
)
_SAYS_NOTHING: Final[Mapping[str, Json]] = {"responseModalities": ["TEXT"], "responseLogprobs": False}
"""Values that ask for what every model does anyway."""


def read_sampling(config: Fields) -> Sampling:
    """Decoding parameters. Raises `InvalidRequest`, also for more than one candidate: only one is ever billed."""
    if (whole(config, "candidateCount", PATH, least=1) or 1) > 1:
        raise InvalidRequest(
            "The field `generationConfig.candidateCount` must be 1; send a request for each candidate."
        )
    top_k = number(config, "topK", PATH)
    return Sampling(
        max_tokens=whole(config, "maxOutputTokens", PATH, least=1),
        temperature=number(config, "temperature", PATH),
        top_p=number(config, "topP", PATH),
        top_k=None if top_k is None else int(top_k),
        seed=whole(config, "seed", PATH, least=-(2**31)),
        stop=tuple(_stops(config)),
        presence_penalty=number(config, "presencePenalty", PATH),
        frequency_penalty=number(config, "frequencyPenalty", PATH),
    )


def read_reasoning(config: Fields) -> Reasoning | None:
    """`thinkingConfig`: a budget of 0 turns thinking off, -1 leaves it to the model (ai.google.dev, thinking guide)."""
    if config.get("thinkingConfig") is None:
        return None
    path = f"{PATH}thinkingConfig"
    thinking = record(config["thinkingConfig"], path)
    budget = whole(thinking, "thinkingBudget", f"{path}.", least=-1)
    level = (text(thinking, "thinkingLevel", f"{path}.") or "").lower()
    return Reasoning(
        enabled=budget != 0,
        effort=level if level and level != "thinking_level_unspecified" else None,
        budget_tokens=budget if budget is not None and budget > 0 else None,
        include_text=flag(thinking, "includeThoughts", f"{path}."),
    )


def read_output(config: Fields) -> OutputFormat | None:
    """JSON, freely or by a schema of either kind; text in any other media type is plain text."""
    for name in ("responseJsonSchema", "_responseJsonSchema", "responseSchema"):
        if config.get(name) is not None and not _is_enumeration(config):
            schema = record(config[name], f"{PATH}{name}") and json_schema(config[name], f"{PATH}{name}")
            return OutputFormat("json_schema", schema or None)
    return OutputFormat("json") if text(config, "responseMimeType", PATH) == _JSON else None


def left_unsaid(config: Fields) -> list[str]:
    """Settings the neutral conversation has no place for, by name."""
    names = [name for name in config if name not in _SAID_ELSEWHERE and config[name] != _SAYS_NOTHING.get(name)]
    if _is_enumeration(config):
        names += [name for name in ("responseMimeType", "responseSchema") if name in config]
    return [f"{PATH}{name}" for name in names]


def _is_enumeration(config: Fields) -> bool:
    """Whether one bare word of a list is asked for, which no other provider can be held to."""
    return text(config, "responseMimeType", PATH) == "text/x.enum"


def _stops(config: Fields) -> list[str]:
    stops = records(config.get("stopSequences"), f"{PATH}stopSequences")
    if any(not isinstance(stop, str) for stop in stops):
        raise InvalidRequest("The field `generationConfig.stopSequences` must be a list of strings.")
    return stops
