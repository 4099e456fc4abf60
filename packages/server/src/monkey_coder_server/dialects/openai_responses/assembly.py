"""Turns the items of an answer, whole or as they grow, into events."""

import re
from collections.abc import Callable
from typing import Final

from monkey_coder_server.dialects.openai_responses.ending import failure_of, finish_of
from monkey_coder_server.dialects.openai_responses.events import Said, json_of
from monkey_coder_server.dialects.openai_responses.usage import is_search, read_usage
from monkey_coder_server.dialects.wire import as_list, as_object, as_text
from monkey_coder_server.domain.conversation import Citation, Json
from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.domain.stream_events import (
    Cited,
    Event,
    Failed,
    Finished,
    Opened,
    RefusalDelta,
    ServerItem,
    TextDelta,
    ThinkingClosed,
    ThinkingDelta,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallOpened,
    UsageReported,
)

CALLS: Final = {"function_call": "arguments", "custom_tool_call": "input"}
"""Calls for the caller to make, and where their text stands."""
FOR_THE_CALLER: Final = frozenset(
    {"computer_call", "local_shell_call", "shell_call", "apply_patch_call", "mcp_approval_request"}
)
"""Other items the caller has to act on, with no neutral name."""
_OPENING: Final = frozenset({"response.queued", "response.created", "response.in_progress"})
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_-]")
_BETWEEN_PARTS = "\n"
"""Stands between the parts of one item's reasoning summary, as the official SDK's readers join them."""


class _Item:
    """One item on its way: what it is, which call it is, and how much of it has been told."""

    __slots__ = ("call", "kind", "parts", "told")

    def __init__(self, kind: str, call: int | None) -> None:
        self.kind = kind
        self.call = call
        self.parts = 0
        self.told = False


