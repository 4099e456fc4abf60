"""Writes one turn of the neutral conversation as chat messages."""

from collections.abc import Iterator
from hashlib import sha256

from monkey_coder_server.dialects.openai_chat.quirks import Quirks
from monkey_coder_server.dialects.wire import write_json
from monkey_coder_server.domain.conversation import (
    Document,
    Image,
    Json,
    Message,
    Part,
    Refusal,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Unknown,
)
from monkey_coder_server.domain.errors import InvalidRequest

DIALECT = "openai-chat"
UNKNOWN_THOUGHT = " "
"""Moonshot refuses a turn with calls without its thought; a blank is the least that counts as one.

https://github.com/theopenco/llmgateway/pull/2093, checked there against the API: an empty string is refused.
"""


def write_message(message: Message, quirks: Quirks, pictures: list[Json]) -> Iterator[dict[str, Json]]:
    """The turn in order; what only another dialect understands is left out.

    `pictures` takes the images of tool results where those hold text only, to be shown after the last result. Raises
    `InvalidRequest` for what this provider cannot be told.
    """
    if message.role in {Role.SYSTEM, Role.DEVELOPER}:
        role = "developer" if message.role is Role.DEVELOPER and quirks.developer_role else "system"
        yield {"role": role, "content": "\n\n".join(part.text for part in message.parts if isinstance(part, Text))}
    elif message.role is Role.ASSISTANT:
        yield _assistant(message, quirks)
    else:
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield _tool_result(part, quirks, pictures)
        content = [item for part in message.parts for item in _content(part, quirks)]
        if content:
            yield _said_by_user(message, content, quirks)


def call_identifier(given: str, quirks: Quirks) -> str:
    """The id of a call as this provider takes it: one that is too long or no plain text is the same digest each time.

    OpenAI's limit is 40 characters ("Invalid 'messages[…].tool_calls[…].id': string too long").
    """
    fits = quirks.longest_call_id is None or len(given) <= quirks.longest_call_id
    if fits and given and given.isascii() and given.isprintable():
        return given
    return f"call_{sha256(given.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _said_by_user(message: Message, content: list[Json], quirks: Quirks) -> dict[str, Json]:
    item: dict[str, Json] = {"role": "user", "content": _plain(content)}
    if message.name is not None and "name" not in quirks.refused:
        item["name"] = message.name
    return item


def _plain(content: list[Json]) -> Json:
    """A single text is said as a string."""
    only_text = len(content) == 1 and content[0].get("type") == "text" and set(content[0]) == {"type", "text"}
    return content[0]["text"] if only_text else content


def _assistant(message: Message, quirks: Quirks) -> dict[str, Json]:
    spoken = Text if quirks.refusals else Text | Refusal
    text = "".join(part.text for part in message.parts if isinstance(part, spoken))
    calls = [_call(part, quirks) for part in message.parts if isinstance(part, ToolCall)]
    refusal = "".join(part.text for part in message.parts if isinstance(part, Refusal) and quirks.refusals)
    item: dict[str, Json] = {"role": "assistant", "content": text or None}
    if not text and not calls and not refusal:
        item["content"] = ""
    if refusal:
        item["refusal"] = refusal
    if quirks.replays_reasoning:
        thought = "".join(part.text for part in message.parts if isinstance(part, Thinking))
        if thought or calls:
            item[quirks.replays_reasoning] = thought or UNKNOWN_THOUGHT
    if calls:
        item["tool_calls"] = calls
    return item


def _call(call: ToolCall, quirks: Quirks) -> Json:
    """A call; where only JSON can be said, the text of a free-form one is its single string `input`."""
    identifier = call_identifier(call.id, quirks)
    if call.custom and quirks.custom_tools:
        return {"id": identifier, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
    arguments = write_json({"input": call.arguments}).decode() if call.custom else call.arguments or "{}"
    return {"id": identifier, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _tool_result(result: ToolResult, quirks: Quirks, pictures: list[Json]) -> dict[str, Json]:
    if any(isinstance(part, Document) and part.text is None for part in result.parts):
        raise InvalidRequest("A tool result holds a binary document, which this model cannot be given.")
    images = [part for part in result.parts if isinstance(part, Image)]
    shown = [_image(image) for image in images]
    content: Json = _text_of(result, [] if quirks.tool_images else images)
    if shown and quirks.tool_images:
        content = [*([{"type": "text", "text": content}] if content else []), *shown]
    elif shown:
        pictures.append({"type": "text", "text": f"Images returned by the tool call {result.call_id}:"})
        pictures.extend(shown)
    return {"role": "tool", "tool_call_id": call_identifier(result.call_id, quirks), "content": content}


def _text_of(result: ToolResult, images_elsewhere: list[Image]) -> str:
    texts = [part.text for part in result.parts if isinstance(part, Text)]
    texts += [_document_text(part) for part in result.parts if isinstance(part, Document)]
    if images_elsewhere:
        texts.append("[The images of this result follow in the next user message.]")
    text = "\n".join(texts)
    return f"Error: {text}" if result.is_error and not text.lower().startswith("error") else text


def _content(part: Part, quirks: Quirks) -> Iterator[dict[str, Json]]:
    match part:
        case Text(text):
            yield {"type": "text", "text": text}
        case Image():
            yield _image(part)
        case Document():
            yield _document(part, quirks)
        case Unknown(dialect, raw) if dialect == DIALECT and isinstance(raw, dict):
            yield raw


def _image(image: Image) -> dict[str, Json]:
    url = image.url if image.data is None else f"data:{image.media_type or 'image/png'};base64,{image.data}"
    if url is None:
        raise InvalidRequest("An image has neither a URL nor data.")
    described: dict[str, Json] = {"url": url}
    if image.detail is not None:
        described["detail"] = image.detail
    return {"type": "image_url", "image_url": described}


def _document(document: Document, quirks: Quirks) -> dict[str, Json]:
    if document.text is not None:
        return {"type": "text", "text": _document_text(document)}
    if quirks.documents == "file" and (document.data is not None or document.file_id is not None):
        return {"type": "file", "file": _file(document)}
    if quirks.documents == "file_url" and (document.url or document.data) is not None:
        named: dict[str, Json] = {"type": "file_url", "file_url": {"url": document.url or document.data}}
        return named | ({"file_name": document.name} if document.name else {})
    message = f"The document {document.name or 'without a name'} cannot be given to this model in that form."
    raise InvalidRequest(message)


def _file(document: Document) -> dict[str, Json]:
    if document.data is None:
        return {"file_id": document.file_id}
    data = f"data:{document.media_type or 'application/pdf'};base64,{document.data}"
    return {"filename": document.name or "document.pdf", "file_data": data}


def _document_text(document: Document) -> str:
    name = f' name="{document.name}"' if document.name else ""
    return f"<document{name}>\n{document.text}\n</document>"
