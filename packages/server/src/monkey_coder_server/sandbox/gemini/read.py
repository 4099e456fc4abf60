"""Read a generateContent request into the sandbox's own form, refusing what Google refuses."""

import re
from typing import Any, NoReturn

import msgspec

from monkey_coder_server.sandbox import directives, tokens
from monkey_coder_server.sandbox.catalog import Card
from monkey_coder_server.sandbox.exchange import Ask, Piece, Tool, ToolChoice
from monkey_coder_server.sandbox.identifiers import Identifiers
from monkey_coder_server.sandbox.wire_errors import Refused

_ENCODER = msgspec.json.Encoder()
_FIELDS = frozenset(
    {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings", "cachedContent"}
    | {"model", "store", "serviceTier", "labels"}
)
_MODES: dict[object, ToolChoice] = {"NONE": "none", "ANY": "any"}
_LEVELS = {"minimal": 16, "low": 48, "medium": 160, "high": 320}
_SIGNED_CALLS = re.compile(r"gemini-[34]")
_ACCEPTED_WITHOUT_CHECK = frozenset({"context_engineering_is_the_way_to_go", "skip_thought_signature_validator"})
"""Stand-ins Google documents for calls that another model made
(https://ai.google.dev/gemini-api/docs/thought-signatures)."""
_SNAKE = re.compile(r"_([a-z])")
_OPAQUE = frozenset(
    {"args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema", "labels"}
)
_DEFAULT_THOUGHTS = 96


def _camel(name: str) -> str:
    return _SNAKE.sub(lambda match: match.group(1).upper(), name)


def camelled(value: Any) -> Any:
    """Google takes snake_case and camelCase alike; this makes field names camelCase, leaving user data alone."""
    if isinstance(value, list):
        return [camelled(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {_camel(key): item if _camel(key) in _OPAQUE else camelled(item) for key, item in value.items()}


def _invalid(message: str) -> NoReturn:
    raise Refused("invalid", message)


def read(card: Card, model: str, raw: dict[str, Any], identifiers: Identifiers, *, stream: bool) -> Ask:
    """The request, checked as strictly as Google checks it. Raises Refused."""
    body = camelled(raw)
    for name in body.keys() - _FIELDS:
        _invalid(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
    contents = _contents(body)
    config = body.get("generationConfig") or {}
    _limits(card, config)
    tools = _tools(body)
    _tool_order(contents)
    _signatures(card, contents, identifiers)
    pieces, media = _pieces(body, contents)
    prompt, found, results = _last_turn(contents)
    calling = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    allowed = calling.get("allowedFunctionNames") or []
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    thinking = config.get("thinkingConfig") or {}
    return Ask(
        provider="google",
        model=model,
        pieces=pieces,
        system=_text((body.get("systemInstruction") or {}).get("parts")),
        prompt=prompt,
        directives=found,
        tools=tools,
        tool_choice=_MODES.get(calling.get("mode"), "auto"),
        tool_name=str(allowed[0]) if len(allowed) == 1 and calling.get("mode") == "ANY" else "",
        tool_results=results,
        schema=schema if config.get("responseMimeType") == "application/json" and schema else None,
        json_mode=config.get("responseMimeType") == "application/json",
        max_tokens=config.get("maxOutputTokens"),
        stop=tuple(str(word) for word in config.get("stopSequences") or ()),
        stream=stream,
        include_usage=True,
        reasoning_tokens=_thoughts(card, thinking),
        show_reasoning=bool(thinking.get("includeThoughts")),
        media_tokens=media,
    )


def _contents(body: dict[str, Any]) -> list[dict[str, Any]]:
    contents = body.get("contents")
    if isinstance(contents, dict):
        contents = [contents]
    if not isinstance(contents, list) or not contents:
        _invalid("* GenerateContentRequest.contents: contents is not specified\n")
    for index, entry in enumerate(contents):
        if not isinstance(entry, dict) or not isinstance(entry.get("parts"), list) or not entry["parts"]:
            _invalid(f"* GenerateContentRequest.contents[{index}].parts: contents.parts must not be empty.\n")
        if entry.get("role", "user") not in {"user", "model", "function"}:
            _invalid("Please use a valid role: user, model.")
    return contents


def _limits(card: Card, config: dict[str, Any]) -> None:
    limit = config.get("maxOutputTokens")
    if limit is not None and (not isinstance(limit, int) or not 1 <= limit <= card.output_limit):
        _invalid(
            f"Unable to submit request because it has a maxOutputTokens value of {limit} but the "
            "supported range is from "
            f"1 (inclusive) to {card.output_limit + 1} (exclusive). Update the value and try again."
        )
    temperature = config.get("temperature")
    if temperature is not None and (not isinstance(temperature, (int, float)) or not 0 <= temperature <= 2):
        _invalid(
            f"* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0]. "
            f"Got {temperature}.\n"
        )
    budget = (config.get("thinkingConfig") or {}).get("thinkingBudget")
    if budget == 0 and "pro" in card.id and card.reasons:
        _invalid("Budget 0 is invalid. This model only works in thinking mode.")


def _thoughts(card: Card, thinking: dict[str, Any]) -> int:
    if not card.reasons or thinking.get("thinkingBudget") == 0:
        return 0
    level = str(thinking.get("thinkingLevel", "")).lower()
    budget = thinking.get("thinkingBudget")
    wanted = _LEVELS.get(level, _DEFAULT_THOUGHTS)
    return min(wanted, budget) if isinstance(budget, int) and budget > 0 else wanted


def _tools(body: dict[str, Any]) -> tuple[Tool, ...]:
    found: list[Tool] = []
    for entry in body.get("tools") or ():
        for declaration in entry.get("functionDeclarations") or ():
            schema = declaration.get("parametersJsonSchema") or declaration.get("parameters") or {}
            if not declaration.get("name"):
                _invalid("* GenerateContentRequest.tools[0].function_declarations[0].name: Invalid function name.\n")
            found.append(Tool(str(declaration["name"]), schema))
    return tuple(found)


def _tool_order(contents: list[dict[str, Any]]) -> None:
    previous = 0
    for entry in contents:
        responses = sum("functionResponse" in part for part in entry["parts"])
        if responses != previous and (responses or previous):
            _invalid(
                "Please ensure that the number of function response parts is equal to the number of "
                "function call parts "
                "of the function call turn."
            )
        previous = sum("functionCall" in part for part in entry["parts"])
    if previous:
        _invalid("Please ensure that function call turn is followed by a function response turn.")


def _signatures(card: Card, contents: list[dict[str, Any]], identifiers: Identifiers) -> None:
    last_prompt = max((index for index, entry in enumerate(contents) if _is_prompt(entry)), default=0)
    for index, entry in enumerate(contents):
        calls = 0
        for place, part in enumerate(entry["parts"]):
            signature = part.get("thoughtSignature")
            if signature and signature not in _ACCEPTED_WITHOUT_CHECK and not identifiers.issued(str(signature), ""):
                _invalid("Thought signature is not valid.")
            if "functionCall" not in part:
                continue
            calls += 1
            if not signature and calls == 1 and index > last_prompt and _SIGNED_CALLS.search(card.id):
                _invalid(
                    "Function call is missing a thought_signature in functionCall parts. This is required for tools to "
                    "work correctly, and missing thought_signature may lead to degraded model performance. Additional "
                    f"data, function call `default_api:{part['functionCall'].get('name')}` , position "
                    f"{place + 1}. Please "
                    "refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
                )


def _is_prompt(entry: dict[str, Any]) -> bool:
    return entry.get("role", "user") == "user" and not any("functionResponse" in part for part in entry["parts"])


def _pieces(body: dict[str, Any], contents: list[dict[str, Any]]) -> tuple[tuple[Piece, ...], dict[str, int]]:
    pieces: list[Piece] = []
    media: dict[str, int] = {}
    for key in ("tools", "systemInstruction"):
        if body.get(key):
            text = _text(body[key].get("parts")) if key == "systemInstruction" else _ENCODER.encode(body[key]).decode()
            pieces.append(Piece(text, tokens.count(text)))
    for entry in contents:
        texts: list[str] = []
        extra = tokens.MESSAGE_OVERHEAD
        for part in entry["parts"]:
            text, number = _part(part, media)
            texts.append(text)
            extra += number
        whole = "\x1f".join([str(entry.get("role", "user")), *texts])
        pieces.append(Piece(whole, extra + tokens.count(whole)))
    return tuple(pieces), media


def _part(part: dict[str, Any], media: dict[str, int]) -> tuple[str, int]:
    """A part as cacheable text, and the tokens it costs beyond that text."""
    if "text" in part:
        return str(part["text"]), 0
    holder = part.get("inlineData") or part.get("fileData")
    if isinstance(holder, dict):
        data = str(holder.get("data") or holder.get("fileUri") or "")
        inline = len(str(holder.get("data") or ""))
        is_image = str(holder.get("mimeType", "")).startswith("image/")
        number = tokens.of_image(inline) if is_image else tokens.of_document(inline)
        modality = "IMAGE" if is_image else "DOCUMENT"
        media[modality] = media.get(modality, 0) + number
        return f"#{len(data)}#{data[-16:]}", number
    shown = {key: value for key, value in part.items() if key != "thoughtSignature"}
    return _ENCODER.encode(shown).decode(), 0


def _text(parts: object) -> str:
    listed = parts if isinstance(parts, list) else []
    return "\n".join(str(part["text"]) for part in listed if isinstance(part, dict) and "text" in part)


def _last_turn(contents: list[dict[str, Any]]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Prompt without directives, directives, and the function responses that came after it."""
    results: list[str] = []
    for entry in reversed(contents):
        if entry.get("role", "user") == "model":
            continue
        answers = [part["functionResponse"].get("response") for part in entry["parts"] if "functionResponse" in part]
        results = [*(_ENCODER.encode(answer).decode() for answer in answers), *results]
        text = _text(entry["parts"])
        if text:
            prompt, found = directives.taken_from(text)
            return prompt, found, tuple(results)
    return "", (), tuple(results)
