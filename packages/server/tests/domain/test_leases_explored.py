"""Every order in which three requests in two processes can hold, lease, end, ship, recall, die and expire.

The rules of `domain.leases` and `domain.ledger` move the figures; the books are a few numbers beside them. Breadth
first over all states that can be reached; the shortest way to a state that must not be is printed.
"""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from monkey_coder_server.domain import leases
from monkey_coder_server.domain.leases import LEASE_LIFE, Slice
from monkey_coder_server.domain.ledger import Funds, HoldRecord, HoldState, fair_share, reserve, resolve

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = "2026-11-23"
GRANTED = 4
REQUESTS = ((2, 1), (1, 1), (1, 0))
"""What each holds, and what it costs; the last one fails."""
PROCESSES = 2
ASKS_AT = ((0, 1), (1,), (0,))
"""At which processes each asks: the first one at either, the others keep to theirs."""
WANTED = 2


class Asked(NamedTuple):
    """A request: `idle`, `held`, `ended` (in the journal) or `booked`; where, and on its lease or directly."""

    state: str = "idle"
    process: int = -1
    leased: bool = False
    charged: int = 0


class Lent(NamedTuple):
    """A lease in the books: what it was, and what is charged and returned of it as far as they know."""

    amount: int
    charged: int = 0
    returned: int = 0
    open: bool = True

    @property
    def left(self) -> int:
        return self.amount - self.charged - self.returned


class State(NamedTuple):
    """The wallet, and by process: its lease in its memory, the same in the books, whether it lives."""

    funds: Funds = Funds(GRANTED, 0)
    paid: int = 0
    asked: tuple[Asked, ...] = (Asked(),) * len(REQUESTS)
    memory: tuple[Slice | None, ...] = (None,) * PROCESSES
    books: tuple[Lent | None, ...] = (None,) * PROCESSES
    alive: tuple[bool, ...] = (True,) * PROCESSES
    late: int = 0
    """What came too late for its lease and was not covered."""


def put(values: tuple[Any, ...], place: int, value: object) -> tuple[Any, ...]:
    return (*values[:place], value, *values[place + 1 :])


def steps(state: State) -> Iterator[tuple[str, State]]:
    for process in range(PROCESSES):
        if state.alive[process]:
            yield from _lease(state, process)
            yield from _returns(state, process)
            if process == 0:
                yield f"process {process} dies", state._replace(alive=put(state.alive, process, False))
        else:
            yield from _recovered(state, process)
        lent = state.books[process]
        if lent is not None and lent.open and process == 1:
            yield f"the lease of {process} expires", _taken_back(state, process)
    for number, asked in enumerate(state.asked):
        yield from _request(state, number, asked)


def _lease(state: State, process: int) -> Iterator[tuple[str, State]]:
    if state.books[process] is None:
        amount = min(WANTED, fair_share(state.funds.available, 1))
        if amount > 0:
            lease = Slice(f"lease of {process}", amount, DAY, NOON + LEASE_LIFE)
            yield (
                f"{process} leases {amount}",
                state._replace(
                    funds=Funds(state.funds.balance, state.funds.held + amount),
                    memory=put(state.memory, process, lease),
                    books=put(state.books, process, Lent(amount)),
                ),
            )


def _returns(state: State, process: int) -> Iterator[tuple[str, State]]:
    lease, lent = state.memory[process], state.books[process]
    if lease is None or lent is None:
        return
    if not lease.retired:
        yield f"{process} is recalled", state._replace(memory=put(state.memory, process, leases.retire(lease)))
    if lease.returned > lent.returned and lent.open:
        back = min(lease.returned - lent.returned, lent.left)
        after = lent._replace(returned=lent.returned + back)
        yield (
            f"{process} gives {back} back",
            state._replace(
                funds=Funds(state.funds.balance, state.funds.held - back),
                books=put(state.books, process, after._replace(open=after.left > 0)),
            ),
        )


def _taken_back(state: State, process: int) -> State:
    lent = state.books[process]
    assert lent is not None
    return state._replace(
        funds=Funds(state.funds.balance, state.funds.held - lent.left),
        books=put(state.books, process, lent._replace(returned=lent.returned + lent.left, open=False)),
    )


def _request(state: State, number: int, asked: Asked) -> Iterator[tuple[str, State]]:
    amount, price = REQUESTS[number]
    if asked.state == "idle":
        for process in ASKS_AT[number]:
            if state.alive[process]:
                yield from _holds(state, number, process, amount)
    elif asked.state == "held" and state.alive[asked.process]:
        for charged in (min(price, amount),):
            yield f"{number} ends for {charged}", _ended(state, number, asked, charged)
    elif asked.state == "ended":
        yield f"{number} is booked", _booked(state, number, asked)


