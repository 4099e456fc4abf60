"""Places the marks at which a prompt is kept, in a request whose caller placed none.

At most four, as many as the API takes: after the tools, after the system prompt, and, where all of the prompt is
expected to come again, after the user's last turn and the one before. The latter is where the request before this one
put its last mark, so that what was written then is found however many blocks the turn between has (the API looks twenty
blocks back by itself). Marks cost nothing by themselves, and none is placed where the prompt before it is shorter than
the model keeps. (https://platform.claude.com/docs/en/build-with-claude/prompt-caching: thinking blocks and empty texts
cannot be marked; https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-use-with-prompt-caching:
nor tools that are loaded later.)

What is marked is opened one level deep: everything within keeps its bytes, its fields keep their order.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

import msgspec

from monkey_coder_server.dialects.wire import parse_json, write_json
from monkey_coder_server.domain.conversation import Json, Reuse

Element: TypeAlias = dict[str, Json] | msgspec.Raw
"""A tool, a block or a message, opened or as its bytes."""

BYTES_PER_TOKEN = 4
"""Of English and code; a mark that comes too early for the model is passed over by it, and costs nothing."""
_MARK = {"cache_control": {"type": "ephemeral"}}
_PROMPT = ("tools", "system", "messages")
_TURNS = 2
_PLAIN = frozenset({"image", "document", "tool_result", "search_result"})
"""Blocks of a user's turn that can be marked whatever they hold."""
_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])
_arrays = msgspec.json.Decoder(list[msgspec.Raw])


def marked_fields(fields: Mapping[str, Json], reuse: Reuse, least: int) -> Mapping[str, Json]:
    """The fields of a body that is passed on, each as its bytes, with marks; in their order.

    `least` is how many tokens the model keeps at least. What is marked is a list, to be written with all else at once.
    """
    if "cache_control" in fields:
        return fields
    given = {name: _listed(fields[name]) for name in _PROMPT if name in fields}
    prompt = dict(given)
    mark_prompt(prompt, reuse, least)
    return {**fields, **{name: value for name, value in prompt.items() if value is not given[name]}}


def mark_prompt(prompt: dict[str, Json], reuse: Reuse, least: int) -> None:
    """Put marked lists in the place of `tools`, `system` and `messages`, as far as there is something to mark."""
    if reuse is Reuse.NOTHING:
        return
    room = least * BYTES_PER_TOKEN
    for name, mark in (("tools", _marked_tool), ("system", _marked_text)):
        elements = _blocks(prompt.get(name))
        room -= sum(map(_size, elements))
        if room <= 0 and (marked := _last_marked(elements, mark)) is not None:
            prompt[name] = marked
    if reuse is Reuse.ALL:
        prompt["messages"] = _marked_turns(prompt["messages"], room)


def _marked_turns(messages: list[Element], room: int) -> list[Element]:
    """The messages with the user's last turns marked, as far as they end beyond so many bytes."""
    first = _first_beyond(messages, room)
    beyond = range(len(messages) - 1, first - 1, -1)
    users = (place for place in beyond if _value(_open(messages[place])["role"]) == "user")
    marked = {place: turn for place in islice(users, _TURNS) if (turn := _marked_turn(messages[place])) is not None}
    return [marked.get(place, message) for place, message in enumerate(messages)] if marked else messages


def _first_beyond(messages: Sequence[Element], room: int) -> int:
    for place, message in enumerate(messages):
        room -= _size(message)
        if room <= 0:
            return place
    return len(messages)


def _marked_turn(message: Element) -> Element | None:
    fields = _open(message)
    content = _last_marked(_blocks(_listed(fields.get("content"))), _marked_block)
    return None if content is None else fields | {"content": content}


def _last_marked(elements: list[Element], mark: Callable[[Element], Element | None]) -> list[Element] | None:
    """The elements, with the last that can be marked; None where none can."""
    for place in range(len(elements) - 1, -1, -1):
        marked = mark(elements[place])
        if marked is not None:
            return [*elements[:place], marked, *elements[place + 1 :]]
    return None


def _marked_tool(tool: Element) -> Element | None:
    fields = _open(tool)
    return fields | _MARK if "name" in fields and not _value(fields.get("defer_loading")) else None


def _marked_text(block: Element) -> Element | None:
    fields = _open(block)
    text = _value(fields.get("text")) if _value(fields.get("type")) == "text" else None
    return fields | _MARK if isinstance(text, str) and text.strip() else None


def _marked_block(block: Element) -> Element | None:
    fields = _open(block)
    return fields | _MARK if _value(fields.get("type")) in _PLAIN else _marked_text(fields)


def _listed(value: Json) -> Json:
    """An array that is given as its bytes as a list of its elements' bytes; anything else as it is."""
    return _arrays.decode(value) if _begins(value, b"[") else value


def _blocks(value: Json) -> list[Element]:
    """A list as it is; a text as the one block it stands for, to the provider the same."""
    if isinstance(value, list):
        return value
    is_text = isinstance(value, str) or _begins(value, b'"')
    return [{"type": "text", "text": value}] if is_text else []


def _begins(value: Json, sign: bytes) -> bool:
    """Whether it is given as its bytes, the first of which is this; a conversation is not copied to be looked at."""
    return isinstance(value, msgspec.Raw) and memoryview(value)[:1] == sign


def _open(element: Element) -> dict[str, Json]:
    return _objects.decode(element) if isinstance(element, msgspec.Raw) else element


def _value(value: Json) -> Json:
    return parse_json(bytes(value)) if isinstance(value, msgspec.Raw) else value


def _size(element: Element) -> int:
    """Bytes."""
    return memoryview(element).nbytes if isinstance(element, msgspec.Raw) else len(write_json(element))
