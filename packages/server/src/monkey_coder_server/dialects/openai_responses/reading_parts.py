"""Reads the parts of messages and of tool results."""

import mimetypes
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator

from monkey_coder_server.dialects.fields import Fields
from monkey_coder_server.dialects.openai_responses.names import DIALECT
from monkey_coder_server.dialects.wire import as_list, as_object, as_text
from monkey_coder_server.domain.conversation import Citation, Document, Image, Json, Part, Refusal, Text, Unknown

_TEXTS = frozenset({"input_text", "output_text", "text", "summary_text", "reasoning_text"})
_DATA_URL = re.compile(r"data:([^;,]*)[^,]*;base64,(.*)", re.DOTALL)


def read_parts(owner: Fields, name: str) -> Iterator[Part]:
    """The parts of a content that is a string or an array; what has no neutral name stays as it is."""
    content = owner.raw.get(name)
    if isinstance(content, str):
        yield Text(content)
        return
    for fields in owner.objects(name):
        yield _part(fields)


def _part(fields: Fields) -> Part:
    kind = fields.needed_text("type")
    if kind in _TEXTS:
        return Text(fields.needed_text("text"), citations=_citations(fields.raw.get("annotations")))
    if kind == "input_image":
        return _image(fields)
    if kind == "input_file":
        return _document(fields)
    if kind == "refusal":
        return Refusal(fields.needed_text("refusal"))
    if kind == "input_audio" and (audio := fields.object("input_audio")) is not None:
        return Document(data=audio.needed_text("data"), media_type=f"audio/{audio.text('format') or 'wav'}")
    return Unknown(DIALECT, fields.raw)


def _citations(annotations: Json) -> tuple[Citation, ...]:
    notes = [as_object(note) for note in as_list(annotations)]
    return tuple(Citation(as_text(note.get("url")), as_text(note.get("title")), raw=note) for note in notes)


def _image(fields: Fields) -> Part:
    url = fields.text("image_url")
    if url is None:
        return Document(file_id=fields.needed_text("file_id"))
    return Image(url=url, detail=fields.text("detail"))


def _document(fields: Fields) -> Document:
    name, data = fields.text("filename"), fields.text("file_data")
    if data is None:
        return Document(name, fields.text("file_url"), fields.text("file_id"))
    embedded = _DATA_URL.fullmatch(data)
    media_type = mimetypes.guess_type(name)[0] if name else None
    if embedded is not None:
        media_type, data = embedded[1] or media_type, embedded[2]
    if media_type is not None and media_type.startswith("text/") and (text := _decoded(data)) is not None:
        return Document(name, text=text, media_type=media_type)
    return Document(name, data=data, media_type=media_type)


def _decoded(data: str) -> str | None:
    """The text in base64; None for what is not that."""
    try:
        return b64decode(data, validate=True).decode()
    except (NotBase64, ValueError):
        return None
