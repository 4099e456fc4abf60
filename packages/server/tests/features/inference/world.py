"""A small world around the request path: books in memory, and providers that speak their wire formats by script."""

import asyncio
import itertools
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from monkey_coder_server.domain.bandit.checkpoint import Delta, Stored, Sum
from monkey_coder_server.domain.bandit.context import Node
from monkey_coder_server.domain.bandit.evidence import Tally
from monkey_coder_server.domain.errors import (
    BudgetExceeded,
    FailureKind,
    IdempotencyConflict,
    InsufficientCredit,
    ProviderFailure,
    RequestInProgress,
)
from monkey_coder_server.domain.likeness import Lesson
from monkey_coder_server.domain.limits import LimitReached, Need, Standing, refusing
from monkey_coder_server.domain.money import usd
from monkey_coder_server.ports.answers import StoredAnswer
from monkey_coder_server.ports.clock import Ids
from monkey_coder_server.ports.ledger import (
    HOUSE,
    Charge,
    FailedRequest,
    Hold,
    HoldRequest,
    IdempotencyKey,
    Remember,
    Replay,
    Settlement,
    SignedReceipt,
    Wallet,
)
from monkey_coder_server.ports.provider import WireRequest
from monkey_coder_server.ports.quotes import StoredQuote
from monkey_coder_server.ports.telemetry import RequestRecord
from monkey_coder_server.ports.upstream import Deadlines, UpstreamFailed

ACCOUNT = "acct_1"
USD = 1_000_000_000


class LoopClock:
    """Real monotonic time, and a fixed day."""

    def __init__(self) -> None:
        self.today = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.today

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


def counting_ids(first: int = 1) -> Ids:
    numbers = itertools.count(first)
    return Ids(lambda prefix: f"{prefix}_{next(numbers):026d}")


class Books:
    """`ports.ledger.Ledger` in memory, with the same rules. `events` is the order in which things were made durable."""

    def __init__(self, balance: int = 5 * USD, cap: int | None = None) -> None:
        self.balance = balance
        self.cap = cap
        self.limits: list[Standing] = []
        self.asked: list[HoldRequest] = []
        self.open: dict[str, HoldRequest] = {}
        self.settled: dict[str, tuple[Settlement, Charge]] = {}
        self.voided: dict[str, FailedRequest] = {}
        self.claims: dict[str, tuple[bytes, str]] = {}
        self.bodies: dict[str, bytes] = {}
        self.events: list[tuple[str, str]] = []
        self.drafts: dict[str, list[Settlement | FailedRequest]] = {}
        self.kept_at_once = True
        self.durable_delay = 0.0
        self.fail: deque[Exception] = deque()

    @property
    def held(self) -> int:
        return sum(request.amount for request in self.open.values())

    async def hold(self, request: HoldRequest) -> Hold | Replay:
        await asyncio.sleep(0)
        claim = request.idempotency
        if claim is not None and (replay := await self.earlier(request.account_id, claim)) is not None:
            return replay
        free = self.balance - self.held
        if request.amount > free:
            facts = {"available_usd": usd(free), "balance_usd": usd(self.balance), "needed_usd": usd(request.amount)}
            raise InsufficientCredit("too little", facts=facts)
        if self.cap is not None and request.amount > self.cap:
            raise BudgetExceeded("cap", facts={"limit": "key_day_cap", "available_usd": usd(self.cap)})
        self.asked.append(request)
        need = Need(request.amount, request.tokens, request.models)
        short = refusing(self.limits, need)
        if short is not None:
            raise LimitReached(short, need.of(short.limit), request.at)
        self.open[request.request_id] = request
        if claim is not None:
            self.claims[claim.key] = (claim.fingerprint, request.request_id)
        self.events.append(("hold", request.request_id))
        return Hold(request.request_id, request.account_id, request.amount)

    async def earlier(self, account_id: str, key: IdempotencyKey) -> Replay | None:
        assert account_id
        if key.key not in self.claims:
            return None
        fingerprint, owner = self.claims[key.key]
        if fingerprint != key.fingerprint:
            raise IdempotencyConflict("another body")
        if owner in self.bodies:
            return Replay(owner, self.bodies[owner])
        raise RequestInProgress("in flight", retry_after=1)

    def bear(self, request_id: str, at: datetime) -> Hold:
        self.open[request_id] = HoldRequest(request_id, HOUSE, HOUSE, 0, at, expires_at=at)
        return Hold(request_id, HOUSE, 0)

    def underway(self, hold: Hold, draft: Settlement | FailedRequest) -> None:
        self.drafts.setdefault(hold.request_id, []).append(draft)

    def keeps(self, hold: Hold) -> bool:
        return self.kept_at_once and bool(self.drafts[hold.request_id])

    async def durable(self, hold: Hold) -> None:
        await asyncio.sleep(self.durable_delay)
        self.events.append(("durable", hold.request_id))

    async def settle(self, settlement: Settlement, *, remember: Remember | None = None) -> Charge:
        await asyncio.sleep(0)
        if self.fail:
            raise self.fail.popleft()
        if settlement.request_id in self.settled:
            return self.settled[settlement.request_id][1]
        held = self.open.pop(settlement.request_id)
        charged = min(held.amount, settlement.price)
        self.balance -= charged
        charge = Charge(
            settlement.request_id,
            f"rcpt_{settlement.request_id}",
            charged,
            settlement.provider_cost,
            settlement.price - charged,
            self.balance,
        )
        self.settled[settlement.request_id] = (settlement, charge)
        if remember is not None and held.idempotency is not None:
            self.bodies[settlement.request_id] = remember(charge)
        self.events.append(("settle", settlement.request_id))
        return charge

    async def void(self, failed: FailedRequest) -> None:
        await asyncio.sleep(0)
        if self.fail:
            raise self.fail.popleft()
        held = self.open.pop(failed.request_id, None)
        if held is None:
            return
        if held.idempotency is not None:
            self.claims.pop(held.idempotency.key, None)
        self.voided[failed.request_id] = failed
        self.events.append(("void", failed.request_id))

    async def wallet(self, account_id: str) -> Wallet:
        return Wallet(account_id, self.balance, self.held)

    async def receipt(self, account_id: str, receipt_id: str) -> SignedReceipt | None:
        found = self.settled.get(receipt_id)
        if found is None or found[0].account_id != account_id:
            return None
        body = json.dumps({"provider": found[0].provider, "model": found[0].model})
        return SignedReceipt(found[1].receipt_id, account_id, body, "", "", "")


