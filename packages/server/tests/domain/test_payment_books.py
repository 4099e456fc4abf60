"""The books of a payment follow from what was seen of it, in whatever order, and never take twice."""

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.ledger import Account, AccountKind
from monkey_coder_server.domain.payment_books import (
    FORGIVEN,
    LAPSED,
    NOTHING,
    NOTHING_TAKEN,
    Figures,
    Sources,
    Takings,
    at_stake,
    figures,
    forgive,
    movement,
    stages,
    take,
)
from monkey_coder_server.domain.payment_sights import merge
from monkey_coder_server.domain.payments import DisputeState, PaymentSeen, PaymentState, Purpose, RefundState
from packages.server.tests.contract.booking import ACCOUNT
from packages.server.tests.contract.paying import CENT, dispute, paid, refund

CREDIT = Account(AccountKind.CUSTOMER_CREDIT, ACCOUNT)
Plan = Purpose.SUBSCRIPTION


@dataclass
class Books:
    """One payment of 1,000 cents, or as it is told, of an account that has other credit beside it."""

    other: int = 0
    promised: int = 0
    known: PaymentSeen = field(default_factory=lambda: paid(state=PaymentState.PENDING))
    booked: Figures = NOTHING
    takings: Takings = NOTHING_TAKEN
    own: int = 0
    totals: Counter[Account] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.totals[CREDIT] = self.other + self.promised

    def book(self, sight: PaymentSeen, credit: int = 0) -> None:
        seen = merge(self.known, sight)
        for _, stage in stages(self.known, seen):
            after = figures(stage, credit=credit)
            given = after.given - self.booked.given
            had, self.own = self.takings, self.own + given
            sources = Sources(
                own="own", grants={"own": self.own, "other": self.other}, free=self.totals[CREDIT] + given
            )
            has = take(after.taken, at_stake(stage, after), had, sources)
            lines = movement("pay_1", ACCOUNT, before=self.booked, after=after, had=had, has=has)
            assert sum(line.amount for line in lines) == 0
            for account, amount in lines:
                self.totals[account] += amount
            self.own += had.parts.get("own", 0) - has.parts.get("own", 0) + had.aside - has.aside
            self.other += had.parts.get("other", 0) - has.parts.get("other", 0)
            self.booked, self.takings = after, has
        self.known = seen
        assert self.totals[CREDIT] == self.own + self.other + self.promised
        assert min(self.own, self.other, self.totals[CREDIT]) >= 0

    def spend(self, amount: int) -> None:
        """Of what was bought with the payment."""
        self.own -= amount
        self.totals[CREDIT] -= amount

    @property
    def state(self) -> tuple[object, ...]:
        left = {account: amount for account, amount in self.totals.items() if amount}
        return self.booked, self.takings, self.own, self.other, left


def told(seen: PaymentSeen, **changes: Any) -> PaymentSeen:
    return replace(seen, **changes)


@pytest.mark.parametrize("credit", [0, 1, 999 * CENT, 5_000 * CENT])
@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("decided", ["won", "lost"])
def test_every_order_of_what_happened_ends_as_it_happened(decided: str, purpose: Purpose, credit: int) -> None:
    """Completed, succeeded, refunded, disputed, decided: each sight is all that was known by then."""
    pending = paid(state=PaymentState.PENDING, purpose=purpose)
    succeeded = told(pending, state=PaymentState.SUCCEEDED)
    refunded = told(succeeded, refunds=(refund(300),))
    disputed = told(refunded, disputes=(dispute(700),))
    closed = told(refunded, disputes=(dispute(700, state=decided),))
    history = [pending, succeeded, refunded, disputed, closed]
    expected = Books(known=pending)
    for sight in history:
        expected.book(sight, credit)
    for order in permutations(history):
        books = Books(known=pending)
        for sight in (*order, *order[:2]):
            books.book(sight, credit)
        assert books.state == expected.state


REFUNDS = st.lists(st.tuples(st.integers(1, 600), st.sampled_from(["pending", "succeeded", "failed"])), max_size=3)
DISPUTES = st.lists(st.tuples(st.integers(1, 1_000), st.sampled_from(["inquiry", "open", "won", "lost"])), max_size=2)


