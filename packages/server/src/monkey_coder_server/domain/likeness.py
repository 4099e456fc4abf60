"""What makes requests alike in what they take: facts and figures of a request, and of its words only hashes."""

import hashlib
from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import NamedTuple

from monkey_coder_server.domain.conversation import Message, ModelRequest, Part, Role, Text, ToolResult
from monkey_coder_server.domain.prompt_tokens import PromptSize

_new = tuple.__new__
"""Makes a named tuple in half the time its class takes."""
TAIL = 200
"""Characters at the end of a text that tell whether the same is asked again: files stand before the words."""


class Likeness(NamedTuple):
    """What is known of a request before it is served. `max_tokens` is the caller's own limit, None for none.

    `shape` is the work and what the answer may be; `size` grows by one as the prompt doubles. Hashes are of one
    account: of the `tools` and the form of answer it offers, its last `words`, and the `same` request as a whole.
    """

    account_id: str
    shape: str
    effort: str
    size: int
    turns: int
    max_tokens: int | None
    tools: str
    words: str
    same: str

    @classmethod
    def of(
        cls, account_id: str, shape: str, max_tokens: int | None, request: ModelRequest, size: PromptSize
    ) -> "Likeness":
        """Of a request of an account, whose shape is known by now."""
        messages = request.messages
        said = _last_words(messages)
        words, last = _tail(said), messages[-1].parts if messages else ()
        end = words if last is said else _tail(last)
        offered: tuple[object, ...] = (request.tool_choice, request.output)
        if request.tools:
            offered = (*[tool.name for tool in request.tools], *offered)
        turns = len(messages)
        tools = _offering_nothing(account_id) if offered == (None, None) else _hash(account_id, *offered)
        same = _hash(account_id, words, end, shape, max_tokens, turns, *offered)
        by_words, by_size = _hash(account_id, words), size.bytes.bit_length()
        return _new(cls, (account_id, shape, _effort(request), by_size, turns, max_tokens, tools, by_words, same))


class Lesson(NamedTuple):
    """What a request took at a model: `guessed` tokens of prompt by its family's weights, and what was counted."""

    likeness: Likeness
    model: str
    guessed: int
    input: int
    cache_read: int
    cache_write: int
    answer: int
    reasoning: int

    @property
    def kind(self) -> Hashable:
        """All but the words: what lessons have in common whose wide circles are the same."""
        return self.model, self.likeness[:-2]

    @property
    def figures(self) -> tuple[float, ...]:
        """Of the prompt its tokens by those guessed, and the shares a cache gave and took; then those of the output."""
        taken = self.input
        shares = (self.cache_read / taken, self.cache_write / taken)
        return (taken / max(1, self.guessed), *shares, self.answer, self.reasoning)


class Circles(NamedTuple):
    """The circles of likeness of a request at a model, widest first."""

    prompt: tuple[Hashable, ...]
    answer: tuple[Hashable, ...]
    thought: tuple[Hashable, ...]

    @classmethod
    def of(cls, like: Likeness, model: str) -> "Circles":
        """Of a request of this kind at a model."""
        everything, by_effort, by_turns, shape, size, of_shape, by_size, kind, kind_by_size, tools = wide(like, model)
        words, same, by_words, by_same = narrow(like, model)
        prompt = (everything, of_shape, kind, by_turns, by_words, by_same)
        answer = (shape, size, of_shape, by_size, kind, kind_by_size, tools, words, same, by_words, by_same)
        thought = (by_effort, of_shape, by_size, kind, by_words, by_same)
        return _new(cls, (prompt, answer, thought))


def wide(like: Likeness, model: str) -> tuple[Hashable, ...]:
    """The circles of requests at a model that are alike in all but their words (`Lesson.kind`)."""
    account_id, shape, effort, size, turns, max_tokens, tools, _, _ = like
    kind = (account_id, model, shape, effort, max_tokens)
    at_model = (model, (model, effort), (model, tools, turns))
    of_shape = (shape, (shape, size), (model, shape), (model, shape, size))
    return (*at_model, *of_shape, kind, (*kind, size), (shape, tools))


def narrow(like: Likeness, model: str) -> tuple[Hashable, ...]:
    """The circles of a request's words, and of the very same request."""
    words, same = like[-2:]
    return words, same, (model, words), (model, same)


def shape_of(task_type: str, request: ModelRequest) -> str:
    """The work of a request, and what its answer may be: calls of tools, of a form, what follows a tool's result."""
    after_results = False
    for part in request.messages[-1].parts if request.messages else ():
        after_results = after_results or isinstance(part, ToolResult)
    return f"{task_type} {bool(request.tools)} {request.output is not None} {after_results}"


def _effort(request: ModelRequest) -> str:
    thinking = request.reasoning
    return "" if thinking is None else f"{thinking.enabled} {thinking.effort} {thinking.budget_tokens}"


def _last_words(messages: tuple[Message, ...]) -> Iterable[Part]:
    """The last message of the user's own that says anything."""
    for message in reversed(messages):
        if message.role is Role.USER:
            for part in message.parts:
                if isinstance(part, Text):
                    return message.parts
    return ()


def _tail(parts: Iterable[Part]) -> str:
    said: list[str] = []
    for part in parts:
        if isinstance(part, Text):
            said.append(part.text)
        elif isinstance(part, ToolResult):
            said += [inner.text for inner in part.parts if isinstance(inner, Text)]
    return "".join(said)[-TAIL:]


@lru_cache(maxsize=4_096)
def _offering_nothing(account_id: str) -> str:
    """The hash of a request without tools or a form for its answer: that of most."""
    return _hash(account_id, None, None)


def _hash(*facts: object) -> str:
    return hashlib.blake2b(repr(facts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
