"""What is noted of every request: figures and names, never a prompt or an answer."""

from typing import Protocol

from monkey_coder_server.ports.ledger import AttemptRecord
from monkey_coder_server.ports.record import Record


class RequestRecord(Record, frozen=True):
    """One finished request. `status` is `served` or an error code; money in nano-dollars; times in milliseconds.

    `loss` is what the house bears: cost beyond the hold, or of answers nobody pays for.
    """

    request_id: str
    account_id: str
    key_id: str
    endpoint: str
    status: str
    provider: str | None
    model: str | None
    stream: bool
    task_type: str
    persona: str
    latency_ms: int
    first_byte_ms: int | None = None
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    price: int = 0
    provider_cost: int = 0
    loss: int = 0
    estimated: bool = False
    client_gone: bool = False
    attempts: tuple[AttemptRecord, ...] = ()


class Telemetry(Protocol):
    """Where finished requests are counted and logged."""

    def record(self, record: RequestRecord) -> None:
        """Take one record; never blocks, never raises."""

    def defect(self, where: str, error: BaseException) -> None:
        """Count and log an unforeseen exception that was contained; never its arguments' prompt text."""