@dataclass
class Script:
    """One answer of a provider. `pieces` are written one by one with `gap` seconds between; `fails` ends them.

    It begins after `delay` seconds, and not before `word` is given.
    """

    status: int = 200
    pieces: list[bytes] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    word: asyncio.Event | None = None
    gap: float = 0.0
    fails: FailureKind | None = None
    before: FailureKind | None = None
    hang: bool = False


class Reply:
    """`ports.upstream.UpstreamReply` of a script."""

    def __init__(self, provider: str, script: Script) -> None:
        self.provider = provider
        self.script = script
        self.status = script.status
        self.headers: Mapping[str, str] = script.headers
        self.closed = False
        self.read_pieces = 0

    async def read(self) -> bytes:
        return b"".join([piece async for piece in self.pieces()])

    async def pieces(self) -> AsyncIterator[bytes]:
        for piece in self.script.pieces:
            await asyncio.sleep(self.script.gap)
            self.read_pieces += 1
            yield piece
        if self.script.hang:
            await asyncio.sleep(3600)
        if self.script.fails is not None:
            raise UpstreamFailed(ProviderFailure(self.provider, self.script.fails, "the line broke"))

    def close(self) -> None:
        self.closed = True


class Wire:
    """`ports.upstream.Upstream` by script; the last script of a provider is played for ever."""

    def __init__(self) -> None:
        self.scripts: dict[str, deque[Script]] = defaultdict(deque)
        self.sent: list[tuple[str, str, dict[str, Any], Mapping[str, str]]] = []
        self.replies: list[Reply] = []
        self.before_send: Callable[[], None] = lambda: None

    def play(self, provider: str, *scripts: Script) -> None:
        self.scripts[provider] = deque(scripts)

    async def send(self, provider: str, base_url: str, request: WireRequest, deadlines: Deadlines) -> Reply:
        assert deadlines.total > 0
        self.before_send()
        self.sent.append((provider, base_url + request.path, json.loads(request.body), request.headers))
        scripts = self.scripts[provider]
        script = scripts.popleft() if len(scripts) > 1 else scripts[0]
        await asyncio.sleep(script.delay)
        if script.word is not None:
            await script.word.wait()
        if script.before is not None:
            raise UpstreamFailed(ProviderFailure(provider, script.before, "no answer"))
        reply = Reply(provider, script)
        self.replies.append(reply)
        return reply

    async def close(self) -> None:
        return None


