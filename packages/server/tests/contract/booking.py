"""Requests, settlements and a clock for tests of the books."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from msgspec.structs import replace

from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.books import Books, LeaseWish, Resolved
from monkey_coder_server.ports.ledger import (
    AttemptRecord,
    Charge,
    FailedRequest,
    HoldRequest,
    IdempotencyKey,
    Settlement,
)

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ACCOUNT = "acc_1"
KEY = "key_1"

_numbers = count(1)


@dataclass(slots=True)
class StillClock:
    """A clock that moves when told to."""

    moment: datetime = NOON
    seconds: float = field(default=1_000.0)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def forward(self, delta: timedelta) -> None:
        self.moment += delta
        self.seconds += delta.total_seconds()


def request_id() -> str:
    return f"req_{next(_numbers):026d}"


def hold_request(amount: int = 1_000, **changes: Any) -> HoldRequest:
    at = changes.get("at", NOON)
    asked = HoldRequest(request_id(), ACCOUNT, KEY, amount, at, at + timedelta(minutes=10))
    return replace(asked, **changes)


def lease_wish(wanted: int = 2_000, **changes: Any) -> LeaseWish:
    at = changes.get("at", NOON)
    wish = LeaseWish(
        f"lease_{next(_numbers)}",
        ACCOUNT,
        KEY,
        instance="here",
        wanted=wanted,
        least=1,
        at=at,
        expires_at=at + timedelta(minutes=15),
    )
    return replace(wish, **changes)


def resolved(request: HoldRequest, lease_id: str | None, price: int = 600, **changes: Any) -> Resolved:
    """A request that was served, as the journal tells of it."""
    ending = changes.pop("ending", None) or settlement(request, price)
    charged = min(request.amount, ending.price) if isinstance(ending, Settlement) else 0
    return replace(Resolved(request, lease_id, ending, charged), **changes)


async def settle(
    books: Books, request: HoldRequest, price: int = 600, *, result: bytes | None = None, **changes: Any
) -> Charge:
    """Book a request that was held directly and served; its charge."""
    served = resolved(request, None, ending=settlement(request, price, **changes), result=result)
    assert await books.ship([served]) == {}
    charge = await books.charge(request.request_id)
    assert charge is not None
    return charge


async def fail(books: Books, request: HoldRequest, **changes: Any) -> None:
    """Book a request that was held directly and failed."""
    assert await books.ship([resolved(request, None, ending=failure(request, **changes))]) == {}


def idempotent(key: str = "task-1", body: bytes = b"a") -> IdempotencyKey:
    return IdempotencyKey(key, body.ljust(32, b"."))


def settlement(request: HoldRequest, price: int = 600, **changes: Any) -> Settlement:
    served = Settlement(
        request_id=request.request_id,
        account_id=request.account_id,
        key_id=request.key_id,
        at=request.at + timedelta(seconds=3),
        provider="openai",
        model="gpt-5",
        usage=Usage(uncached_input=100, cache_read=20, output=30, reasoning=10),
        provider_cost=500,
        price=price,
        price_row="openai/gpt-5",
        price_book="0a1b2c",
        markup_basis_points=2_000,
        attempts=(AttemptRecord("openai", "gpt-5", "served", 120, 900, "resp_1"),),
        finish_reason="stop",
        stream=False,
        task_type="code_generation",
        persona="developer",
        latency_ms=900,
        first_byte_ms=120,
    )
    return replace(served, **changes)


def failure(request: HoldRequest, **changes: Any) -> FailedRequest:
    failed = FailedRequest(
        request_id=request.request_id,
        account_id=request.account_id,
        key_id=request.key_id,
        at=request.at + timedelta(seconds=3),
        error_code="provider_error",
        message="The provider refused.",
    )
    return replace(failed, **changes)
