"""Any order of grants, holds, endings and expiries: the books do what the pure rules say."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer
from monkey_coder_server.domain import ledger as rules
from monkey_coder_server.domain.errors import InsufficientCredit
from monkey_coder_server.domain.ledger import Funds, HoldRecord, HoldState
from monkey_coder_server.ports.ledger import HoldRequest
from packages.server.tests.adapters.storage.stores import Books, open_books
from packages.server.tests.contract.booking import ACCOUNT, fail, hold_request, resolved

AMOUNT = st.integers(0, 4_000)
WHICH = st.integers(0, 30)
STEP = st.one_of(
    st.tuples(st.just("grant"), st.integers(1, 3_000), st.integers(0, 5)),
    st.tuples(st.just("hold"), AMOUNT, st.sampled_from([0, 1, 2])),
    st.tuples(st.just("settle"), AMOUNT, WHICH),
    st.tuples(st.just("void"), st.sampled_from([0, 0, 30]), WHICH),
    st.tuples(st.just("wait"), st.integers(0, 7), WHICH),
)
Step = tuple[str, int, int]


@dataclass(slots=True)
class Oracle:
    """What the pure rules say should be."""

    funds: Funds = field(default_factory=lambda: Funds(10_000, 0))
    grants: set[int] = field(default_factory=set)
    requests: list[HoldRequest] = field(default_factory=list)
    holds: dict[str, HoldRecord] = field(default_factory=dict)

    def resolve(self, request: HoldRequest, outcome: HoldState, price: int = 0) -> HoldRecord:
        hold = self.holds[request.request_id]
        self.funds, self.holds[request.request_id] = rules.resolve(self.funds, hold, outcome, price)
        return self.holds[request.request_id]

    def pay_late(self, request: HoldRequest, price: int) -> None:
        """The true end of a request whose hold was given up: paid from what is free."""
        hold = self.holds[request.request_id]
        paid = min(rules.clamp(price, hold.amount)[0], self.funds.available)
        self.funds = replace(self.funds, balance=self.funds.balance - paid)
        self.holds[request.request_id] = replace(hold, state=HoldState.SETTLED, charged=paid)

    def pick(self, which: int) -> HoldRequest:
        return self.requests[which % len(self.requests)] if self.requests else hold_request()


async def grant(books: Books, oracle: Oracle, amount: int, key: int) -> None:
    wallet = await books.ledger.grant(ACCOUNT, amount, reason="test", idempotency_key=str(key))
    if key not in oracle.grants:
        oracle.grants.add(key)
        oracle.funds = rules.add(oracle.funds, amount)
    assert wallet.balance == oracle.funds.balance


async def hold(books: Books, oracle: Oracle, amount: int, key: int) -> None:
    request = hold_request(amount, key_id=f"key_{key}", at=books.clock.now())
    allowed = rules.reserve(oracle.funds, amount)
    try:
        await books.books.place(request)
    except InsufficientCredit:
        assert allowed is None
        return
    assert allowed is not None
    oracle.funds, oracle.holds[request.request_id] = allowed
    oracle.requests.append(request)


async def serve(books: Books, oracle: Oracle, price: int, which: int) -> None:
    request = oracle.pick(which)
    if request.request_id not in oracle.holds:
        return
    if oracle.holds[request.request_id].state is HoldState.EXPIRED:
        oracle.pay_late(request, price)
    told = oracle.resolve(request, HoldState.SETTLED, price)
    assert await books.books.ship([resolved(request, None, price)]) == {}
    charge = await books.books.charge(request.request_id)
    assert (charge is not None) == (told.state is HoldState.SETTLED)
    assert charge is None or charge.charged == told.charged


async def void(books: Books, oracle: Oracle, cost: int, which: int) -> None:
    request = oracle.pick(which)
    if request.request_id not in oracle.holds:
        return
    await fail(books.books, request, provider_cost=cost)
    oracle.resolve(request, HoldState.VOIDED)
    hold = oracle.holds[request.request_id]
    if hold.state is HoldState.EXPIRED:
        oracle.holds[request.request_id] = replace(hold, state=HoldState.VOIDED)


async def wait(books: Books, oracle: Oracle, minutes: int, _which: int) -> None:
    books.clock.forward(timedelta(minutes=minutes))
    now = books.clock.now()
    overdue = [
        request
        for request in oracle.requests
        if request.expires_at < now and oracle.holds[request.request_id].state is HoldState.OPEN
    ]
    assert await books.ledger.expire_holds(now) == len(overdue)
    for request in overdue:
        oracle.resolve(request, HoldState.EXPIRED)


DO: dict[str, Callable[[Books, Oracle, int, int], Coroutine[Any, Any, None]]] = {
    "grant": grant,
    "hold": hold,
    "settle": serve,
    "void": void,
    "wait": wait,
}


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(STEP, max_size=40))
async def test_the_ledger_follows_the_rules(template: Path, signer: Ed25519Signer, steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with open_books(template, Path(directory) / "books.db", signer) as books:
            oracle = Oracle()
            for name, amount, which in steps:
                await DO[name](books, oracle, amount, which)
            await books.writer.perform(lambda _: None)
            wallet = await books.ledger.wallet(ACCOUNT)
            assert Funds(wallet.balance, wallet.held) == oracle.funds
            report = await books.ledger.verify()
            assert report.sound, report.details


@settings(max_examples=15, deadline=None)
@given(plans=st.lists(st.lists(STEP, max_size=12), min_size=2, max_size=6))
async def test_clients_in_each_others_way_leave_sound_books(
    template: Path, signer: Ed25519Signer, plans: list[list[Step]]
) -> None:
    """All share the same requests, so the same hold is settled, voided and expired at once."""
    with tempfile.TemporaryDirectory() as directory:
        async with open_books(template, Path(directory) / "books.db", signer) as books:
            shared = [hold_request(amount) for amount in (0, 900, 1_800, 2_700, 3_600)]
            await asyncio.gather(*[_client(books, shared, plan) for plan in plans])
            report = await books.ledger.verify()
            assert report.sound, report.details
            assert (await books.ledger.wallet(ACCOUNT)).available >= 0


async def _client(books: Books, shared: list[HoldRequest], plan: list[Step]) -> None:
    for name, amount, which in plan:
        request = shared[which % len(shared)]
        match name:
            case "grant":
                await books.ledger.grant(ACCOUNT, amount + 1, reason="test", idempotency_key=str(which))
            case "hold":
                await asyncio.gather(books.books.place(request), return_exceptions=True)
            case "settle":
                await books.books.ship([resolved(request, None, amount)])
            case "void":
                await fail(books.books, request, provider_cost=amount)
            case _:
                await books.ledger.expire_holds(request.expires_at + timedelta(minutes=amount - 3))
