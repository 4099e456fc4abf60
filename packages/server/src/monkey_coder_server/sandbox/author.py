"""Decide what the simulated model says: tool calls, structured output, code or prose, cut to the request's limits."""

import re
from dataclasses import replace
from hashlib import blake2b
from random import Random
from typing import Any

import msgspec

from monkey_coder_server.sandbox import tokens
from monkey_coder_server.sandbox.answers import compose, thoughts
from monkey_coder_server.sandbox.directives import Directive
from monkey_coder_server.sandbox.exchange import Ask, Reply, Tool, ToolCall
from monkey_coder_server.sandbox.schema_instance import instance

WEB_SEARCH = "web_search"
"""Named by a directive, it is run by the provider, `parallel` times."""
REFUSAL_TEXT = "I'm sorry, but I can't assist with that request."
CALL_OVERHEAD = 8
_ASKS_FOR_TOOL = re.compile(r"\b(?:use|call) the (?:tool )?[`'\"]?([\w.-]+)[`'\"]?(?: tool\b)?", re.IGNORECASE)
_FREE_TEXT = "*** Begin Patch\n*** Add File: hello.txt\n+hello\n*** End Patch\n"
"""What a free-form tool is given unless the directive says otherwise: a patch, which is what agents use them for."""
_ENCODER = msgspec.json.Encoder()


def write(ask: Ask, directive: Directive, seed: int) -> Reply:
    """The reply to a request: a pure function of request, directive and seed."""
    random = Random(_digest(seed, ask))
    if directive.fault == "empty":
        return Reply()
    reasoning = _reasoning(ask, directive, random)
    if ask.inline_reasoning and directive.fault in {"refusal", "content_filter"}:
        reasoning = ""  # it would stand in the text, and there is none
    if directive.fault == "refusal":
        return Reply(
            refusal=REFUSAL_TEXT,
            text_tokens=tokens.count(REFUSAL_TEXT),
            reasoning=reasoning,
            reasoning_tokens=tokens.count(reasoning),
            finish="refusal",
        )
    if directive.fault == "content_filter":
        return Reply(reasoning=reasoning, reasoning_tokens=tokens.count(reasoning), finish="content_filter")
    calls = () if directive.text is not None else _tool_calls(ask, directive, random)
    if calls:
        return _limited(
            ask,
            Reply(
                tool_calls=calls,
                finish="tool_calls",
                reasoning=reasoning,
                reasoning_tokens=tokens.count(reasoning),
                text_tokens=sum(call_tokens(call) for call in calls),
            ),
            directive.fault,
        )
    text = _text(ask, directive, random)
    if ask.inline_reasoning and reasoning:
        text, reasoning = f"<think>\n{reasoning}\n</think>\n\n{text}", ""
    text, stopped_by = _stopped(text, ask.stop)
    return _limited(
        ask,
        Reply(
            searches=directive.parallel if ask.searches and directive.tool == WEB_SEARCH else 0,
            text=text,
            text_tokens=tokens.count(text),
            reasoning=reasoning,
            reasoning_tokens=tokens.count(reasoning),
            finish="stop_sequence" if stopped_by else "stop",
            stop_sequence=stopped_by,
        ),
        directive.fault,
    )


def call_tokens(call: ToolCall) -> int:
    """Output tokens of one tool call."""
    if call.custom:
        return CALL_OVERHEAD + tokens.count(call.name) + tokens.count(call.text)
    return CALL_OVERHEAD + tokens.count(call.name) + tokens.count(_ENCODER.encode(call.arguments).decode())


def _digest(seed: int, ask: Ask) -> bytes:
    parts = (str(seed), ask.provider, ask.model, ask.system, ask.prompt, *ask.tool_results)
    return blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _reasoning(ask: Ask, directive: Directive, random: Random) -> str:
    wanted = ask.reasoning_tokens if directive.reasoning_tokens is None else directive.reasoning_tokens
    return thoughts(ask.prompt, wanted, random) if wanted > 0 else ""