class Assembly:
    """The state of one answer. Events are appended to the list given to each method."""

    __slots__ = (
        "_calls",
        "_ended",
        "_items",
        "_opened",
        "_over",
        "_provider",
        "_refused",
        "_response_id",
        "_searches",
        "_waits",
    )

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._opened = False
        self._response_id: str | None = None
        self._calls = 0
        self._refused = False
        self._waits = False
        self._searches = 0
        self._items: dict[int, _Item] = {}
        self._ended: set[int] = set()
        self._over = False

    def over(self) -> bool:
        """Whether the last event has been given."""
        return self._over

    def take(self, said: Said, out: list[Event]) -> None:
        """Read one event of a stream. Types nobody here knows mean nothing."""
        kind = said.type or ""
        step = _STEPS.get(kind)
        if step is None and kind not in _OPENING:
            return
        if not self._opened:
            self._open(as_object(json_of(said.response)), out)
        if step is not None:
            step(self, said, out)

    def finish(self, response: dict[str, Json], out: list[Event]) -> None:
        """The answer is complete; `response` is all of it."""
        if not self._opened:
            self._open(response, out)
        for index, item in enumerate(as_list(response.get("output"))):
            if index not in self._ended:
                self._end(index, as_object(item), out)
        for item in self._items.values():
            self._close_call(item, out)
        self._report(response, out)
        reason, native = finish_of(response, calls=self._calls > 0, refused=self._refused, waits=self._waits)
        out.append(Finished(reason, native))
        self._over = True

    def fail_with(self, failure: ProviderFailure, out: list[Event]) -> None:
        """The answer breaks off. A call cut off in the middle is not closed: it must never look complete."""
        out.append(Failed(failure))
        self._over = True

    def fail(self, kind: FailureKind, message: str, out: list[Event]) -> None:
        """The answer breaks off, in our words."""
        self.fail_with(ProviderFailure(self._provider, kind, message), out)

    def _open(self, response: dict[str, Json], out: list[Event]) -> None:
        """Tell who answers."""
        self._opened = True
        self._response_id = as_text(response.get("id"))
        out.append(Opened(self._response_id, as_text(response.get("model"))))

    def finish_response(self, said: Said, out: list[Event]) -> None:
        """The whole answer came with its end."""
        self.finish(as_object(json_of(said.response)), out)

    def fail_response(self, said: Said, out: list[Event]) -> None:
        """The provider gave up on the answer."""
        response = as_object(json_of(said.response))
        self._report(response, out)
        self.fail_with(failure_of(self._provider, {"error": response.get("error")}), out)

    def begin_item(self, said: Said, out: list[Event]) -> None:
        """An item begins."""
        self._begin(said.output_index or 0, as_object(json_of(said.item)), out)

    def end_item(self, said: Said, out: list[Event]) -> None:
        """An item is complete."""
        self._end(said.output_index or 0, as_object(json_of(said.item)), out)

    def grow_text(self, said: Said, out: list[Event]) -> None:
        """A piece of text."""
        if self._grows(said):
            out.append(TextDelta(said.delta or ""))

    def grow_refusal(self, said: Said, out: list[Event]) -> None:
        """A piece of a refusal."""
        if self._grows(said):
            self._refused = True
            out.append(RefusalDelta(said.delta or ""))

    def grow_thinking(self, said: Said, out: list[Event]) -> None:
        """A piece of reasoning."""
        if self._grows(said):
            out.append(ThinkingDelta(said.delta or ""))

    def grow_call(self, said: Said, out: list[Event]) -> None:
        """A piece of a call's arguments."""
        item = self._items.get(said.output_index or 0)
        if item is not None and item.call is not None and said.delta:
            item.told = True
            out.append(ToolCallDelta(item.call, said.delta))

    def next_part(self, said: Said, out: list[Event]) -> None:
        """Another part of a reasoning summary begins."""
        item = self._items.get(said.output_index or 0)
        if item is not None:
            if item.parts:
                out.append(ThinkingDelta(_BETWEEN_PARTS))
            item.parts += 1

    def cite(self, said: Said, out: list[Event]) -> None:
        """A source for the text."""
        out.append(Cited(_citation(json_of(said.annotation))))

    def _grows(self, said: Said) -> bool:
        """Whether the event holds a piece; its item has been told of then."""
        if not said.delta:
            return False
        item = self._items.get(said.output_index or 0)
        if item is not None:
            item.told = True
        return True

    def _begin(self, index: int, record: dict[str, Json], out: list[Event]) -> _Item:
        kind = as_text(record.get("type")) or ""
        call = None
        if kind in CALLS:
            call, self._calls = self._calls, self._calls + 1
            given, name = as_text(record.get("call_id")), as_text(record.get("name"))
            own = f"call_{_NOT_IN_IDS.sub('_', self._response_id or 'none')}_{call}"
            out.append(ToolCallOpened(call, given or own, name or "", kind == "custom_tool_call"))
        item = self._items[index] = _Item(kind, call)
        return item

    def _end(self, index: int, record: dict[str, Json], out: list[Event]) -> None:
        """The item is complete; what of it has not been told yet is told now."""
        item = self._items.get(index) or self._begin(index, record, out)
        del self._items[index]
        self._ended.add(index)
        if item.call is not None:
            text = as_text(record.get(CALLS[item.kind]))
            if text and not item.told:
                out.append(ToolCallDelta(item.call, text))
            self._close_call(item, out)
        elif item.kind == "message":
            self._end_message(item, record, out)
        elif item.kind == "reasoning":
            self._end_reasoning(item, record, out)
        elif item.kind:
            self._searches += is_search(record)
            self._waits = self._waits or item.kind in FOR_THE_CALLER or _is_left_to_the_caller(record)
            out.append(ServerItem(item.kind, record))

    def _end_message(self, item: _Item, record: dict[str, Json], out: list[Event]) -> None:
        if item.told:
            return
        for part in map(as_object, as_list(record.get("content"))):
            text, refusal = as_text(part.get("text")), as_text(part.get("refusal"))
            if text:
                out.append(TextDelta(text))
            elif refusal:
                self._refused = True
                out.append(RefusalDelta(refusal))
            out.extend(Cited(_citation(note)) for note in as_list(part.get("annotations")))

    def _end_reasoning(self, item: _Item, record: dict[str, Json], out: list[Event]) -> None:
        if not item.told:
            parts = [*as_list(record.get("summary")), *as_list(record.get("content"))]
            text = _BETWEEN_PARTS.join(as_text(as_object(part).get("text")) or "" for part in parts)
            if text:
                item.told = True
                out.append(ThinkingDelta(text))
        proof = as_text(record.get("encrypted_content"))
        if item.told or proof:
            out.append(ThinkingClosed(proof))

    @staticmethod
    def _close_call(item: _Item, out: list[Event]) -> None:
        if item.call is not None:
            out.append(ToolCallClosed(item.call))

    def _report(self, response: dict[str, Json], out: list[Event]) -> None:
        usage = read_usage(response, searches=self._searches)
        if usage is not None:
            out.append(UsageReported(usage))


def _is_left_to_the_caller(record: dict[str, Json]) -> bool:
    """A search among the caller's own tools, which Codex runs itself."""
    return record.get("type") == "tool_search_call" and record.get("execution") == "client"


def _citation(note: Json) -> Citation:
    inner = as_object(note)
    return Citation(url=as_text(inner.get("url")), title=as_text(inner.get("title")), raw=note)


_STEPS: dict[str, Callable[[Assembly, Said, list[Event]], None]] = {
    "response.completed": Assembly.finish_response,
    "response.incomplete": Assembly.finish_response,
    "response.failed": Assembly.fail_response,
    "response.output_item.added": Assembly.begin_item,
    "response.output_item.done": Assembly.end_item,
    "response.output_text.delta": Assembly.grow_text,
    "response.output_text.annotation.added": Assembly.cite,
    "response.refusal.delta": Assembly.grow_refusal,
    "response.reasoning_summary_part.added": Assembly.next_part,
    "response.reasoning_summary_text.delta": Assembly.grow_thinking,
    "response.reasoning_text.delta": Assembly.grow_thinking,
    "response.function_call_arguments.delta": Assembly.grow_call,
    "response.custom_tool_call_input.delta": Assembly.grow_call,
}
