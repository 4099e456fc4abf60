"""Requests of the great audit in OpenAI Responses: passed on to providers that speak it, translated for others."""

from random import Random
from typing import Any

PATH = "/v1/responses"
MODELS = (
    "openai/gpt-5-mini",
    "xai/grok-4.3",
    "openai/gpt-6-sol",
    "anthropic/claude-haiku-4-5",
    "openai/gpt-5.3-codex",
    "xai/grok-3-mini",
    "google/gemini-2.5-flash",
    "openai/gpt-4.1-mini",
    "moonshot/kimi-k3",
)
FAULTS = ("429", "500", "reset", "cut", "eof", "garbage", "error_event", "no_end", "crlf", "refusal", "empty")
_SEARCHING = frozenset({"openai/gpt-5-mini", "openai/gpt-6-sol", "openai/gpt-4.1-mini"})
_WRITE = {
    "type": "function",
    "name": "write_file",
    "description": "Write a file.",
    "parameters": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
}
_PATCH = {
    "type": "custom",
    "name": "apply_patch",
    "description": "Change files.",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: /.+/s"},
}


def body_of(prompt: str, kind: str, *, turn: int, random: Random) -> dict[str, Any]:
    """The request of one kind; `turn` counts the earlier ones of this kind."""
    manner = kind.partition(", ")[2]
    model = MODELS[turn % len(MODELS)]
    stream = manner in {"streamed", "hang-up"} or (manner == "fault" and turn % 3 > 0)
    body: dict[str, Any] = {"model": model, "store": turn % 2 == 0, "prompt_cache_key": "audit"}
    if stream:
        body["stream"] = True
    if manner == "fault":
        fault = FAULTS[turn % len(FAULTS)]
        return body | _said(f"{prompt} [[sandbox fault={fault} after={random.randint(0, 9)} output_tokens=400]]")
    if manner == "hang-up":
        return body | _said(f"{prompt} [[sandbox output_tokens=400 tokens_per_second=4000]]")
    match turn % 4:
        case 0:
            tools = {"tools": [_WRITE, _PATCH], "parallel_tool_calls": turn % 8 == 0}
            return body | tools | _said(f"{prompt} [[sandbox tool=write_file,apply_patch]]")
        case 1 if model in _SEARCHING:
            searching = f"{prompt} [[sandbox tool=web_search parallel={random.randint(1, 3)}]]"
            return body | {"tools": [{"type": "web_search"}]} | _said(searching)
        case 2:
            length = random.choice((300, 900))
            return body | {"max_output_tokens": 200} | _said(f"{prompt} [[sandbox output_tokens={length}]]")
        case _:
            shared = f"The rules of {model}. " * 400
            return body | {"instructions": shared, "reasoning": {"summary": "auto"}} | _said(prompt)


def _said(prompt: str) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": [{"type": "input_text", "text": prompt}]}]}
