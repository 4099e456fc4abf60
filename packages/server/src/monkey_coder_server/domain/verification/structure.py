"""JSON where JSON was asked for: the whole answer, and the arguments of tool calls."""

import json
from typing import Any

from monkey_coder_server.domain.conversation import ModelRequest, Tool, ToolCall
from monkey_coder_server.domain.stream_events import Answer, FinishReason
from monkey_coder_server.domain.verification.json_schema import Undecided, mismatch
from monkey_coder_server.domain.verification.verdict import Check, Finding, failed, not_applicable, passed

MOST_JSON = 200_000
"""Characters that are parsed."""


def structured(request: ModelRequest, text: str) -> tuple[Finding, Finding]:
    """Whether the text is JSON, and of the schema that was asked for."""
    unasked = "No JSON was asked for."
    if request.output is None:
        return not_applicable(Check.JSON, unasked), not_applicable(Check.SCHEMA, unasked)
    if not text.strip():
        silent = "There is no text to read."
        return not_applicable(Check.JSON, silent), not_applicable(Check.SCHEMA, silent)
    try:
        value = read_json(text)
    except Undecided:
        unread = "The answer is too long or too deep to be read."
        return not_applicable(Check.JSON, unread), not_applicable(Check.SCHEMA, unread)
    except ValueError as error:
        return failed(Check.JSON, f"The answer is not JSON: {error}."), not_applicable(Check.SCHEMA, "It is not JSON.")
    return passed(Check.JSON, "The answer is JSON."), _against_schema(request, value)


def tool_calls(request: ModelRequest, answer: Answer) -> Finding:
    """Whether every call names a tool that was offered, with arguments its schema takes."""
    if answer.finish is FinishReason.MALFORMED_CALL:
        return failed(Check.TOOL_CALLS, "The model tried to call a tool and failed.")
    if not answer.calls:
        return not_applicable(Check.TOOL_CALLS, "No tool was called.")
    offered = {tool.name: tool for tool in request.tools}
    elsewhere = bool(request.source and request.source.server_tools) or any(tool.server for tool in request.tools)
    unknown = 0
    for call in answer.calls:
        tool = offered.get(call.name)
        try:
            problem = _call_problem(call, tool, elsewhere=elsewhere)
        except Undecided:
            unknown += 1
            continue
        if problem:
            return failed(Check.TOOL_CALLS, problem)
    if unknown == len(answer.calls):
        return not_applicable(Check.TOOL_CALLS, "The arguments could not be judged.")
    return passed(Check.TOOL_CALLS, "Every call fits its tool.")


def read_json(text: str) -> Any:
    """Parse a bounded text. Raises `Undecided` where it is too long, too deep or counts too far, else `ValueError`."""
    if len(text) > MOST_JSON:
        raise Undecided
    try:
        return json.loads(text, parse_constant=_no_value)
    except json.JSONDecodeError as error:
        message = f"{error.msg} in line {error.lineno}"
        raise ValueError(message) from None
    except (RecursionError, ValueError):  # a number of more than 4,300 digits is JSON, yet not read
        raise Undecided from None


def _no_value(word: str) -> Any:
    message = f"{word} is no value"
    raise json.JSONDecodeError(message, "", 0)


def _against_schema(request: ModelRequest, value: Any) -> Finding:
    schema = request.output.schema if request.output else None
    if not schema:
        return not_applicable(Check.SCHEMA, "No schema was given.")
    try:
        problem = mismatch(value, schema)
    except Undecided:
        return not_applicable(Check.SCHEMA, "The schema could not be applied.")
    return failed(Check.SCHEMA, problem) if problem else passed(Check.SCHEMA, "The answer fits the schema.")


def _call_problem(call: ToolCall, tool: Tool | None, *, elsewhere: bool) -> str | None:
    """Why a call cannot be made. Raises `Undecided` where that cannot be told."""
    if tool is None:
        if elsewhere:
            raise Undecided
        return "A tool was called that was not offered."
    if call.custom or tool.schema is None:
        raise Undecided
    try:
        arguments = read_json(call.arguments or "{}")
    except ValueError as error:
        return f"The arguments for {tool.name} are not JSON: {error}."
    if not isinstance(arguments, dict):
        return f"The arguments for {tool.name} are no object."
    problem = mismatch(arguments, tool.schema)
    return f"The arguments for {tool.name} do not fit: {problem}" if problem else None
