"""What a wire format is at the front door: requests read, answers, streams and refusals written. Pure, like `Dialect`.

A front is stateless; what an answer's writer must know of its request travels in `Inbound.form`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from monkey_coder_server.domain.catalog import Kind
from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.stream_events import Event, FinishReason
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.record import Record


class Envelope(Record, frozen=True, kw_only=True):
    """An HTTP request around its body. `headers` are lower case; `path_model` and `stream` where the path says them."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    path_model: str | None = None
    stream: bool | None = None


class Inbound(Record, frozen=True, kw_only=True):
    """A request read. `model` as the caller named it, of that `kind`. `form` is the dialect's note for its writers.

    `lost` names what the neutral conversation could not keep; it only matters where the answer is not relayed.
    """

    request: ModelRequest
    model: str | None
    stream: bool
    form: Any = None
    lost: tuple[str, ...] = ()
    kind: Kind = Kind.CHAT


class Told(Record, frozen=True, kw_only=True):
    """Who answers. `request_id` is ours (`req_…`), `created` in Unix seconds, `model` the provider's id of it."""

    request_id: str
    created: int
    provider: str
    model: str


class Bill(Record, frozen=True, kw_only=True):
    """How an answer ended and what it cost the caller, in nano-dollars; 0 and no receipt where nothing was charged.

    `provider` is who gave it.
    """

    usage: Usage
    cost: int
    receipt_id: str | None
    finish: FinishReason
    native_finish: str | None = None
    provider: str = ""


class Problem(Record, frozen=True, kw_only=True):
    """An error to be told: our stable code and HTTP status, one sentence, seconds to wait."""

    code: str
    status: int
    message: str
    request_id: str
    retry_after: float | None = None
    facts: Mapping[str, str]


class Refusal(Record, frozen=True):
    """An error in the caller's dialect."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class AnswerWriter(Protocol):
    """Writes one streamed answer as bytes of whole frames, in order: `begin`, `write`…, then `end` or `fail`.

    For a relayed answer `write` is given its `Frame`s alone. The frames that end it are kept back until `end`, which
    adds the cost and makes the sequence complete also where the provider's own end never came.
    """

    def begin(self) -> bytes:
        """What opens the stream; may be empty."""

    def write(self, events: Sequence[Event]) -> bytes:
        """What these events say; may be empty."""

    def end(self, bill: Bill) -> bytes:
        """Close what is open and finish, with usage and cost."""

    def fail(self, problem: Problem) -> bytes:
        """Report an error in mid-stream."""


@runtime_checkable
class Finishing(Protocol):
    """A writer that can tell what it has written, for a dialect whose callers may ask for an answer again."""

    def finished(self) -> bytes:
        """The whole answer, once it has ended."""


class Front(Protocol):
    """One wire format as our callers speak it. `keep_alive` is what may be sent into a silence; None for nothing."""

    name: str
    """The dialect; equal to `Dialect.name` where a provider speaks it too."""
    keep_alive: bytes | None

    def content_type(self, inbound: Inbound) -> bytes:
        """Of the answer's stream."""

    def read(self, body: bytes, envelope: Envelope) -> Inbound:
        """Read a request; unknown fields are kept. Raises `InvalidRequest` with one helpful sentence."""

    def write(self, inbound: Inbound, told: Told, events: Sequence[Event], bill: Bill) -> bytes:
        """A whole answer from its events: the same fold as a stream's."""

    def relay(self, inbound: Inbound, body: bytes, bill: Bill) -> bytes:
        """A whole answer of the same dialect: the provider's bytes with the cost added to its usage."""

    def writer(self, inbound: Inbound, told: Told, *, relayed: bool) -> AnswerWriter:
        """A writer for one streamed answer."""

    def refuse(self, problem: Problem) -> Refusal:
        """An error as this dialect's own SDK expects it (CONTRACT §3: statuses that stop its agents)."""