def _holds(state: State, number: int, process: int, amount: int) -> Iterator[tuple[str, State]]:
    lease = state.memory[process]
    taken = leases.take(lease, amount, day=DAY, now=NOON) if lease is not None else None
    if taken is not None:
        asked = Asked("held", process, leased=True)
        yield (
            f"{number} holds from the lease of {process}",
            state._replace(memory=put(state.memory, process, taken), asked=put(state.asked, number, asked)),
        )
    direct = reserve(state.funds, amount)
    if direct is not None:
        asked = Asked("held", process)
        yield (
            f"{number} holds directly at {process}",
            state._replace(funds=direct[0], asked=put(state.asked, number, asked)),
        )


def _ended(state: State, number: int, asked: Asked, charged: int) -> State:
    state = state._replace(asked=put(state.asked, number, asked._replace(state="ended", charged=charged)))
    lease = state.memory[asked.process]
    if not asked.leased or lease is None or not state.alive[asked.process]:
        return state
    after = leases.end(lease, REQUESTS[number][0], charged=charged)
    return state._replace(memory=put(state.memory, asked.process, leases.give_back(after) if after.retired else after))


def _booked(state: State, number: int, asked: Asked) -> State:
    amount = REQUESTS[number][0]
    done = put(state.asked, number, asked._replace(state="booked"))
    if not asked.leased:
        outcome = HoldState.SETTLED if asked.charged else HoldState.VOIDED
        funds, _ = resolve(state.funds, HoldRecord(amount), outcome, asked.charged)
        return state._replace(funds=funds, paid=state.paid + asked.charged, asked=done)
    lent = state.books[asked.process]
    assert lent is not None
    covered = min(asked.charged, lent.left)
    after = lent._replace(charged=lent.charged + covered)
    late = min(asked.charged - covered, state.funds.available)
    return state._replace(
        funds=Funds(state.funds.balance - covered - late, state.funds.held - covered),
        paid=state.paid + covered + late,
        late=state.late + asked.charged - covered - late,
        books=put(state.books, asked.process, after._replace(open=after.open and after.left > 0)),
        asked=done,
    )


def _recovered(state: State, process: int) -> Iterator[tuple[str, State]]:
    """Another process ends what is open in the journal; with everything booked the leases go back."""
    mine = [(number, asked) for number, asked in enumerate(state.asked) if asked.process == process]
    for number, asked in mine:
        if asked.state == "held":
            for charged in {min(REQUESTS[number][1], REQUESTS[number][0]), 0}:
                yield f"{number} is recovered for {charged}", _ended(state, number, asked, charged)
    lent = state.books[process]
    if lent is not None and lent.open and all(asked.state == "booked" for _, asked in mine):
        yield f"the lease of dead {process} goes back", _taken_back(state, process)


def wrong(state: State, *, expired: bool) -> str | None:
    """What is wrong with a state."""
    held = sum(
        REQUESTS[number][0]
        for number, asked in enumerate(state.asked)
        if asked.state in {"held", "ended"} and not asked.leased
    )
    lent = sum(each.left for each in state.books if each is not None)
    if not 0 <= state.funds.held <= state.funds.balance:
        return "the wallet is overcommitted"
    if state.funds.held != held + lent:
        return "the wallet does not hold what holds and leases come to"
    if state.paid + state.funds.balance != GRANTED:
        return "credit came or went"
    if state.paid + state.late != sum(asked.charged for asked in state.asked if asked.state == "booked"):
        return "what was booked is not what was charged"
    return None if expired else _wrong_in_memory(state)


def _wrong_in_memory(state: State) -> str | None:
    """What a process believes that is not so, while no lease was taken from it."""
    for process in range(PROCESSES):
        lease, books = state.memory[process], state.books[process]
        if lease is None or books is None or not state.alive[process]:
            continue
        unbooked = sum(asked.charged for asked in state.asked if asked == ("ended", process, True, asked.charged))
        if lease.free < 0 or lease.held + lease.free + unbooked > books.left:
            return f"process {process} counts on more than the books keep for it"
    if state.late:
        return "a charge within its lease was not covered"
    return None


def explore(*, expiring: bool) -> tuple[int, int]:
    """How many states there are, and how many ends. Raises `AssertionError` with the shortest way to a wrong one."""
    start = State()
    came: dict[State, tuple[State, str] | None] = {start: None}
    waiting, ends = deque([start]), 0
    while waiting:
        state = waiting.popleft()
        further = False
        for told, after in steps(state):
            if "expires" in told and not expiring:
                continue
            further = True
            if after not in came:
                came[after] = (state, told)
                problem = wrong(after, expired=expiring)
                assert problem is None, f"{problem}: {'; '.join(way_to(after, came))}"
                waiting.append(after)
        ends += not further
        if not further:
            assert state.funds.held == 0, f"something stays held: {'; '.join(way_to(state, came))}"
    return len(came), ends


def way_to(state: State, came: dict[State, tuple[State, str] | None]) -> list[str]:
    told = []
    while (before := came[state]) is not None:
        state, step = before
        told.append(step)
    return told[::-1]


def test_no_order_of_events_overspends_or_loses_or_charges_twice() -> None:
    states, ends = explore(expiring=False)
    assert states > 10_000
    assert ends


def test_a_lease_that_expires_too_early_costs_the_house_never_the_wallet() -> None:
    assert explore(expiring=True)[0] > 10_000
