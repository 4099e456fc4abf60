"""Reads `contents` and `systemInstruction` into messages."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from monkey_coder_server.dialects.gemini.fields import Fields, flag, record, records, text
from monkey_coder_server.dialects.gemini.names import DIALECT
from monkey_coder_server.dialects.gemini.signatures import HOME, read_signature
from monkey_coder_server.dialects.wire import write_json
from monkey_coder_server.domain.conversation import (
    Document,
    Image,
    Json,
    Message,
    Part,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Unknown,
)
from monkey_coder_server.domain.errors import InvalidRequest

_ROLES: Final = {
    "": Role.USER,
    "user": Role.USER,
    "function": Role.USER,
    "tool": Role.USER,
    "model": Role.ASSISTANT,
    "assistant": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "developer": Role.DEVELOPER,
}
_NOT_IN_IDENTIFIERS = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_NAME = 40
"""Characters of a tool's name in an id of ours; OpenAI takes ids of 64."""
_RESULT_FIELDS: Final = ("output", "result", "content")
"""Where Google's guide, its SDKs and the AI SDK put what a function returned."""


def read_instruction(value: Json) -> tuple[Message, ...]:
    """The system instruction, which some clients write as a plain string."""
    if isinstance(value, str):
        return (Message(Role.SYSTEM, (Text(value),)),) if value else ()
    path = "systemInstruction"
    parts = tuple(_texts(record(value, path), path))
    return (Message(Role.SYSTEM, parts),) if parts else ()


def read_contents(value: Json) -> tuple[Message, ...]:
    """Messages in order. Raises `InvalidRequest` naming what is wrong.

    Results and other parts of one turn become a message each, results first, as every other dialect has them.
    """
    calls = _Calls()
    messages: list[Message] = []
    for at, given in enumerate(records(value, "contents")):
        path = f"contents[{at}]"
        content = record(given, path)
        named = (text(content, "role", f"{path}.") or "").lower()
        role = _ROLES.get(named)
        if role is None:
            message = f"The field `{path}.role` must be user or model, not {named[:40]!r}."
            raise InvalidRequest(message)
        if role in {Role.SYSTEM, Role.DEVELOPER}:
            parts: list[Part] = list(_texts(content, path))
        else:
            parts = _parts(content, path, calls)
        messages.extend(_messages(role, parts))
    return tuple(messages)


def _messages(role: Role, parts: list[Part]) -> Iterator[Message]:
    if role is not Role.USER:
        if parts:
            yield Message(role, tuple(parts))
        return
    results = tuple(part for part in parts if isinstance(part, ToolResult))
    others = tuple(part for part in parts if not isinstance(part, ToolResult))
    if results:
        yield Message(Role.TOOL, results)
    if others:
        yield Message(role, others)


def _texts(content: Fields, path: str) -> Iterator[Text]:
    for at, given in enumerate(records(content.get("parts"), f"{path}.parts")):
        where = f"{path}.parts[{at}]"
        said = given if isinstance(given, str) else text(record(given, where), "text", f"{where}.")
        if said:
            yield Text(said)


def _parts(content: Fields, path: str, calls: "_Calls") -> list[Part]:
    """Parts in order."""
    turn = _Turn(calls)
    for at, given in enumerate(records(content.get("parts"), f"{path}.parts")):
        if isinstance(given, dict) and len(given) == 1 and isinstance(said := given.get("text"), str):
            turn.say(said)
            continue
        where = f"{path}.parts[{at}]"
        turn.take(record(given, where), where)
    turn.end_thought(None, ())
    return turn.parts


class _Turn:
    """The parts of one turn. Pieces of one thought, as a stream gave them, are one thought again."""

    def __init__(self, calls: "_Calls") -> None:
        self.parts: list[Part] = []
        self._calls = calls
        self._thought: list[str] = []
        self._run = 0
        """Where what belongs to the next call begins."""

    def take(self, part: Fields, path: str) -> None:
        """Read one part."""
        signature, sealed = read_signature(text(part, "thoughtSignature", f"{path}.") or "")
        said = text(part, "text", f"{path}.")
        if "functionCall" in part:
            self._call(record(part["functionCall"], f"{path}.functionCall"), signature, sealed, path)
        elif flag(part, "thought", f"{path}."):
            self._thought.append(said or "")
            if signature or sealed:
                self.end_thought(signature, sealed)
        else:
            if said is None:
                self.end_thought(None, ())
                self.parts.append(_other(part, path, self._calls))
            else:
                self.say(said)
            if signature or sealed:
                self.end_thought(signature, sealed)

    def say(self, text: str) -> None:
        """Read a part that is text and nothing else."""
        if self._thought:
            self.end_thought(None, ())
        if text:
            self.parts.append(Text(text))

    def end_thought(self, signature: str | None, sealed: tuple[Thinking, ...]) -> None:
        """The thought so far is whole, with Google's signature or another provider's proof."""
        thought = "".join(self._thought)
        self._thought.clear()
        if sealed:
            self.parts += (replace(each, text=each.text or thought) for each in sealed)
        elif thought or signature:
            self.parts.append(Thinking(thought, signature, origin=HOME if signature else None))

    def _call(self, call: Fields, signature: str | None, sealed: tuple[Thinking, ...], path: str) -> None:
        """A call. Another provider's thoughts travelled with it: they stand where they stood, unless they came too."""
        self.end_thought(None, ())
        if sealed:
            run = self.parts[self._run :]
            kept = [each for each in run if not isinstance(each, Thinking)]
            self.parts[self._run :] = [*sealed, *kept]
        self.parts.append(self._calls.call(call, signature, path))
        self._run = len(self.parts)