@st.composite
def histories(draw: st.DrawFn) -> list[PaymentSeen]:
    """What became of a payment, step by step."""
    tax = draw(st.integers(0, 200))
    now = paid(1_000, state=PaymentState.PENDING, tax_cents=tax, purpose=draw(st.sampled_from(Purpose)))
    history = [now, now := told(now, state=PaymentState.SUCCEEDED)]
    steps = [("refund", n, *each) for n, each in enumerate(draw(REFUNDS))]
    steps += [("dispute", n, *each) for n, each in enumerate(draw(DISPUTES))]
    for what, number, cents, end in draw(st.permutations(steps)):
        if what == "refund":
            for state in ("pending", "succeeded", "failed")[: ("pending", "succeeded", "failed").index(end) + 1]:
                kept = tuple(each for each in now.refunds if each.refund_id != f"re_{number}")
                history.append(now := told(now, refunds=(*kept, refund(cents, f"re_{number}", state=state))))
        else:
            ways = {
                "inquiry": ["inquiry"],
                "open": ["inquiry", "open"],
                "won": ["open", "won"],
                "lost": ["open", "lost"],
            }
            for state in ways[end]:
                kept = tuple(each for each in now.disputes if each.dispute_id != f"dp_{number}")
                stands = dispute(
                    cents,
                    f"dp_{number}",
                    state="open" if state == "inquiry" else state,
                    withdrawn=state in {"open", "lost"},
                )
                history.append(now := told(now, disputes=(*kept, stands)))
    return history


