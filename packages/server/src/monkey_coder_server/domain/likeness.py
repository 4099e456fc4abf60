"""What makes requests alike in what they take: facts and figures of a request, and of its words only hashes."""

import hashlib
from collections.abc import Hashable, Iterable
from typing import NamedTuple

from monkey_coder_server.domain.conversation import Message, ModelRequest, Part, Role, Text, ToolResult
from monkey_coder_server.domain.prompt_tokens import PromptSize

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
        cls, account_id: str, task_type: str, max_tokens: int | None, request: ModelRequest, size: PromptSize
    ) -> "Likeness":
        """Of a request of an account."""
        shape, words = shape_of(task_type, request), _tail(_last_words(request.messages))
        last = _tail(request.messages[-1].parts) if request.messages else ""
        offered = (*(tool.name for tool in request.tools), request.tool_choice, request.output)
        return cls(
            account_id,
            shape,
            _effort(request),
            size.bytes.bit_length(),
            len(request.messages),
            max_tokens,
            tools=_hash(account_id, *offered),
            words=_hash(account_id, words),
            same=_hash(account_id, words, last, shape, max_tokens, len(request.messages), *offered),
        )


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


class Circles(NamedTuple):
    """The circles of likeness of a request at a model, widest first."""

    prompt: tuple[Hashable, ...]
    answer: tuple[Hashable, ...]
    thought: tuple[Hashable, ...]

    @classmethod
    def of(cls, like: Likeness, model: str) -> "Circles":
        """Of a request of this kind at a model."""
        shape, size = like.shape, like.size
        kind = (like.account_id, model, shape, like.effort, like.max_tokens)
        own = ((model, like.words), (model, like.same))
        return cls(
            prompt=(model, (model, shape), kind, (model, like.tools, like.turns), *own),
            answer=(
                shape,
                (shape, size),
                (model, shape),
                (model, shape, size),
                kind,
                (*kind, size),
                (shape, like.tools),
                like.words,
                like.same,
                *own,
            ),
            thought=((model, like.effort), (model, shape), (model, shape, size), kind, *own),
        )


def shape_of(task_type: str, request: ModelRequest) -> str:
    """The work of a request, and what its answer may be: calls of tools, of a form, what follows a tool's result."""
    last = request.messages[-1].parts if request.messages else ()
    after_results = any(isinstance(part, ToolResult) for part in last)
    return f"{task_type} {bool(request.tools)} {request.output is not None} {after_results}"


def _effort(request: ModelRequest) -> str:
    thinking = request.reasoning
    return "" if thinking is None else f"{thinking.enabled} {thinking.effort} {thinking.budget_tokens}"


def _last_words(messages: tuple[Message, ...]) -> Iterable[Part]:
    """The last message of the user's own that says anything."""
    for message in reversed(messages):
        if message.role is Role.USER and any(isinstance(part, Text) for part in message.parts):
            return message.parts
    return ()


def _tail(parts: Iterable[Part]) -> str:
    said = (part.parts if isinstance(part, ToolResult) else (part,) for part in parts)
    return "".join(part.text for several in said for part in several if isinstance(part, Text))[-TAIL:]


def _hash(*facts: object) -> str:
    return hashlib.blake2b(repr(facts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
