"""Writes tools, tool choice and the output format."""

from monkey_coder_server.dialects.anthropic_messages.content import Block, cache_control
from monkey_coder_server.dialects.anthropic_messages.names import DIALECT
from monkey_coder_server.dialects.anthropic_messages.unbillable import refuse_unbillable_tool
from monkey_coder_server.dialects.free_text import FREE_TEXT, description_with_grammar
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.conversation import Json, ModelRequest, OutputFormat, Tool
from monkey_coder_server.domain.errors import InvalidRequest

JSON_ONLY = "Answer with one JSON object and nothing else: no prose, no code fence."
"""What stands for OpenAI's `json_object` mode, which the Messages API does not have."""


def write_tool(tool: Tool) -> Block:
    """One tool; a server tool is replayed raw, but only if it is Anthropic's own."""
    if tool.server is not None:
        if tool.dialect != DIALECT or not isinstance(tool.server, dict):
            sentence = f"The tool {tool.name} is run by another provider and cannot be offered to Claude."
            raise InvalidRequest(sentence)
        refuse_unbillable_tool(tool.server)
        return dict(tool.server)
    written: Block = {"name": tool.name}
    if (description := description_with_grammar(tool)) is not None:
        written["description"] = description
    written["input_schema"] = _object_schema(tool)
    if tool.strict:
        written["strict"] = True
    if tool.cache is not None:
        written["cache_control"] = cache_control(tool.cache)
    return written


def write_tool_choice(request: ModelRequest) -> Block | None:
    """`tool_choice`, or None where the API's default says the same."""
    choice = request.tool_choice
    if choice is None or not request.tools:
        return None
    if choice.mode == "none":
        return {"type": "none"}
    kind = {"auto": "auto", "required": "any", "named": "tool"}[choice.mode]
    written: Block = {"type": kind}
    if choice.mode == "named":
        written["name"] = choice.name
    if choice.parallel is False:
        written["disable_parallel_tool_use"] = True
    return None if written == {"type": "auto"} else written


def write_output_format(output: OutputFormat | None, card: ModelCard) -> Block | None:
    """`output_config.format`. Refused for a model without structured output: a forced tool would change the answer."""
    if output is None or output.kind == "json":
        return None
    if Capability.STRUCTURED not in card.capabilities:
        sentence = f"{card.display_name} cannot be held to a JSON schema; choose a model with structured output."
        raise InvalidRequest(sentence)
    return {"type": "json_schema", "schema": _closed(dict(output.schema or {"type": "object"}))}


def _object_schema(tool: Tool) -> Block:
    if tool.schema is None:
        return FREE_TEXT
    schema = dict(tool.schema)
    schema.setdefault("type", "object")
    return schema


def _closed(schema: Json) -> Json:
    """The schema with every object closed to further properties, which Anthropic demands."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    written = {name: _closed(value) for name, value in schema.items()}
    if written.get("type") == "object":
        written.setdefault("additionalProperties", False)
    return written