def _other(part: Fields, path: str, calls: "_Calls") -> Part:
    if "functionResponse" in part:
        return calls.result(record(part["functionResponse"], f"{path}.functionResponse"), f"{path}.functionResponse")
    medium = _medium(part, path)
    return Unknown(DIALECT, part) if medium is None else medium


def _medium(part: Fields, path: str) -> Image | Document | None:
    """A file sent along or named by its URI; Google's own storage names one that only Google can read."""
    if "inlineData" in part:
        blob = record(part["inlineData"], f"{path}.inlineData")
        kind, data = text(blob, "mimeType", f"{path}.inlineData."), text(blob, "data", f"{path}.inlineData.")
        if kind is not None and kind.startswith("image/"):
            return Image(data=data, media_type=kind)
        return Document(name=text(blob, "displayName", f"{path}.inlineData."), data=data, media_type=kind)
    if "fileData" in part:
        file = record(part["fileData"], f"{path}.fileData")
        kind, uri = text(file, "mimeType", f"{path}.fileData."), text(file, "fileUri", f"{path}.fileData.")
        name = text(file, "displayName", f"{path}.fileData.")
        if uri is not None and not uri.startswith(("http://", "https://", "data:")):
            return Document(name=name, file_id=uri, media_type=kind)
        if kind is not None and kind.startswith("image/"):
            return Image(url=uri, media_type=kind)
        return Document(name=name, url=uri, media_type=kind)
    return None


class _Calls:
    """Gives calls without an id one, the same each time the conversation is sent, and finds the call of each result."""

    def __init__(self) -> None:
        self._count = 0
        self._known: set[str] = set()
        self._open: list[tuple[str, str]] = []

    def call(self, call: Fields, signature: str | None, path: str) -> ToolCall:
        """The call, numbered through the conversation where its caller gave no id."""
        where = f"{path}.functionCall."
        name = text(call, "name", where) or ""
        identifier = text(call, "id", where)
        if not identifier:
            safe = _NOT_IN_IDENTIFIERS.sub("_", name)[:_LONGEST_NAME]
            identifier = f"call_{self._count}_{safe}"
        self._count += 1
        self._known.add(identifier)
        self._open.append((identifier, name))
        arguments = write_json(call.get("args") or {}).decode()
        return ToolCall(identifier, name, arguments, signature=signature, origin=HOME if signature else None)

    def result(self, response: Fields, path: str) -> ToolResult:
        """The result, with the id of its call: the one it names, else the first open call of its tool."""
        name = text(response, "name", f"{path}.")
        identifier = self._find(text(response, "id", f"{path}."), name)
        media = (
            medium
            for at, given in enumerate(records(response.get("parts"), f"{path}.parts"))
            if (medium := _medium(record(given, f"{path}.parts[{at}]"), path)) is not None
        )
        said, failed = _said(response.get("response"), name)
        parts = (*((Text(said),) if said else ()), *media)
        return ToolResult(identifier, parts, name=name, is_error=failed)

    def _find(self, given: str | None, name: str | None) -> str:
        found = given if given and given in self._known else None
        if found is None:
            found = next((identifier for identifier, called in self._open if called == name), None)
        self._open = [each for each in self._open if each[0] != found]
        return found or given or f"call_{self._count}_unknown"


def _said(response: Json, name: str | None) -> tuple[str, bool]:
    """What a function returned, as text, and whether it failed."""
    if not isinstance(response, dict):
        return ("" if response is None else _as_text(response)), False
    fields = {key: value for key, value in response.items() if (key, value) != ("name", name)}
    if fields.keys() == {"error"}:
        return _as_text(fields["error"]), True
    if len(fields) == 1:
        key, value = next(iter(fields.items()))
        if key in _RESULT_FIELDS:
            return _as_text(value), False
    return (write_json(response).decode() if response else ""), False


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else write_json(value).decode()
