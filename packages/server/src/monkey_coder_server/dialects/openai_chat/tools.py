"""Writes tools, the choice among them and the form an answer is to have."""

from monkey_coder_server.dialects.free_text import FREE_TEXT, description_with_grammar
from monkey_coder_server.dialects.openai_chat.messages import DIALECT
from monkey_coder_server.dialects.openai_chat.quirks import Quirks
from monkey_coder_server.dialects.strict_schema import held_to, strict_schema
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.conversation import Json, OutputFormat, Tool, ToolChoice
from monkey_coder_server.domain.errors import InvalidRequest

JSON_ONLY = "Answer with one JSON object and nothing else."


def write_tool(tool: Tool, quirks: Quirks) -> Json:
    """One entry of `tools`. Raises `InvalidRequest` for a tool that some provider is to run itself."""
    if tool.server is not None:
        message = f"The tool {tool.name!r} is run by {_runner(tool)} and cannot be used with this model."
        raise InvalidRequest(message)
    described: dict[str, Json] = {"name": tool.name}
    if tool.schema is None and quirks.custom_tools:
        return {"type": "custom", "custom": described | _free_form(tool)}
    if (description := description_with_grammar(tool)) is not None:
        described["description"] = description
    described["parameters"] = FREE_TEXT if tool.schema is None else tool.schema
    if tool.strict is not None:
        described |= held_to(tool.schema, "parameters", strict=tool.strict)
    return {"type": "function", "function": described}


def write_tool_choice(choice: ToolChoice, tools: tuple[Tool, ...], quirks: Quirks) -> Json:
    """`tool_choice`; a provider that cannot be told that a tool is required is left the choice."""
    if choice.mode == "named":
        free = any(tool.name == choice.name and tool.schema is None for tool in tools)
        kind = "custom" if free and quirks.custom_tools else "function"
        return {"type": kind, kind: {"name": choice.name}}
    if choice.mode == "required" and not quirks.requires_tools:
        return "auto"
    return choice.mode


def write_output(output: OutputFormat, card: ModelCard, quirks: Quirks, *, dialect: str | None) -> Json:
    """`response_format`; None where the provider has no word for it.

    The formats of the Anthropic and Gemini dialects always hold the model to the schema; OpenAI's do where they say so.
    """
    if output.schema is None or Capability.STRUCTURED not in card.capabilities:
        return {"type": "json_object"} if quirks.json_object else None
    written: dict[str, Json] = {"name": output.name, "schema": output.schema}
    if output.strict is not None:
        written |= held_to(output.schema, "schema", strict=output.strict)
    elif dialect is not None and not dialect.startswith("openai") and (schema := strict_schema(output.schema)):
        written |= {"schema": schema, "strict": True}
    return {"type": "json_schema", "json_schema": written}


def output_in_words(output: OutputFormat | None, card: ModelCard, quirks: Quirks, schema_text: str) -> str | None:
    """What a model is told that cannot be held to a form otherwise. `schema_text` is the schema's JSON."""
    if output is None:
        return None
    if output.schema is None:
        return None if quirks.json_object else JSON_ONLY
    if Capability.STRUCTURED in card.capabilities:
        return None
    return f"{JSON_ONLY} It must satisfy this JSON Schema:\n{schema_text}"


def _runner(tool: Tool) -> str:
    return "another provider" if tool.dialect != DIALECT else "the provider itself, at a price of its own,"


def _free_form(tool: Tool) -> dict[str, Json]:
    described: dict[str, Json] = {}
    if tool.description is not None:
        described["description"] = tool.description
    if tool.grammar is not None:
        grammar = {"syntax": tool.grammar.syntax, "definition": tool.grammar.definition}
        described["format"] = {"type": "grammar", "grammar": grammar}
    return described
