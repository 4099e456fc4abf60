"""Read a Responses request into the sandbox's own form."""

from collections.abc import Iterator
from typing import Any

import msgspec

from monkey_coder_server.sandbox import directives, tokens
from monkey_coder_server.sandbox.catalog import Card
from monkey_coder_server.sandbox.exchange import Ask, Piece, Tool, ToolChoice
from monkey_coder_server.sandbox.identifiers import Identifiers
from monkey_coder_server.sandbox.openai_responses import input_checks, parameter_checks, tool_checks

_ENCODER = msgspec.json.Encoder()
_EFFORTS = {"none": 0, "minimal": 16, "low": 48, "medium": 160, "high": 384, "xhigh": 640, "max": 800}
_USUAL_EFFORT = {"openai": "medium", "xai": "low"}
_CHOICES: dict[object, ToolChoice] = {"none": "none", "required": "any"}
_OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output"})


def read(provider: str, card: Card, body: dict[str, Any], identifiers: Identifiers) -> Ask:
    """The request, checked as strictly as this provider checks it. Raises Refused."""
    parameter_checks.parameters(provider, card, body)
    entries = input_checks.items(provider, card, body.get("input"), identifiers)
    offered = [*(body.get("tools") or ()), *_brought(entries)]
    tool_checks.tools(provider, card, offered)
    tool_checks.choice(provider, body.get("tool_choice"), offered)
    pieces, media = _pieces(body, entries)
    wanted = (body.get("text") or {}).get("format") or {}
    said = [str(body.get("instructions")), *(piece.text for piece in pieces[-len(entries) :])]
    parameter_checks.text_format(provider, wanted, " ".join(said))
    prompt, found, results = _last_turn(entries)
    choice = body.get("tool_choice")
    reasoning = body.get("reasoning") or {}
    effort = reasoning.get("effort") or _USUAL_EFFORT[provider]
    named = isinstance(choice, dict) and choice.get("type") in {"function", "custom"}
    return Ask(
        provider=provider,
        model=str(body["model"]),
        pieces=pieces,
        system=_system(body, entries),
        prompt=prompt,
        directives=found,
        tools=tuple(_tools(offered)),
        tool_choice="any" if named else "auto" if isinstance(choice, dict) else _CHOICES.get(choice, "auto"),
        tool_name=str(choice["name"]) if named and isinstance(choice, dict) else "",
        parallel=body.get("parallel_tool_calls") is not False,
        tool_results=results,
        schema=wanted.get("schema") if wanted.get("type") == "json_schema" else None,
        json_mode=wanted.get("type") == "json_object",
        max_tokens=body.get("max_output_tokens"),
        stream=bool(body.get("stream")),
        include_usage=True,
        reasoning_tokens=_EFFORTS[effort] if card.reasons else 0,
        show_reasoning=provider == "xai" or bool(reasoning.get("summary")),
        media_tokens=media,
        echo=body,
        encrypted="reasoning.encrypted_content" in (body.get("include") or ()),
        searches=any(tool.get("type") == "web_search" for tool in offered),
    )


def _brought(entries: list[dict[str, Any]]) -> list[Any]:
    """Tools that come in the input."""
    return [tool for entry in entries if entry.get("type") == "additional_tools" for tool in entry.get("tools") or ()]


def _tools(offered: list[Any], namespace: str = "") -> Iterator[Tool]:
    for tool in offered:
        kind = tool.get("type")
        if kind == "namespace":
            yield from _tools(tool.get("tools") or [], str(tool["name"]))
        elif kind in {"function", "custom"}:
            schema = tool.get("parameters") or {}
            yield Tool(str(tool["name"]), schema, custom=kind == "custom", namespace=namespace)


def _system(body: dict[str, Any], entries: list[dict[str, Any]]) -> str:
    said = [_text(entry) for entry in entries if entry.get("role") in {"system", "developer"}]
    return "\n".join(filter(None, (str(body.get("instructions") or ""), *said)))


def _pieces(body: dict[str, Any], entries: list[dict[str, Any]]) -> tuple[tuple[Piece, ...], dict[str, int]]:
    pieces: list[Piece] = []
    media: dict[str, int] = {}
    for key in ("tools", "text", "instructions"):
        if body.get(key):
            text = _ENCODER.encode(body[key]).decode()
            pieces.append(Piece(text, tokens.count(text)))
    for entry in entries:
        text, extra = _rendered(entry, media)
        pieces.append(Piece(text, tokens.count(text) + extra + tokens.MESSAGE_OVERHEAD))
    return tuple(pieces), media


def _rendered(entry: dict[str, Any], media: dict[str, int]) -> tuple[str, int]:
    """An item as cacheable text, and the tokens of what is in it besides: images, documents, encrypted reasoning."""
    extra = 0
    shown = {key: value for key, value in entry.items() if key not in {"id", "status", "encrypted_content"}}
    for key in ("content", "output"):
        parts = shown.get(key)
        if isinstance(parts, list):
            rendered = [_part(part, media) for part in parts]
            shown[key] = [text for text, _ in rendered]
            extra += sum(number for _, number in rendered)
    extra += tokens.count(str(entry.get("encrypted_content") or ""))
    return _ENCODER.encode(shown).decode(), extra


def _part(part: dict[str, Any], media: dict[str, int]) -> tuple[Any, int]:
    kind = part.get("type")
    if kind not in {"input_image", "input_file"}:
        return part, 0
    data = str(part.get("image_url") or part.get("file_data") or part.get("file_url") or part.get("file_id") or "")
    inline = len(data.partition(",")[2]) if data.startswith("data:") else 0
    number = tokens.of_image(inline) if kind == "input_image" else tokens.of_document(inline)
    modality = "IMAGE" if kind == "input_image" else "DOCUMENT"
    media[modality] = media.get(modality, 0) + number
    return f"{data[:64]}#{len(data)}#{data[-64:]}", number


def _text(entry: dict[str, Any]) -> str:
    content = entry.get("content") if "content" in entry else entry.get("output")
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) for part in content or () if isinstance(part, dict))


def _last_turn(entries: list[dict[str, Any]]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Prompt without directives, directives, and the tool results that came after it."""
    results: list[str] = []
    for index in range(len(entries) - 1, -1, -1):
        entry = entries[index]
        if entry.get("type") in _OUTPUTS:
            results.insert(0, _text(entry))
        elif entry.get("role") == "user":
            prompt, found = directives.taken_from(_text(entry))
            return prompt, found, tuple(results)
    return "", (), tuple(results)
