"""The `messages` array of a request: turns written, or passed on as their caller wrote them."""

from collections.abc import Sequence

import msgspec

from monkey_coder_server.dialects.openai_chat.messages import DIALECT, write_message
from monkey_coder_server.dialects.openai_chat.passing_on import pass_on
from monkey_coder_server.dialects.openai_chat.quirks import Quirks
from monkey_coder_server.domain.conversation import Json, Message, ModelRequest
from monkey_coder_server.domain.errors import InvalidRequest

_OWN_FIELDS = frozenset({"role", "content", "tool_calls", "tool_call_id", "refusal", "reasoning_content"})

Entry = tuple[str, Json]
"""A message with its role; the fields of one that is passed on are JSON text still."""


def encode_messages(
    request: ModelRequest,
    quirks: Quirks,
    *,
    last_words: str | None = None,
    given: Sequence[dict[str, msgspec.Raw]] | None = None,
) -> list[Json]:
    """The messages in order. `last_words` are said after all else.

    `given` are those of the caller, one for each of the request's, which stay as they are wherever this provider takes
    them. Raises `InvalidRequest` for what it cannot be told.
    """
    entries: list[Entry] = []
    pictures: list[Json] = []
    for place, message in enumerate(request.messages):
        if given is None:
            written = _written(request, message, quirks, pictures)
        else:
            written = [pass_on(given[place], message, quirks, pictures)]
        for entry in written:
            if pictures and entry[0] != "tool":
                entries.append(_shown(pictures))
            entries.append(entry)
    if pictures:
        entries.append(_shown(pictures))
    if not entries:
        raise InvalidRequest("The request holds no message for a model to answer.")
    if last_words is not None:
        entries.append(("user", {"role": "user", "content": last_words}))
    return _joined(entries) if quirks.alternates else [item for _, item in entries]


def _written(request: ModelRequest, message: Message, quirks: Quirks, pictures: list[Json]) -> list[Entry]:
    kept = {}
    if request.dialect == DIALECT:
        left_out = _OWN_FIELDS | quirks.refused_in_messages
        kept = {name: value for name, value in message.extra.items() if name not in left_out}
    return [(item["role"], item | kept) for item in write_message(message, quirks, pictures)]


def _shown(pictures: list[Json]) -> Entry:
    """The pictures of tool results as what the user shows; the list is emptied."""
    content = pictures[:]
    pictures.clear()
    return "user", {"role": "user", "content": content}


def _joined(entries: Sequence[Entry]) -> list[Json]:
    """The same with user turns in a row made one."""
    joined: list[Json] = []
    last_role = ""
    for role, item in entries:
        if role == "user" == last_role:
            before, after = _opened(joined[-1]), _opened(item)
            joined[-1] = {**before, "content": _parts(before.get("content")) + _parts(after.get("content"))}
        else:
            joined.append(item)
        last_role = role
    return joined


def _opened(item: Json) -> dict[str, Json]:
    """A message as plain values, whatever is JSON text in it."""
    opened: dict[str, Json] = msgspec.json.decode(msgspec.json.encode(item))
    return opened


def _parts(content: Json) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or ())
