"""How a free-form tool is said where only JSON can be: a function whose one string, `input`, is its text."""

from typing import Final

from monkey_coder_server.domain.conversation import Json, Tool

FREE_TEXT: Final[dict[str, Json]] = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}
"""The schema of such a function."""


def description_with_grammar(tool: Tool) -> str | None:
    """The tool's description, and the grammar its text must match: nothing else would tell the model."""
    if tool.grammar is None:
        return tool.description
    rule = f"The string `input` must match this {tool.grammar.syntax} grammar:\n{tool.grammar.definition}"
    return f"{tool.description}\n\n{rule}" if tool.description else rule
