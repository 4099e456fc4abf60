"""Writes the neutral conversation as chat messages."""

from collections.abc import Iterator

from monkey_coder_server.dialects.openai_chat.quirks import Quirks
from monkey_coder_server.dialects.wire import write_json
from monkey_coder_server.domain.conversation import (
    Document,
    Image,
    Json,
    Message,
    ModelRequest,
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
_OWN_FIELDS = frozenset({"role", "content", "tool_calls", "tool_call_id", "refusal", "reasoning_content"})


def encode_messages(request: ModelRequest, quirks: Quirks, last_words: str | None = None) -> list[Json]:
    """The `messages` array, in order; what only another dialect understands is left out.

    `last_words` are said after all else. Raises `InvalidRequest` for what this provider cannot be told.
    """
    written: list[Json] = []
    pictures: list[Json] = []
    for message in request.messages:
        for item in _message(message, quirks, pictures):
            if pictures and item["role"] != "tool":
                written.append({"role": "user", "content": pictures[:]})
                pictures.clear()
            if request.dialect == DIALECT:
                item |= {name: value for name, value in message.extra.items() if name not in _OWN_FIELDS}
            written.append(item)
    if pictures:
        written.append({"role": "user", "content": pictures})
    if not written:
        raise InvalidRequest("The request holds no message for a model to answer.")
    if last_words is not None:
        written.append({"role": "user", "content": last_words})
    return _joined(written) if quirks.alternates else written


def _joined(written: list[Json]) -> list[Json]:
    """The same with user turns in a row made one."""
    joined: list[Json] = []
    for item in written:
        if joined and item["role"] == "user" == joined[-1]["role"]:
            joined[-1] = {**joined[-1], "content": _parts(joined[-1]["content"]) + _parts(item["content"])}
        else:
            joined.append(item)
    return joined


def _parts(content: Json) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _message(message: Message, quirks: Quirks, pictures: list[Json]) -> Iterator[dict[str, Json]]:
    if message.role in {Role.SYSTEM, Role.DEVELOPER}:
        role = "developer" if message.role is Role.DEVELOPER and quirks.developer_role else "system"
        yield {"role": role, "content": "\n\n".join(part.text for part in message.parts if isinstance(part, Text))}
    elif message.role is Role.ASSISTANT:
        yield _assistant(message, quirks)
    else:
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield _tool_result(part, pictures)
        content = [item for part in message.parts for item in _content(part, quirks)]
        if content:
            yield _said_by_user(message, content, quirks)


def _said_by_user(message: Message, content: list[Json], quirks: Quirks) -> dict[str, Json]:
    plain = len(content) == 1 and content[0].get("type") == "text" and set(content[0]) == {"type", "text"}
    item: dict[str, Json] = {"role": "user", "content": content[0]["text"] if plain else content}
    if message.name is not None and "name" not in quirks.refused:
        item["name"] = message.name
    return item


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
    if call.custom and quirks.custom_tools:
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
    arguments = write_json({"input": call.arguments}).decode() if call.custom else call.arguments or "{}"
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _tool_result(result: ToolResult, pictures: list[Json]) -> dict[str, Json]:
    """A tool message holds text only; its pictures follow in a user message after the last result."""
    texts = [part.text for part in result.parts if isinstance(part, Text)]
    texts += [_document_text(part) for part in result.parts if isinstance(part, Document) and part.text is not None]
    images = [part for part in result.parts if isinstance(part, Image)]
    if images:
        texts.append("[The images of this result follow in the next user message.]")
        pictures.append({"type": "text", "text": f"Images returned by the tool call {result.call_id}:"})
        pictures.extend(_image(image) for image in images)
    if any(isinstance(part, Document) and part.text is None for part in result.parts):
        raise InvalidRequest("A tool result holds a binary document, which this model cannot be given.")
    text = "\n".join(texts)
    content = f"Error: {text}" if result.is_error and not text.lower().startswith("error") else text
    return {"role": "tool", "tool_call_id": result.call_id, "content": content}


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