@settings(max_examples=300, deadline=None)
@given(histories(), st.data())
def test_any_order_any_repetition_and_any_loss_end_in_the_last_sight(
    history: list[PaymentSeen], data: st.DataObject
) -> None:
    """As long as the last sight comes at some time; some credit is spent once it is there."""
    credit = data.draw(st.integers(0, 1_500)) * CENT
    other, promised = data.draw(st.integers(0, 800)) * CENT, data.draw(st.integers(0, 800)) * CENT
    shuffled = data.draw(st.permutations([*history, *data.draw(st.lists(st.sampled_from(history), max_size=4))]))
    dropped = [each for each in shuffled if each is history[-1] or data.draw(st.booleans())]
    expected, books = [Books(other, promised, known=history[0]) for _ in range(2)]
    share = data.draw(st.integers(0, 100))
    for each in (expected, books):
        each.book(history[1], credit)
        each.spend(each.own * share // 100)
    spent = expected.totals[CREDIT]
    for sight in history:
        expected.book(sight, credit)
    for sight in dropped:
        books.book(sight, credit)
    assert books.state == expected.state
    assert spent >= expected.totals[CREDIT] or history[-1].state is not PaymentState.SUCCEEDED


@settings(max_examples=300, deadline=None)
@given(histories(), st.integers(0, 1_500), st.integers(0, 100), st.integers(0, 800))
def test_nobody_gives_up_more_than_was_paid_for(
    history: list[PaymentSeen], credit: int, share: int, promised: int
) -> None:
    books = Books(promised=promised * CENT, known=history[0])
    books.book(history[1], credit * CENT)
    books.spend(books.own * share // 100)
    for sight in history[2:]:
        books.book(sight, credit * CENT)
        net = (sight.cents - sight.tax_cents) * CENT
        assert sum(books.takings.parts.values()) + books.takings.debt == books.booked.taken <= net
        assert books.totals[CREDIT] >= books.promised
        cash = -books.totals[Account(AccountKind.CASH, "pay_1")]
        gone = sum(each.cents for each in sight.refunds if each.state is RefundState.SUCCEEDED)
        gone += sum(
            each.cents
            for each in sight.disputes
            if each.state is DisputeState.LOST or (each.state is DisputeState.OPEN and each.withdrawn)
        )
        assert cash == (sight.cents - gone) * CENT


def test_a_lost_dispute_of_what_was_refunded_costs_the_house_and_not_the_customer_twice() -> None:
    books = Books()
    books.book(paid(refunds=(refund(1_000),)))
    books.book(paid(refunds=(refund(1_000),), disputes=(dispute(1_000, state="lost"),)))
    assert books.takings == Takings(parts={"own": 1_000 * CENT})
    assert books.totals[Account(AccountKind.HOUSE_LOSS)] == -1_000 * CENT


def test_tax_goes_back_with_what_it_was_paid_on() -> None:
    seen = paid(1_190, tax_cents=190)
    booked = figures(told(seen, refunds=(refund(595),)))
    assert (booked.tax, booked.taken) == (95 * CENT, 500 * CENT)
    booked = figures(told(seen, refunds=(refund(595), refund(595, "re_2"))))
    assert (booked.tax, booked.taken) == (0, 1_000 * CENT)
    assert figures(told(seen, refunds=(refund(1),))).taken == CENT


def test_nothing_is_booked_of_another_currency_or_before_success() -> None:
    assert figures(paid(currency="eur")) == figures(paid(state=PaymentState.FAILED)) == NOTHING


def test_a_fee_pays_for_the_credit_of_its_plan_first() -> None:
    small, large = [figures(paid(1_000, purpose=Plan), credit=credit * CENT) for credit in (400, 1_300)]
    assert (small.given, small.gifted, small.earned) == (400 * CENT, 0, 600 * CENT)
    assert (large.given, large.gifted, large.earned) == (1_300 * CENT, 300 * CENT, 0)
    half = figures(paid(1_000, purpose=Plan, refunds=(refund(500),)), credit=400 * CENT)
    assert (half.taken, half.earned) == (200 * CENT, 300 * CENT)
    free = figures(paid(0, purpose=Plan), credit=5)
    assert (free.given, free.gifted, free.earned) == (5, 5, 0)
    taxed = figures(paid(10, tax_cents=10, purpose=Plan, refunds=(refund(5),)))
    assert (taxed.taken, taxed.tax) == (0, 5 * CENT)


def test_an_invoice_settles_what_is_owed_and_gives_what_is_free_again() -> None:
    booked = figures(paid(1_100, tax_cents=100, purpose=Purpose.INVOICE), credit=7)
    assert (booked.settled, booked.given, booked.gifted, booked.earned) == (1_000 * CENT, 7, 7, 0)
    lines = movement("pay_1", ACCOUNT, before=NOTHING, after=booked, had=NOTHING_TAKEN, has=NOTHING_TAKEN)
    assert dict(lines) == {
        CREDIT: 7,
        Account(AccountKind.CASH, "pay_1"): -1_100 * CENT,
        Account(AccountKind.TAX_PAYABLE, "pay_1"): 100 * CENT,
        Account(AccountKind.CREDIT_LINE, ACCOUNT): -7,
        Account(AccountKind.CUSTOMER_RECEIVABLE, ACCOUNT): 1_000 * CENT,
    }


def test_what_an_invoice_was_paid_with_too_much_goes_back_before_it_is_owed_again() -> None:
    too_much = paid(1_000, purpose=Purpose.INVOICE)

    def booked(back: int) -> tuple[int, int, int]:
        given_back = told(too_much, refunds=(refund(back),)) if back else too_much
        found = figures(given_back, credit=700 * CENT)
        return found.settled // CENT, found.taken // CENT, found.earned

    assert [booked(back) for back in (0, 300, 400, 1_000)] == [
        (1_000, 0, 0), (700, 0, 0), (700, 100, 0), (700, 700, 0),
    ]  # fmt: skip
    claimed = told(too_much, disputes=(dispute(1_000),))
    assert at_stake(claimed, figures(claimed, credit=700 * CENT)) == 700 * CENT
    unknown = figures(told(too_much, refunds=(refund(300),)))
    assert (unknown.settled, unknown.taken) == (1_000 * CENT, 300 * CENT)
    assert figures(paid(0, purpose=Purpose.INVOICE)).earned == 0


def test_stages_tell_what_was_paid_then_refunds_then_disputes() -> None:
    unseen = paid(state=PaymentState.PENDING)
    full = paid(refunds=(refund(1),), disputes=(dispute(1),))
    assert list(stages(unseen, full)) == [
        ("purchase", told(full, refunds=(), disputes=())),
        ("pay_back", told(full, disputes=())),
        ("dispute", full),
    ]
    more = told(full, refunds=(refund(1), refund(2, "re_2")))
    assert [stage for _, stage in stages(full, more)] == [full, more, more]
    early = told(unseen, refunds=(refund(1),))
    assert [len(stage.refunds) for _, stage in stages(early, full)] == [0, 1, 1]


def test_what_is_taken_comes_from_the_own_grant_what_lapsed_other_purchases_and_then_is_debt() -> None:
    sources = Sources(own="own", grants={"own": 10, "b": 3, "a": 4}, lapsed=5, free=100)
    assert take(8, 0, NOTHING_TAKEN, sources) == Takings(parts={"own": 8})
    assert take(13, 0, NOTHING_TAKEN, sources) == Takings(parts={"own": 10, LAPSED: 3})
    assert take(20, 0, NOTHING_TAKEN, sources) == Takings(parts={"own": 10, LAPSED: 5, "a": 4, "b": 1})
    full = take(30, 0, NOTHING_TAKEN, sources)
    assert full == Takings(parts={"own": 10, LAPSED: 5, "a": 4, "b": 3}, debt=8)
    assert full.credit == 17
    empty = Sources(own="own", grants={"own": 0}, free=0)
    assert take(22, 0, full, empty) == Takings(parts=full.parts)
    assert take(20, 0, full, empty) == Takings(parts={"own": 10, LAPSED: 5, "a": 4, "b": 1})
    assert take(12, 0, full, empty) == Takings(parts={"own": 10, LAPSED: 2})
    assert take(4, 0, full, empty) == Takings(parts={"own": 4})


def test_what_is_held_is_not_taken_but_owed() -> None:
    held = Sources(own="own", grants={"own": 10, "a": 4}, lapsed=1, free=6)
    assert take(12, 0, NOTHING_TAKEN, held) == Takings(parts={"own": 6, LAPSED: 1}, debt=5)
    later = Sources(own="own", grants={"own": 4, "a": 4}, free=2)
    assert take(12, 0, Takings(parts={"own": 6, LAPSED: 1}, debt=5), later).debt == 3
    assert take(0, 9, NOTHING_TAKEN, held).aside == 6


def test_only_what_is_left_of_the_own_grant_is_put_aside() -> None:
    sources = Sources(own="own", grants={"own": 10, "a": 4}, free=14)
    assert take(3, 20, NOTHING_TAKEN, sources) == Takings(parts={"own": 3}, aside=7)
    aside = Takings(parts={"own": 3}, aside=7)
    assert take(9, 1, aside, Sources(own="own", grants={"own": 0}, free=0)) == Takings(parts={"own": 9}, aside=1)
    assert aside.credit == 10
    assert take(0, 0, aside, Sources(own="own", grants={}, free=0)) == NOTHING_TAKEN
    assert take(5, 5, NOTHING_TAKEN, Sources(grants={"a": 4}, free=9)) == Takings(parts={"a": 4}, debt=1)


def test_a_forgiven_debt_is_the_houses_and_comes_back_first() -> None:
    owing = Takings(parts={"own": 3}, debt=6)
    forgiven = forgive(owing)
    assert forgiven == Takings(parts={"own": 3, FORGIVEN: 6})
    assert forgiven.credit == 3
    assert forgive(replace(forgiven, debt=1)).parts[FORGIVEN] == 7
    lines = movement("pay_1", ACCOUNT, before=NOTHING, after=NOTHING, had=owing, has=forgiven)
    assert dict(lines) == {Account(AccountKind.CUSTOMER_DEBT, ACCOUNT): 6, Account(AccountKind.HOUSE_LOSS): -6}
    sources = Sources(own="own", grants={"own": 50}, free=50)
    assert take(9, 0, forgiven, sources) == forgiven
    assert take(5, 0, forgiven, sources) == Takings(parts={"own": 3, FORGIVEN: 2})
    assert take(2, 0, forgiven, sources) == Takings(parts={"own": 2})
    assert take(11, 0, forgiven, sources) == Takings(parts={"own": 5, FORGIVEN: 6})


def test_what_lapsed_comes_back_out_of_breakage() -> None:
    lines = movement(
        "pay_1", ACCOUNT, before=NOTHING, after=NOTHING, had=Takings(debt=4), has=Takings(parts={LAPSED: 4})
    )
    assert dict(lines) == {Account(AccountKind.CUSTOMER_DEBT, ACCOUNT): 4, Account(AccountKind.BREAKAGE): -4}


def test_nothing_moves_when_nothing_changed() -> None:
    booked, has = figures(paid(disputes=(dispute(10),))), Takings(parts={"own": 4}, aside=3)
    assert movement("pay_1", ACCOUNT, before=booked, after=booked, had=has, has=has) == ()


def test_what_is_at_stake_is_what_would_be_taken() -> None:
    def stake(seen: PaymentSeen, credit: int = 0) -> int:
        return at_stake(seen, figures(seen, credit=credit))

    assert stake(paid()) == 0
    assert stake(paid(disputes=(dispute(400),))) == 400 * CENT
    assert stake(paid(refunds=(refund(700),), disputes=(dispute(400),))) == 300 * CENT
    assert stake(paid(refunds=(refund(700, state="pending"),), disputes=(dispute(400),))) == 300 * CENT
    lost = (dispute(800, "dp_2", state="lost"), dispute(400))
    assert stake(paid(disputes=lost)) == 200 * CENT
    assert stake(paid(purpose=Plan, disputes=(dispute(500),)), credit=400 * CENT) == 200 * CENT
    assert stake(paid(purpose=Plan, disputes=(dispute(500),)), credit=2_000 * CENT) == 500 * CENT
    assert stake(paid(1_190, tax_cents=190, disputes=(dispute(1_190),))) == 1_000 * CENT