def _tool_calls(ask: Ask, directive: Directive, random: Random) -> tuple[ToolCall, ...]:
    chosen = _chosen_tools(ask, directive)
    if not chosen:
        return ()
    copies = directive.parallel if ask.parallel else 1
    wanted = [chosen[index % len(chosen)] for index in range(max(copies, len(chosen) if ask.parallel else 1))]
    return tuple(_call(tool, directive, random) for tool in wanted)


def _call(tool: Tool, directive: Directive, random: Random) -> ToolCall:
    if not tool.custom:
        return ToolCall(tool.name, _arguments(tool, directive, random), namespace=tool.namespace)
    text = str((directive.args or {}).get("input", _FREE_TEXT))
    return ToolCall(tool.name, {}, custom=True, text=text, namespace=tool.namespace)


def _chosen_tools(ask: Ask, directive: Directive) -> list[Tool]:
    if not ask.tools or ask.tool_choice == "none":
        return []
    offered = {tool.name: tool for tool in ask.tools}
    if ask.tool_name:
        return [offered[ask.tool_name]] if ask.tool_name in offered else []
    if directive.tool and not ask.tool_results and not (ask.searches and directive.tool == WEB_SEARCH):
        names = [name.strip() for name in directive.tool.split(",")]
        return [offered[name] for name in names if name in offered] or [ask.tools[0]]
    if not ask.tool_results:
        named = [match for match in _ASKS_FOR_TOOL.findall(ask.prompt) if match in offered]
        if named:
            return [offered[name] for name in dict.fromkeys(named)]
    return [ask.tools[0]] if ask.tool_choice == "any" else []


def _arguments(tool: Tool, directive: Directive, random: Random) -> dict[str, Any]:
    if directive.args is not None:
        return directive.args
    made = instance(tool.schema or {"type": "object"}, random)
    return made if isinstance(made, dict) else {}


def _text(ask: Ask, directive: Directive, random: Random) -> str:
    if directive.text is not None:
        text = directive.text
    elif ask.schema is not None:
        text = _ENCODER.encode(instance(ask.schema, random)).decode()
    elif ask.json_mode:
        text = _ENCODER.encode({"answer": f"Done: {ask.prompt[:60].strip()}", "steps": random.randint(1, 5)}).decode()
    elif ask.tool_results:
        text = _about_results(ask.tool_results, random)
    else:
        text = compose(ask.prompt, ask.system, random)
    if directive.output_tokens is not None:
        text = _of_length(text, directive.output_tokens * tokens.CHARACTERS_PER_TOKEN)
    return text


def _of_length(text: str, characters: int) -> str:
    filler = text or "Nothing to add. "
    return (filler * (characters // len(filler) + 1))[:characters]


def _about_results(results: tuple[str, ...], random: Random) -> str:
    opening = random.choice(("The tool answered", "Here is what came back", "From the tool I learned"))
    shown = "\n".join(f"- {result.strip()[:400] or '(nothing)'}" for result in results)
    closing = random.choice(
        ("That settles the question.", "Nothing more needs to be called.", "This completes the step.")
    )
    return f"{opening}:\n\n{shown}\n\n{closing}"


def _stopped(text: str, stop: tuple[str, ...]) -> tuple[str, str | None]:
    found = [(text.find(word), word) for word in stop if word and word in text]
    if not found:
        return text, None
    position, word = min(found)
    return text[:position], word


def _limited(ask: Ask, reply: Reply, fault: str) -> Reply:
    """Cut a reply to the request's output limit; where the provider counts reasoning, that comes first."""
    if ask.max_tokens is None or fault == "no_limit":
        return reply
    room = ask.max_tokens
    if ask.limit_covers_reasoning:
        if reply.reasoning_tokens >= room:
            kept = reply.reasoning[: room * tokens.CHARACTERS_PER_TOKEN]
            return Reply(reasoning=kept, reasoning_tokens=room, finish="length")
        room -= reply.reasoning_tokens
    if reply.text_tokens <= room:
        return reply
    kept = reply.text[: room * tokens.CHARACTERS_PER_TOKEN]
    return replace(reply, text=kept, tool_calls=(), text_tokens=tokens.count(kept), finish="length", stop_sequence=None)
