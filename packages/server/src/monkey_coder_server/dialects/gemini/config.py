"""Writes `generationConfig`, tools and tool choice."""

from monkey_coder_server.dialects.free_text import FREE_TEXT, description_with_grammar
from monkey_coder_server.dialects.gemini.content import Record
from monkey_coder_server.dialects.gemini.names import DIALECT
from monkey_coder_server.dialects.gemini.traits import ModelTraits
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.conversation import ModelRequest, Reasoning, Tool
from monkey_coder_server.domain.errors import InvalidRequest

_STOPS = 5
"""How many `stopSequences` one request may hold (ai.google.dev, GenerationConfig)."""


def write_config(request: ModelRequest, *, card: ModelCard, traits: ModelTraits) -> Record:
    """`generationConfig`. The length is always bounded, so that a hold can be."""
    sampling = request.sampling
    wanted = card.max_output_tokens if sampling.max_tokens is None else sampling.max_tokens
    config: Record = {"maxOutputTokens": min(wanted, card.max_output_tokens)}
    if len(sampling.stop) > _STOPS:
        sentence = f"Gemini takes at most {_STOPS} stop sequences, not {len(sampling.stop)}."
        raise InvalidRequest(sentence)
    if stops := [stop for stop in sampling.stop if stop]:
        config["stopSequences"] = stops
    if sampling.seed is not None:
        config["seed"] = sampling.seed
    if not card.fixed_temperature:
        config |= _given(
            temperature=sampling.temperature,
            topP=sampling.top_p,
            topK=sampling.top_k,
            presencePenalty=sampling.presence_penalty or None,
            frequencyPenalty=sampling.frequency_penalty or None,
        )
    config |= _output(request, card=card, traits=traits)
    if request.reasoning is not None and Capability.REASONING in card.capabilities:
        config |= _given(thinkingConfig=write_thinking(request.reasoning, traits) or None)
    return config


def write_tools(tools: tuple[Tool, ...]) -> list[Record]:
    """Functions in one entry, each of Google's own tools in one more."""
    functions = [_function(tool) for tool in tools if tool.server is None]
    written: list[Record] = [{"functionDeclarations": functions}] if functions else []
    for tool in tools:
        if tool.server is None:
            continue
        if tool.dialect != DIALECT or not isinstance(tool.server, dict):
            sentence = f"The tool {tool.name} is run by another provider and cannot be offered to Gemini."
            raise InvalidRequest(sentence)
        written.append(dict(tool.server))
    return written


def write_tool_config(request: ModelRequest) -> Record | None:
    """`toolConfig`; Gemini has no word for "at most one call"."""
    choice = request.tool_choice
    if choice is None or not any(tool.server is None for tool in request.tools):
        return None
    mode = {"auto": "AUTO", "none": "NONE", "required": "ANY", "named": "ANY"}[choice.mode]
    calling: Record = {"mode": mode}
    if choice.mode == "named":
        calling["allowedFunctionNames"] = [choice.name]
    return {"functionCallingConfig": calling}


def _function(tool: Tool) -> Record:
    written: Record = {"name": tool.name}
    if (description := description_with_grammar(tool)) is not None:
        written["description"] = description
    written["parametersJsonSchema"] = FREE_TEXT if tool.schema is None else dict(tool.schema)
    return written


def _output(request: ModelRequest, *, card: ModelCard, traits: ModelTraits) -> Record:
    output = request.output
    if output is None:
        return {}
    if request.tools and not traits.calls_with_schema:
        sentence = f"{card.display_name} cannot answer in JSON and call tools in one request; drop one of the two."
        raise InvalidRequest(sentence)
    written: Record = {"responseMimeType": "application/json"}
    if output.kind == "json_schema":
        if Capability.STRUCTURED not in card.capabilities:
            sentence = f"{card.display_name} cannot be held to a JSON schema; choose a model with structured output."
            raise InvalidRequest(sentence)
        written["responseJsonSchema"] = dict(output.schema or {"type": "object"})
    return written


def write_thinking(reasoning: Reasoning, traits: ModelTraits) -> Record:
    """`thinkingConfig`; where thinking cannot be turned off, its lowest setting."""
    if not reasoning.enabled or reasoning.effort == "none":
        if traits.levels:
            return {"thinkingLevel": traits.levels[0]}
        if traits.budget is None:
            return {}
        return {"thinkingBudget": 0 if traits.can_rest else traits.budget[0]}
    return {
        "includeThoughts": reasoning.include_text,
        **_given(
            thinkingLevel=traits.level(reasoning.effort, reasoning.budget_tokens) if traits.levels else None,
            thinkingBudget=traits.thinking_budget(reasoning.effort, reasoning.budget_tokens),
        ),
    }


def _given(**fields: object) -> Record:
    return {name: value for name, value in fields.items() if value is not None}
