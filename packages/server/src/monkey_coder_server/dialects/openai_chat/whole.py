"""A whole answer's message: the fold of its deltas, so that it says what its stream would have said."""

from collections.abc import Sequence

from monkey_coder_server.dialects.openai_chat.answer import Composer, Delta
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.stream_events import Event

_TEXTS = ("content", "refusal", "reasoning_content")
_LISTS = ("annotations", "reasoning_details")


def compose(composer: Composer, events: Sequence[Event]) -> Delta:
    """The message these events add up to."""
    whole = _Whole()
    for event in events:
        if (delta := composer.take(event)) is not None:
            whole.add(delta)
    for delta in composer.close():
        whole.add(delta)
    return whole.message()


class _Whole:
    """Takes deltas, gives the message."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {name: [] for name in _TEXTS}
        self._lists: dict[str, list[Json]] = {name: [] for name in _LISTS}
        self._calls: list[Delta] = []
        self._arguments: list[list[str]] = []
        self._function: Delta = {}

    def add(self, delta: Delta) -> None:
        """Take the next delta; each holds one addition."""
        for name, value in delta.items():
            if name in self._texts:
                self._texts[name].append(value)
            elif name in self._lists:
                self._lists[name].extend(value)
            elif name == "tool_calls":
                self._add_call(value[0])
            else:
                arguments = self._function.get("arguments", "") + value["arguments"]
                self._function = {**self._function, **value, "arguments": arguments}

    def message(self) -> Delta:
        """The message so far; a field without content is null where the official SDK has it, else absent."""
        texts = {name: "".join(pieces) for name, pieces in self._texts.items()}
        calls = [
            {**call, call["type"]: {**call[call["type"]], _text_field(call): "".join(pieces)}}
            for call, pieces in zip(self._calls, self._arguments, strict=True)
        ]
        silent = bool(calls or self._function or texts["refusal"])
        message: Delta = {"role": "assistant", "content": texts["content"] or (None if silent else "")}
        message |= {"refusal": texts["refusal"] or None, "annotations": _bare(self._lists["annotations"])}
        optional = {
            "reasoning_content": texts["reasoning_content"],
            "reasoning_details": self._lists["reasoning_details"],
            "tool_calls": calls,
            "function_call": self._function,
        }
        return message | {name: value for name, value in optional.items() if value}

    def _add_call(self, piece: Delta) -> None:
        index = piece["index"]
        if index == len(self._calls):
            self._calls.append({name: value for name, value in piece.items() if name != "index"})
            self._arguments.append([])
            return
        call = self._calls[index]
        self._arguments[index].append(piece[call["type"]][_text_field(call)])


def _bare(entries: list[Json]) -> list[Json]:
    """Entries of a list without the numbers that put together a stream's."""
    return [{name: value for name, value in entry.items() if name != "index"} for entry in entries]


def _text_field(call: Delta) -> str:
    return "input" if call["type"] == "custom" else "arguments"