class Notes:
    """`ports.telemetry.Telemetry` that keeps everything."""

    def __init__(self) -> None:
        self.records: list[RequestRecord] = []
        self.defects: list[BaseException] = []

    def record(self, record: RequestRecord) -> None:
        self.records.append(record)

    def defect(self, where: str, error: BaseException) -> None:
        assert where
        self.defects.append(error)


class Shelf:
    """`ports.quotes.Quotes` in memory."""

    def __init__(self) -> None:
        self.quotes: dict[str, StoredQuote] = {}

    async def save(self, quote: StoredQuote) -> None:
        self.quotes[quote.quote_id] = quote

    async def get(self, account_id: str, quote_id: str) -> StoredQuote | None:
        quote = self.quotes.get(quote_id)
        return quote if quote is not None and quote.account_id == account_id else None


class Notebook:
    """`ports.lessons.Lessons` in memory; raises what `fail` holds."""

    def __init__(self, *lessons: Lesson) -> None:
        self.kept = asyncio.Event()
        self.lessons = {f"earlier_{number}": lesson for number, lesson in enumerate(lessons)}
        self.fail: deque[Exception] = deque()

    async def keep(self, lessons: Mapping[str, Lesson]) -> None:
        if self.fail:
            raise self.fail.popleft()
        self.lessons.update(lessons)
        self.kept.set()

    async def newest(self) -> Sequence[Lesson]:
        if self.fail:
            raise self.fail.popleft()
        return list(self.lessons.values())


class Sums:
    """`ports.routing_store.EvidenceStore` in memory; raises what `fail` holds."""

    def __init__(self) -> None:
        self.kept: dict[tuple[Node, str], Tally] = {}
        self.eras: dict[tuple[Node, str], int] = {}
        self.applied: dict[str, int] = {}
        self.fail: deque[Exception] = deque()
        self.forgotten: datetime | None = None

    async def add(self, instance: str, delta: Delta) -> None:
        if self.fail:
            raise self.fail.popleft()
        if self.applied.get(instance, 0) < delta.sequence:
            self.applied[instance] = delta.sequence
            for node, arm, tally, era in delta.sums:
                if era > self.eras.get((node, arm), 0):
                    self.eras[node, arm], self.kept[node, arm] = era, Tally()
                if era == self.eras.get((node, arm), 0):
                    self.kept.setdefault((node, arm), Tally()).merge(tally)

    async def changed(self, instance: str, since: datetime | None) -> Stored:
        assert since is None or since.tzinfo is not None
        if self.fail:
            raise self.fail.popleft()
        sums = tuple(Sum(*place, tally, self.eras.get(place, 0)) for place, tally in self.kept.items())
        return Stored(sums, self.applied.get(instance, 0))

    async def forget(self, before: datetime) -> int:
        self.forgotten = before
        return 0


class Kept:
    """`ports.answers.Answers` in memory."""

    def __init__(self, clock: LoopClock) -> None:
        self.clock = clock
        self.answers: dict[tuple[str, str], StoredAnswer] = {}
        self.items: dict[tuple[str, str], str] = {}
        self.fail: deque[Exception] = deque()
        self.delay = 0.0

    async def save(self, answer: StoredAnswer, items: Collection[str]) -> None:
        await asyncio.sleep(self.delay)
        if self.fail:
            raise self.fail.popleft()
        self.answers[answer.account_id, answer.answer_id] = answer
        self.items |= {(answer.account_id, item): answer.answer_id for item in items}

    async def get(self, account_id: str, answer_id: str) -> StoredAnswer | None:
        answer = self.answers.get((account_id, answer_id))
        return answer if answer is not None and answer.expires_at > self.clock.now() else None

    async def lineage(self, account_id: str, answer_id: str) -> tuple[StoredAnswer, ...]:
        answer = await self.get(account_id, answer_id)
        if answer is None:
            return ()
        if answer.previous is None:
            return (answer,)
        before = await self.lineage(account_id, answer.previous)
        return (*before, answer) if before else ()

    async def holding(self, account_id: str, items: Collection[str]) -> Mapping[str, StoredAnswer]:
        found = {item: await self.get(account_id, self.items.get((account_id, item), "")) for item in items}
        return {item: answer for item, answer in found.items() if answer is not None}

    async def delete(self, account_id: str, answer_id: str) -> bool:
        return self.answers.pop((account_id, answer_id), None) is not None

    async def forget(self, now: datetime) -> int:
        raise NotImplementedError
