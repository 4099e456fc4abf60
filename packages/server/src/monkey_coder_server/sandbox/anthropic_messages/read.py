"""Read a messages request into the sandbox's own form."""

from typing import Any

import msgspec

from monkey_coder_server.sandbox import directives, tokens
from monkey_coder_server.sandbox.anthropic_messages import checks
from monkey_coder_server.sandbox.catalog import Card
from monkey_coder_server.sandbox.exchange import Ask, Piece, Tool, ToolChoice
from monkey_coder_server.sandbox.identifiers import Identifiers
from monkey_coder_server.sandbox.wire_errors import refuse

_ENCODER = msgspec.json.Encoder()
_CHOICES: dict[object, ToolChoice] = {"none": "none", "any": "any", "tool": "any"}
_EFFORTS = {"low": 32, "medium": 80, "high": 120, "xhigh": 200, "max": 320}
_LIFETIMES = {"5m": 300, "1h": 3_600}


def read(card: Card, body: dict[str, Any], identifiers: Identifiers, *, counting: bool = False) -> Ask:
    """The request, checked as strictly as the API checks it. Raises Refused."""
    checks.parameters(card, body, counting=counting)
    entries = checks.messages(body.get("messages"), str(body["model"]))
    choice = body.get("tool_choice") or {}
    checks.tools(body.get("tools"), choice)
    checks.signatures(entries, body, identifiers)
    pieces, media = _pieces(body, entries)
    checks.breakpoints([piece.cache_seconds for piece in pieces if piece.cache_seconds])
    prompt, found, results = _last_turn(entries)
    thinking = body.get("thinking") or {}
    wanted = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    return Ask(
        provider="anthropic",
        model=str(body["model"]),
        pieces=pieces,
        system="\n".join(str(block.get("text", "")) for block in _system(body)),
        prompt=prompt,
        directives=found,
        tools=tuple(
            Tool(str(entry["name"]), entry["input_schema"])
            for entry in body.get("tools") or ()
            if "input_schema" in entry
        ),
        tool_choice=_CHOICES.get(choice.get("type"), "auto"),
        tool_name=str(choice.get("name", "")) if choice.get("type") == "tool" else "",
        parallel=not choice.get("disable_parallel_tool_use"),
        tool_results=results,
        schema=wanted.get("schema") if wanted.get("type") == "json_schema" else None,
        max_tokens=body.get("max_tokens"),
        stop=tuple(str(word) for word in body.get("stop_sequences") or ()),
        stream=bool(body.get("stream")),
        include_usage=True,
        reasoning_tokens=_thinking(thinking, body),
        show_reasoning=thinking.get("display") != "omitted",
        media_tokens=media,
    )


def _thinking(thinking: dict[str, Any], body: dict[str, Any]) -> int:
    if thinking.get("type") not in {"enabled", "adaptive"}:
        return 0
    effort = (body.get("output_config") or {}).get("effort", "high")
    if effort not in _EFFORTS:
        refuse(
            "invalid", f"This model does not support effort level '{effort}'. Supported levels: high, low, max, medium."
        )
    return min(_EFFORTS[effort], int(thinking.get("budget_tokens", 4_096)))


def _system(body: dict[str, Any]) -> list[dict[str, Any]]:
    system = body.get("system")
    if isinstance(system, str):
        return [{"type": "text", "text": system}] if system else []
    return [block for block in system or () if isinstance(block, dict)]


def _pieces(body: dict[str, Any], entries: list[dict[str, Any]]) -> tuple[tuple[Piece, ...], dict[str, int]]:
    pieces: list[Piece] = []
    media: dict[str, int] = {}
    for tool in body.get("tools") or ():
        text = _ENCODER.encode({key: value for key, value in tool.items() if key != "cache_control"}).decode()
        pieces.append(Piece(text, tokens.count(text), _lifetime(tool)))
    for block in _system(body):
        text = str(block.get("text", ""))
        pieces.append(Piece(f"system\x1f{text}", tokens.count(text), _lifetime(block)))
    for entry in entries:
        extra = tokens.MESSAGE_OVERHEAD
        for place, block in enumerate(checks.blocks(entry)):
            text, number = _block(place, block, media)
            pieces.append(Piece(f"{entry['role']}\x1f{text}", number + extra, _lifetime(block)))
            extra = 0
    if _lifetime(body) and pieces:
        last = pieces[-1]
        pieces[-1] = Piece(last.text, last.tokens, last.cache_seconds or _lifetime(body))
    return tuple(pieces), media


def _lifetime(holder: dict[str, Any]) -> int:
    control = holder.get("cache_control")
    if not isinstance(control, dict):
        return 0
    ttl = control.get("ttl", "5m")
    if control.get("type") != "ephemeral" or ttl not in _LIFETIMES:
        refuse("invalid", "cache_control.ephemeral.ttl: Input should be '5m' or '1h'")
    return _LIFETIMES[ttl]


def _block(place: int, block: dict[str, Any], media: dict[str, int]) -> tuple[str, int]:
    """A block as cacheable text, and its tokens."""
    kind = block.get("type")
    if kind == "text":
        text = str(block.get("text", ""))
        return text, tokens.count(text)
    if kind in {"image", "document"}:
        return _medium(block, media, is_image=kind == "image")
    if kind == "tool_result":
        content = block.get("content")
        inner = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
        rendered = [_block(place, part, media) for part in inner if isinstance(part, dict)]
        return f"result\x1f{block.get('tool_use_id')}\x1f" + "\x1f".join(text for text, _ in rendered), sum(
            number for _, number in rendered
        )
    shown = {key: value for key, value in block.items() if key not in {"cache_control", "signature"}}
    text = _ENCODER.encode(shown).decode()
    return text, tokens.count(text)


def _medium(block: dict[str, Any], media: dict[str, int], *, is_image: bool) -> tuple[str, int]:
    source = block.get("source") or {}
    data = str(source.get("data") or source.get("url") or source.get("file_id") or "")
    inline = len(data) if source.get("type") == "base64" else 0
    if source.get("type") == "text":
        number = tokens.count(data)
    else:
        number = tokens.of_image(inline) if is_image else tokens.of_document(inline)
    modality = "IMAGE" if is_image else "DOCUMENT"
    media[modality] = media.get(modality, 0) + number
    return f"{data[:64]}#{len(data)}#{data[-64:]}", number


def _last_turn(entries: list[dict[str, Any]]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Prompt without directives, directives, and the tool results that came after it."""
    results: list[str] = []
    for entry in reversed(entries):
        if entry["role"] != "user":
            continue
        found = checks.blocks(entry)
        texts = [str(block["text"]) for block in found if block.get("type") == "text"]
        if texts:
            prompt, steering = directives.taken_from("\n".join(texts))
            results = [*_results(found), *results]
            return prompt, steering, tuple(results)
        results = [*_results(found), *results]
    return "", (), tuple(results)


def _results(found: list[dict[str, Any]]) -> list[str]:
    return [_plain(block.get("content")) for block in found if block.get("type") == "tool_result"]


def _plain(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))
