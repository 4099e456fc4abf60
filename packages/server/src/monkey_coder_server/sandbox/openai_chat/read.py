"""Read a chat completions request into the sandbox's own form."""

from typing import Any

import msgspec

from monkey_coder_server.sandbox import directives, tokens
from monkey_coder_server.sandbox.catalog import Card
from monkey_coder_server.sandbox.exchange import Ask, Piece, Tool, ToolChoice
from monkey_coder_server.sandbox.openai_chat import checks
from monkey_coder_server.sandbox.wire_errors import refuse

_ENCODER = msgspec.json.Encoder()
_EFFORTS = {"none": 0, "minimal": 16, "low": 48, "medium": 160, "high": 384, "xhigh": 640, "max": 800}
_CHOICES: dict[object, ToolChoice] = {"none": "none", "required": "any", "any": "any"}


def read(provider: str, card: Card, body: dict[str, Any]) -> Ask:
    """The request, checked as strictly as this provider checks it. Raises Refused."""
    checks.parameters(provider, card, body)
    entries = checks.messages(provider, card, body.get("messages"))
    checks.tools(body.get("tools"))
    pieces, media = _pieces(body, entries)
    system = "\n".join(_text(entry) for entry in entries if entry["role"] in {"system", "developer"})
    prompt, found, results = _last_turn(entries)
    wanted = body.get("response_format") or {}
    checks.response_format(provider, wanted, " ".join(piece.text for piece in pieces[-len(entries) :]))
    choice = body.get("tool_choice")
    reasoning = _reasoning(card, body)
    inline = (provider == "perplexity" and "deep-research" not in card.id) or (
        provider == "groq" and _groq_inlines(card, body)
    )
    return Ask(
        provider=provider,
        model=str(body["model"]),
        pieces=pieces,
        system=system,
        prompt=prompt,
        directives=found,
        tools=tuple(_tool(entry["function"]) for entry in body.get("tools") or ()),
        tool_choice="any" if isinstance(choice, dict) else _CHOICES.get(choice, "auto"),
        tool_name=(choice.get("function") or {}).get("name", "") if isinstance(choice, dict) else "",
        parallel=body.get("parallel_tool_calls") is not False,
        tool_results=results,
        schema=(wanted.get("json_schema") or {}).get("schema") if wanted.get("type") == "json_schema" else None,
        json_mode=wanted.get("type") == "json_object",
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        limit_covers_reasoning=provider != "xai",
        stop=_stop(body.get("stop")),
        stream=bool(body.get("stream")),
        include_usage=bool((body.get("stream_options") or {}).get("include_usage")),
        reasoning_tokens=reasoning,
        show_reasoning=_shows(provider, card, body),
        inline_reasoning=inline,
        media_tokens=media,
    )


def _reasoning(card: Card, body: dict[str, Any]) -> int:
    if not card.reasons or (body.get("thinking") or {}).get("type") == "disabled":
        return 0
    effort = body.get("reasoning_effort")
    if effort is not None and effort not in _EFFORTS:
        message = f"Invalid value: '{effort}'. Supported values are: 'minimal', 'low', 'medium', and 'high'."
        refuse("invalid", message, param="reasoning_effort", code="invalid_value")
    return _EFFORTS[effort or "medium"]


def _shows(provider: str, card: Card, body: dict[str, Any]) -> bool:
    if provider == "xai":
        return card.id.startswith(("grok-3-mini", "grok-code"))
    if provider == "groq":
        return body.get("reasoning_format") != "hidden" and body.get("include_reasoning") is not False
    return provider == "moonshot"


def _groq_inlines(card: Card, body: dict[str, Any]) -> bool:
    return "gpt-oss" not in card.id and body.get("reasoning_format") in {None, "raw"}


def _tool(function: dict[str, Any]) -> Tool:
    return Tool(str(function["name"]), function.get("parameters") or {})


def _stop(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(word) for word in value) if isinstance(value, list) else ()


def _pieces(body: dict[str, Any], entries: list[dict[str, Any]]) -> tuple[tuple[Piece, ...], dict[str, int]]:
    pieces: list[Piece] = []
    media: dict[str, int] = {}
    for key in ("tools", "response_format"):
        if body.get(key):
            text = _ENCODER.encode(body[key]).decode()
            pieces.append(Piece(text, tokens.count(text)))
    for index, entry in enumerate(entries):
        text, extra = _rendered(index, entry, media)
        pieces.append(Piece(text, tokens.count(text) + extra + tokens.MESSAGE_OVERHEAD))
    return tuple(pieces), media


def _rendered(index: int, entry: dict[str, Any], media: dict[str, int]) -> tuple[str, int]:
    """A message as cacheable text, and the tokens of its images and documents."""
    content = entry.get("content")
    parts: list[str] = [str(entry["role"])]
    extra = 0
    if isinstance(content, str):
        parts.append(content)
    for part in content if isinstance(content, list) else ():
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in {"text", "refusal"}:
            parts.append(str(part.get("text", part.get("refusal", ""))))
        elif kind == "image_url":
            url = str((part.get("image_url") or {}).get("url", ""))
            extra += _count_media(media, "IMAGE", tokens.of_image(_inline_length(url)))
            parts.append(f"{url[:64]}#{len(url)}#{url[-64:]}")
        elif kind == "file":
            data = str((part.get("file") or {}).get("file_data", ""))
            extra += _count_media(media, "DOCUMENT", tokens.of_document(_inline_length(data)))
            parts.append(f"{data[:64]}#{len(data)}#{data[-64:]}")
        else:
            message = f"Invalid 'messages[{index}]'. Content blocks are expected to be either text or image_url type."
            refuse("invalid", message, param=f"messages[{index}]", code="invalid_value")
    if entry.get("tool_calls"):
        parts.append(_ENCODER.encode(entry["tool_calls"]).decode())
    if entry.get("reasoning_content"):
        parts.append(str(entry["reasoning_content"]))
    return "\x1f".join(parts), extra


def _count_media(media: dict[str, int], modality: str, number: int) -> int:
    media[modality] = media.get(modality, 0) + number
    return number


def _inline_length(url: str) -> int:
    return len(url.partition(",")[2]) if url.startswith("data:") else 0


def _text(entry: dict[str, Any]) -> str:
    content = entry.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(
        str(part.get("text", "")) for part in parts if isinstance(part, dict) and part.get("type") == "text"
    )


def _last_turn(entries: list[dict[str, Any]]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Prompt without directives, directives, and the tool results that came after it."""
    results: list[str] = []
    for entry in reversed(entries):
        if entry["role"] == "tool":
            results.insert(0, _text(entry))
        elif entry["role"] == "user":
            prompt, found = directives.taken_from(_text(entry))
            return prompt, found, tuple(results)
    return "", (), tuple(results)
