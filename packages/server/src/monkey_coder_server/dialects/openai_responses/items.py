"""Writes the neutral conversation as input items, in order: the next turn's items begin with this one's."""

from collections.abc import Iterable, Iterator
from hashlib import sha256

from monkey_coder_server.dialects.openai_responses.content import Item, as_content, content, text_of_result
from monkey_coder_server.dialects.openai_responses.names import DIALECT
from monkey_coder_server.dialects.openai_responses.parameters import thinks
from monkey_coder_server.dialects.openai_responses.quirks import Quirks
from monkey_coder_server.dialects.wire import write_json
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import (
    Document,
    Image,
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

LONGEST_ID = 64
"""Characters of a `call_id` (OpenAI's published schema)."""
_OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output"})
_INSTRUCTING = frozenset({Role.SYSTEM, Role.DEVELOPER})


def split_instructions(messages: tuple[Message, ...]) -> tuple[str | None, tuple[Message, ...]]:
    """What the system says before all else, and the rest."""
    count = next((at for at, message in enumerate(messages) if message.role is not Role.SYSTEM), len(messages))
    texts = [part.text for message in messages[:count] for part in message.parts if isinstance(part, Text)]
    return "\n\n".join(texts) or None, messages[count:]


def write_items(messages: Iterable[Message], card: ModelCard, quirks: Quirks) -> list[Item]:
    """The `input`. What only another provider understands is left out: its thoughts, and blocks of its dialect.

    A model that does not reason is given no thoughts at all: OpenAI refuses that. Raises `InvalidRequest` for what this
    provider cannot be told.
    """
    writer = _Writer(card, quirks)
    written: list[Item] = []
    for message in messages:
        for item in writer.items(message):
            if item.get("type") not in _OUTPUTS:
                written.extend(writer.shown())
            written.append(item)
    return [*written, *writer.shown()]


def call_identifier(given: str) -> str:
    """A call's id as it is taken; one that is empty, too long or no plain text is the same digest each time."""
    if 0 < len(given) <= LONGEST_ID and given.isascii() and given.isprintable():
        return given
    return f"call_{sha256(given.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


class _Writer:
    """Remembers which calls were free-form, whose results are of another type, and the files no result could hold."""

    def __init__(self, card: ModelCard, quirks: Quirks) -> None:
        self._model = card.model
        self._quirks = quirks
        self._thinks = thinks(card)
        self._free_form = quirks.takes("custom", card.model)
        self._custom: set[str] = set()
        self._beside: list[Item] = []

    def shown(self) -> Iterator[Item]:
        """The files of the results so far as something the user shows."""
        if self._beside:
            yield {"role": "user", "content": self._beside}
            self._beside = []

    def items(self, message: Message) -> Iterator[Item]:
        if message.role in _INSTRUCTING:
            text = "\n\n".join(part.text for part in message.parts if isinstance(part, Text))
            developer = message.role is Role.DEVELOPER and self._quirks.developer_role
            yield {"role": "developer" if developer else "system", "content": text}
        elif message.role is Role.ASSISTANT:
            yield from self._assistant(message.parts)
        else:
            yield from self._user(message.parts)

    def _user(self, parts: tuple[Part, ...]) -> Iterator[Item]:
        """Results first, whatever their place in the turn; then what was said."""
        for part in parts:
            if isinstance(part, ToolResult):
                yield self._result(part)
        said = [item for part in parts for item in content(part, self._quirks)]
        if said:
            yield {"role": "user", "content": as_content(said)}

    def _result(self, result: ToolResult) -> Item:
        kind = "custom_tool_call_output" if result.call_id in self._custom else "function_call_output"
        files = [part for part in result.parts if _is_file(part)]
        written: Item = {"type": kind, "call_id": call_identifier(result.call_id)}
        if files and self._quirks.result_images:
            told = [item for part in result.parts for item in content(part, self._quirks)]
            if result.is_error:
                told.insert(0, {"type": "input_text", "text": "Error:"})
            return written | {"output": told}
        text = text_of_result(result)
        if files:
            text = "\n".join(filter(None, (text, "[The files of this result follow in the next user message.]")))
            self._beside.append({"type": "input_text", "text": f"Files returned by the tool call {result.call_id}:"})
            self._beside.extend(item for part in files for item in content(part, self._quirks))
        return written | {"output": text}

    def _assistant(self, parts: tuple[Part, ...]) -> Iterator[Item]:
        """Items in the order of the parts. A thought that nothing follows is left out: OpenAI refuses it."""
        said: list[Item] = []
        thoughts: list[Item] = []
        for part in parts:
            if isinstance(part, Text | Refusal):
                said.extend(self._spoken(part))
                continue
            following = self._thought(part) if isinstance(part, Thinking) else self._acted(part)
            if following is None:
                continue
            if said:
                yield from thoughts
                yield {"role": "assistant", "content": said}
                said, thoughts = [], []
            if isinstance(part, Thinking):
                thoughts.append(following)
            else:
                yield from thoughts
                yield following
                thoughts = []
        if said:
            yield from thoughts
            yield {"role": "assistant", "content": said}

    def _spoken(self, part: Text | Refusal) -> Iterator[Item]:
        if isinstance(part, Refusal) and self._quirks.refusals:
            yield {"type": "refusal", "refusal": part.text}
        elif part.text:
            yield {"type": "output_text", "text": part.text}

    def _thought(self, part: Thinking) -> Item | None:
        if not self._thinks or part.origin != self._quirks.provider or part.signature is None:
            return None
        summary = [{"type": "summary_text", "text": part.text}] if part.text else []
        return {"type": "reasoning", "summary": summary, "encrypted_content": part.signature}

    def _acted(self, part: Part) -> Item | None:
        if isinstance(part, ToolCall):
            return self._call(part)
        if not isinstance(part, Unknown) or part.dialect != DIALECT or not isinstance(part.raw, dict):
            return None
        return part.raw if self._quirks.takes_item(str(part.raw.get("type")), self._model) else None

    def _call(self, call: ToolCall) -> Item:
        """A call; where only JSON can be said, the text of a free-form one is its single string `input`."""
        identifier = call_identifier(call.id)
        if call.custom and self._free_form:
            self._custom.add(call.id)
            return {"type": "custom_tool_call", "call_id": identifier, "name": call.name, "input": call.arguments}
        self._custom.discard(call.id)
        arguments = write_json({"input": call.arguments}).decode() if call.custom else call.arguments or "{}"
        return {"type": "function_call", "call_id": identifier, "name": call.name, "arguments": arguments}


def _is_file(part: Part) -> bool:
    return isinstance(part, Image) or (isinstance(part, Document) and part.text is None)
