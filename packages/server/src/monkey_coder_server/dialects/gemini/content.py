"""Writes conversation parts as Gemini parts."""

import mimetypes
import re
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from monkey_coder_server.dialects.gemini.names import DIALECT
from monkey_coder_server.dialects.gemini.signatures import NO_SIGNATURE
from monkey_coder_server.dialects.gemini.traits import ModelTraits
from monkey_coder_server.dialects.wire import parse_json
from monkey_coder_server.domain.conversation import (
    Document,
    Image,
    Json,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Unknown,
)
from monkey_coder_server.domain.errors import InvalidRequest

Record: TypeAlias = dict[str, Json]

_DATA_URL = re.compile(r"data:([^;,]*);base64,(.*)", re.DOTALL)
_BEGINNINGS = {
    "iVBOR": "image/png",
    "/9j/": "image/jpeg",
    "R0lGO": "image/gif",
    "UklGR": "image/webp",
    "JVBER": "application/pdf",
}


def user_parts(parts: Iterable[Part], *, names: Mapping[str, str], traits: ModelTraits) -> list[Record]:
    """Parts of a user turn; `names` gives the tool of each call id, which a result must repeat."""
    return [written for part in parts for written in _user_part(part, names, traits)]


def model_parts(parts: Iterable[Part], *, provider: str, traits: ModelTraits) -> list[Record]:
    """Parts of a model turn; thoughts and signatures are replayed only to the provider that made them."""
    written = [record for part in parts for record in _model_part(part, provider)]
    if traits.signed_calls:
        first_call = next((record for record in written if "functionCall" in record), None)
        if first_call is not None:
            first_call.setdefault("thoughtSignature", NO_SIGNATURE)
    return written


def text_part(text: str) -> list[Record]:
    """A text part, or nothing for empty text."""
    return [{"text": text}] if text else []


def _user_part(part: Part, names: Mapping[str, str], traits: ModelTraits) -> list[Record]:
    match part:
        case Text(text):
            return text_part(text)
        case Image() | Document():
            return [_medium(part)]
        case ToolResult():
            return _tool_result(part, names, traits)
        case Unknown(dialect, raw):
            return [dict(raw)] if dialect == DIALECT and isinstance(raw, dict) else []
        case ToolCall():
            raise InvalidRequest("A tool call stands in a user message; only an assistant message may hold one.")
        case Thinking() | Refusal():
            return []


def _model_part(part: Part, provider: str) -> list[Record]:
    match part:
        case Text(text) | Refusal(text):
            return text_part(text)
        case Image() | Document():
            return [_medium(part)]
        case ToolCall():
            return [_call(part, provider)]
        case Thinking():
            return _thought(part, provider)
        case Unknown(dialect, raw):
            return [dict(raw)] if dialect == DIALECT and isinstance(raw, dict) else []
        case ToolResult():
            raise InvalidRequest("A tool result stands in an assistant message; send it in a tool or user message.")


def _thought(part: Thinking, provider: str) -> list[Record]:
    if part.origin != provider or not part.signature:
        return []
    said = {"text": part.text} if part.text else {}
    return [{**said, "thought": True, "thoughtSignature": part.signature}]


def _call(part: ToolCall, provider: str) -> Record:
    parsed = parse_json(part.arguments or "{}")
    if part.custom:
        parsed = {"input": part.arguments}
    elif not isinstance(parsed, dict):
        parsed = {"unparsed_arguments": part.arguments}
    record: Record = {"functionCall": {"id": part.id, "name": part.name, "args": parsed}}
    if part.signature and part.origin == provider:
        record["thoughtSignature"] = part.signature
    return record


def _tool_result(part: ToolResult, names: Mapping[str, str], traits: ModelTraits) -> list[Record]:
    name = part.name or names.get(part.call_id)
    if name is None:
        sentence = (
            f"The tool result {part.call_id} answers no call of this conversation, so its tool's name is unknown."
        )
        raise InvalidRequest(sentence)
    said = "".join(_said(inner) for inner in part.parts)
    response: Record = {"id": part.call_id, "name": name, "response": {"error" if part.is_error else "output": said}}
    media = [_medium(inner) for inner in part.parts if _is_medium(inner)]
    if media and traits.media_results:
        response["parts"] = media
        media = []
    return [{"functionResponse": response}, *media]


def _said(part: Part) -> str:
    match part:
        case Text(text):
            return text
        case Document(text=str(text)):
            return text
        case _:
            return ""


def _is_medium(part: Part) -> bool:
    return isinstance(part, Image) or (isinstance(part, Document) and part.text is None)


def _medium(part: Part) -> Record:
    """An image or document as text, inline data or a URI; Gemini fetches public URLs itself."""
    if isinstance(part, Document):
        if part.text is not None:
            return {"text": part.text}
        if part.file_id is not None:
            return {"fileData": _typed({"fileUri": part.file_id}, part.media_type)}
    if not isinstance(part, Image | Document):
        raise InvalidRequest("Only an image or a document can be sent as a file.")
    data, media_type = part.data, part.media_type
    if part.url is not None:
        embedded = _DATA_URL.fullmatch(part.url)
        if embedded is None:
            guessed = media_type or mimetypes.guess_type(part.url.partition("?")[0])[0]
            return {"fileData": _typed({"fileUri": part.url}, guessed)}
        media_type, data = embedded.group(1) or media_type, embedded.group(2)
    if data is None:
        raise InvalidRequest("An image or document needs a URL, base64 data or a file id.")
    media_type = media_type or next((kind for start, kind in _BEGINNINGS.items() if data.startswith(start)), None)
    if media_type is None:
        raise InvalidRequest("An image or document sent as data needs its media type.")
    return {"inlineData": {"mimeType": media_type, "data": data}}


def _typed(record: Record, media_type: str | None) -> Record:
    if media_type is not None:
        record["mimeType"] = media_type
    return record
