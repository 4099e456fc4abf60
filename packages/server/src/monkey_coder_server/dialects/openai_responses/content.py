"""Writes the parts of a message as input content."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from monkey_coder_server.dialects.openai_responses.names import DIALECT
from monkey_coder_server.dialects.openai_responses.quirks import Quirks
from monkey_coder_server.domain.conversation import Document, Image, Json, Part, Text, ToolResult, Unknown
from monkey_coder_server.domain.errors import InvalidRequest

Item: TypeAlias = dict[str, Json]


def content(part: Part, quirks: Quirks) -> Iterator[Item]:
    """The part as input content; nothing for what has another place or another dialect.

    Raises `InvalidRequest` for what this provider cannot be given.
    """
    match part:
        case Text(text):
            yield {"type": "input_text", "text": text}
        case Image():
            yield _image(part)
        case Document():
            yield _document(part, quirks)
        case Unknown(dialect, raw) if dialect == DIALECT and isinstance(raw, dict):
            yield raw


def as_content(items: Sequence[Item]) -> Json:
    """Content; a single text is said as a string."""
    only = items[0] if len(items) == 1 else {}
    return only["text"] if only.get("type") == "input_text" else list(items)


def text_of_result(result: ToolResult) -> str:
    """What a tool said in words."""
    texts = [part.text for part in result.parts if isinstance(part, Text)]
    texts += [document_text(part) for part in result.parts if isinstance(part, Document) and part.text is not None]
    text = "\n".join(texts)
    return f"Error: {text}" if result.is_error and not text.lower().startswith("error") else text


def document_text(document: Document) -> str:
    """A document of plain text, marked as one."""
    name = f' name="{document.name}"' if document.name else ""
    return f"<document{name}>\n{document.text}\n</document>"


def _image(image: Image) -> Item:
    url = image.url if image.data is None else f"data:{image.media_type or 'image/png'};base64,{image.data}"
    if url is None:
        raise InvalidRequest("An image has neither a URL nor data.")
    written: Item = {"type": "input_image", "image_url": url}
    if image.detail is not None:
        written["detail"] = image.detail
    return written


def _document(document: Document, quirks: Quirks) -> Item:
    if document.text is not None:
        return {"type": "input_text", "text": document_text(document)}
    if not quirks.documents or not (document.data or document.file_id or document.url):
        message = f"The document {document.name or 'without a name'} cannot be given to this model in that form."
        raise InvalidRequest(message)
    if document.file_id is not None:
        return {"type": "input_file", "file_id": document.file_id}
    if document.data is None:
        return {"type": "input_file", "file_url": document.url}
    data = f"data:{document.media_type or 'application/pdf'};base64,{document.data}"
    return {"type": "input_file", "filename": document.name or "document.pdf", "file_data": data}
