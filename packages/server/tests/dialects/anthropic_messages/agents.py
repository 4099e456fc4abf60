"""Requests in the shape agents send them, each with what the public schema does not list, and their next turn."""

from typing import Any

EPHEMERAL = {"type": "ephemeral"}
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
WRITE = {"name": "Write", "description": "Write a file.", "input_schema": SCHEMA}
USER_ID = '{"device_id":"0f","account_uuid":"","session_id":"77"}'
BILLING_LINE = {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1; cc_entrypoint=cli;"}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def call(identifier: str = "toolu_1", **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": identifier, "name": "Write", "input": arguments}


def result(said: str, identifier: str = "toolu_1", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": identifier, "content": said, **more}


def claude_code(*turns: dict[str, Any]) -> dict[str, Any]:
    """Claude Code 2.1: a billing line, a system turn in mid-conversation, fields of four betas."""
    asked = [text("<system-reminder>\nToday is Monday.\n</system-reminder>"), text("write hello.txt")]
    return {
        "model": "mk-auto",
        "messages": [
            {"role": "user", "content": asked},
            {"role": "system", "content": "Available agent types: claude."},
            *turns,
        ],
        "system": [
            BILLING_LINE,
            text("You are an agent.", cache_control=EPHEMERAL),
            text("\nYou help.", cache_control=EPHEMERAL),
        ],
        "tools": [WRITE],
        "metadata": {"user_id": USER_ID},
        "max_tokens": 32000,
        "thinking": {"type": "adaptive"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "output_config": {"effort": "high"},
        "stream": True,
    }


def claude_code_next() -> dict[str, Any]:
    """The turn after its tool call; the cache mark has moved."""
    done = result("File created.", cache_control=EPHEMERAL)
    return claude_code({"role": "assistant", "content": [call(path="hello.txt")]}, {"role": "user", "content": [done]})


def opencode() -> dict[str, Any]:
    """opencode 1.18 through the AI SDK: cache marks on calls and results."""
    return {
        "model": "claude-sonnet-4-5",
        "max_tokens": 32000,
        "system": [text("You are opencode.", cache_control=EPHEMERAL)],
        "messages": [
            {"role": "user", "content": [text("write hello.txt")]},
            {"role": "assistant", "content": [call(path="hello.txt") | {"cache_control": EPHEMERAL}]},
            {"role": "user", "content": [result("Wrote it.", cache_control=EPHEMERAL)]},
        ],
        "tools": [WRITE],
        "tool_choice": {"type": "auto"},
        "stream": True,
    }


def aider() -> dict[str, Any]:
    """aider 0.86 through litellm: text alone, a temperature, no tools."""
    return {
        "model": "claude-sonnet-4-5",
        "messages": [
            {"role": "user", "content": [text("I switched to a new code base.")]},
            {"role": "assistant", "content": "Ok."},
            {"role": "user", "content": [text("write hello.txt")]},
        ],
        "temperature": 0,
        "system": [text("Act as an expert software developer.")],
        "max_tokens": 64000,
        "stream": True,
    }


def llm() -> dict[str, Any]:
    """simonw/llm 0.36 through the official SDK."""
    return {
        "max_tokens": 64000,
        "messages": [{"role": "user", "content": [text("write hello.txt")]}],
        "model": "claude-sonnet-4-5",
        "tools": [WRITE],
        "stream": True,
        "temperature": 1.0,
    }


ALL = {
    "claude-code": claude_code(),
    "claude-code-next": claude_code_next(),
    "opencode": opencode(),
    "aider": aider(),
    "llm": llm(),
}
