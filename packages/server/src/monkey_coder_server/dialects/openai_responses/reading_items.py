"""Reads input items as turns: what a model said in a row is one message, and so are the results in a row."""

from collections.abc import Iterator

from monkey_coder_server.dialects.fields import Fields
from monkey_coder_server.dialects.openai_responses.names import DIALECT
from monkey_coder_server.dialects.openai_responses.reading_parts import read_parts
from monkey_coder_server.dialects.openai_responses.sealed import Proof, unseal
from monkey_coder_server.dialects.openai_responses.tool_names import ToolNames
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

OFFERS = frozenset({"additional_tools", "tool_search_output"})
"""Items that bring tools along."""
_ROLES = {"system": Role.SYSTEM, "developer": Role.DEVELOPER, "user": Role.USER, "assistant": Role.ASSISTANT}
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
_OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output"})
_SAYABLE = (Text, Refusal, ToolCall)
"""What every dialect can say of a model's turn; the rest waits for a turn that holds one of these."""


class Turns:
    """Gathers messages from items in their order. `lost` names what only this dialect understands."""

    def __init__(self, names: ToolNames) -> None:
        self._names = names
        self._messages: list[Message] = []
        self._said: list[Part] = []
        self._results: list[Part] = []
        self._proof: Proof | None = None
        self.lost: dict[str, None] = {}

    def take(self, item: Fields) -> None:
        """Read one item."""
        kind = item.text("type") or ("message" if "role" in item.raw else item.needed_text("type"))
        if kind == "message":
            self._take_message(item)
        elif kind in _CALLS:
            self._say(self._call(item, kind))
        elif kind in _OUTPUTS:
            self._take_output(item)
        elif kind == "reasoning":
            self._take_reasoning(item)
        elif kind == "item_reference":
            item.refuse("id", "refers to an item this gateway does not hold; send the item itself")
        elif kind != "additional_tools":
            self.lost[f"input.{kind}"] = None
            self._say(Unknown(DIALECT, item.raw))

    def messages(self) -> tuple[Message, ...]:
        """All turns, when nothing more comes."""
        self._end_results()
        if self._said:
            self._messages.append(Message(Role.ASSISTANT, tuple(self._said)))
        return tuple(self._messages)

    def _take_message(self, item: Fields) -> None:
        role = _ROLES.get(item.needed_text("role"))
        if role is None:
            item.refuse("role", f"must be one of {', '.join(_ROLES)}")
        parts = tuple(self._noted(read_parts(item, "content")))
        if role is Role.ASSISTANT:
            self._say(*parts)
            return
        self._end_turn()
        self._end_results()
        self._messages.append(Message(role, parts))

    def _take_output(self, item: Fields) -> None:
        self._end_turn()
        parts = tuple(
            part
            for part in self._noted(read_parts(item, "output"))
            if isinstance(part, Text | Image | Document | Unknown)
        )
        self._results.append(ToolResult(item.needed_text("call_id"), parts))

    def _take_reasoning(self, item: Fields) -> None:
        texts = [part.text for part in read_parts(item, "summary") if isinstance(part, Text)]
        texts = texts or [part.text for part in read_parts(item, "content") if isinstance(part, Text)]
        text, given = "\n\n".join(texts), item.text("encrypted_content")
        if given is None:
            if text:
                self._say(Thinking(text))
            return
        proof = unseal(given)
        if proof.of_call:
            self._proof = proof
        else:
            self._say(Thinking(text, proof.signature, proof.redacted, proof.origin))

    def _call(self, item: Fields, kind: str) -> ToolCall:
        proof, self._proof = self._proof, None
        return ToolCall(
            item.needed_text("call_id"),
            self._names.flat(item.text("namespace"), item.needed_text("name")),
            item.needed_text(_CALLS[kind]),
            kind == "custom_tool_call",
            None if proof is None else proof.signature,
            None if proof is None else proof.origin,
        )

    def _say(self, *parts: Part) -> None:
        self._end_results()
        self._said.extend(parts)

    def _end_turn(self) -> None:
        if any(isinstance(part, _SAYABLE) for part in self._said):
            self._messages.append(Message(Role.ASSISTANT, tuple(self._said)))
            self._said.clear()

    def _end_results(self) -> None:
        if self._results:
            self._messages.append(Message(Role.TOOL, tuple(self._results)))
            self._results.clear()

    def _noted(self, parts: Iterator[Part]) -> Iterator[Part]:
        for part in parts:
            if isinstance(part, Unknown):
                self.lost[f"input.{part.raw['type']}"] = None
            yield part
