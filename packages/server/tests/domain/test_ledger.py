"""Every movement sums to zero, and no order of events overspends a wallet or resolves a hold twice."""

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from monkey_coder_server.domain.ledger import (
    DEFAULT_PRIORITY,
    REFUND_PRIORITY,
    Account,
    AccountKind,
    Entry,
    Funds,
    GrantKind,
    HoldRecord,
    HoldState,
    add,
    cap_periods,
    clamp,
    correction_entries,
    expire_entries,
    fair_share,
    grant_entries,
    grant_id,
    refund_entries,
    reserve,
    resolve,
    settle_entries,
    void_entries,
)

AMOUNT = st.integers(0, 10**15)


@given(AMOUNT, AMOUNT, AMOUNT)
@settings(max_examples=100)
def test_every_movement_sums_to_zero(price: int, hold: int, cost: int) -> None:
    charged, loss = clamp(price, hold)
    assert charged + loss == price
    assert 0 <= charged <= hold
    for entries in (
        grant_entries("acc", price + 1),
        expire_entries("acc", price + 1),
        settle_entries("acc", price=price, charged=charged, provider="openai", cost=cost),
        void_entries("openai", cost),
    ):
        assert sum(entry.amount for entry in entries) == 0
        assert all(entry.amount for entry in entries)


def test_a_settlement_books_charge_loss_revenue_and_the_provider() -> None:
    assert settle_entries("acc", price=130, charged=100, provider="openai", cost=90) == (
        Entry(Account(AccountKind.CUSTOMER_CREDIT, "acc"), -100),
        Entry(Account(AccountKind.HOUSE_LOSS), -30),
        Entry(Account(AccountKind.REVENUE), 130),
        Entry(Account(AccountKind.PROVIDER_COST), -90),
        Entry(Account(AccountKind.PROVIDER_PAYABLE, "openai"), 90),
    )


def test_bought_credit_comes_from_cash_and_expired_credit_goes_to_breakage() -> None:
    credit = Account(AccountKind.CUSTOMER_CREDIT, "acc")
    assert grant_entries("acc", 5, GrantKind.PURCHASE) == (Entry(credit, 5), Entry(Account(AccountKind.CASH), -5))
    for kind in (GrantKind.TRIAL, GrantKind.PROMO):
        assert grant_entries("acc", 5, kind)[1] == Entry(Account(AccountKind.PROMOTIONS), -5)
    assert expire_entries("acc", 5) == (Entry(credit, -5), Entry(Account(AccountKind.BREAKAGE), 5))
    for amount in (0, -1):
        with pytest.raises(ValueError, match="more than zero"):
            expire_entries("acc", amount)


@given(st.integers(1, 10**15), st.lists(st.integers(0, 10**15), max_size=5), st.booleans())
def test_all_refunds_of_a_movement_together_undo_it_at_most_once(moved: int, parts: list[int], charge: bool) -> None:
    undone = settle_entries("acc", price=moved + 7, charged=moved, provider="openai", cost=3)
    if not charge:
        undone = grant_entries("acc", moved, GrantKind.PURCHASE)
    refunded = 0
    for part in [*parts, moved]:
        if 0 < part <= moved - refunded:
            lines = refund_entries(undone, "acc", part, refunded=refunded)
            assert sum(line.amount for line in lines) == 0
            assert lines[0] == Entry(Account(AccountKind.CUSTOMER_CREDIT, "acc"), part if charge else -part)
            assert lines[1].account.kind is (AccountKind.REVENUE if charge else AccountKind.CASH)
            refunded += part
        else:
            with pytest.raises(ValueError, match="cannot be more"):
                refund_entries(undone, "acc", part, refunded=refunded)
    assert refunded <= moved


def test_a_first_refund_can_give_everything_back() -> None:
    charge = settle_entries("acc", price=5, charged=5, provider="openai", cost=3)
    assert refund_entries(charge, "acc", 5) == (
        Entry(Account(AccountKind.CUSTOMER_CREDIT, "acc"), 5),
        Entry(Account(AccountKind.REVENUE), -5),
    )


def test_a_charge_given_back_is_spent_before_everything_and_other_credit_at_100() -> None:
    assert (REFUND_PRIORITY, DEFAULT_PRIORITY) == (0, 100)


def test_a_refund_undoes_only_what_moved_the_accounts_own_credit() -> None:
    for undone in (void_entries("openai", 5), grant_entries("other", 5), ()):
        with pytest.raises(ValueError, match="cannot be more"):
            refund_entries(undone, "acc", 5)


def test_what_other_providers_bill_for_answers_nobody_got_is_owed_to_them() -> None:
    lines = settle_entries(
        "acc", price=130, charged=130, provider="openai", cost=90, elsewhere={"xai": 20, "groq": 0, "google": 5}
    )
    owed = {(line.account.owner, line.amount) for line in lines if line.account.kind is AccountKind.PROVIDER_PAYABLE}
    assert owed == {("openai", 65), ("xai", 20), ("google", 5)}
    assert sum(line.amount for line in lines) == 0
    assert void_entries("openai", 20, {"xai": 20}) == (
        Entry(Account(AccountKind.HOUSE_LOSS), -20),
        Entry(Account(AccountKind.PROVIDER_PAYABLE, "xai"), 20),
    )
    for elsewhere in ({"xai": 21}, {"xai": -1}, {"xai": -1, "groq": 2}):
        with pytest.raises(ValueError, match="parts of a cost"):
            void_entries("openai", 20, elsewhere)


def test_a_grant_is_called_by_its_account_and_key() -> None:
    assert grant_id("acc", "k") == "grant:acc:k"
    assert grant_id("acc", "k") != grant_id("other", "k")


def test_a_grant_and_a_void_name_their_accounts() -> None:
    assert grant_entries("acc", 5) == (
        Entry(Account(AccountKind.CUSTOMER_CREDIT, "acc"), 5),
        Entry(Account(AccountKind.PROMOTIONS), -5),
    )
    assert void_entries(None, 7) == (
        Entry(Account(AccountKind.HOUSE_LOSS), -7),
        Entry(Account(AccountKind.PROVIDER_PAYABLE, "unknown"), 7),
    )
    assert void_entries("openai", 0) == ()


def test_impossible_amounts_are_refused() -> None:
    with pytest.raises(ValueError, match="more than zero"):
        grant_entries("acc", 0)
    for price, charged, cost in ((1, 2, 0), (1, -1, 0), (1, 1, -1)):
        with pytest.raises(ValueError, match="charged <= price"):
            settle_entries("acc", price=price, charged=charged, provider="p", cost=cost)
    with pytest.raises(ValueError, match="cannot be negative"):
        void_entries("p", -1)


def test_a_hold_needs_free_credit_to_the_nano_dollar() -> None:
    funds = Funds(balance=10, held=4)
    assert reserve(funds, 6) == (Funds(10, 10), HoldRecord(6))
    assert reserve(funds, 7) is None
    assert reserve(funds, -1) is None


@pytest.mark.parametrize(
    ("outcome", "price", "after", "charged"),
    [
        (HoldState.SETTLED, 4, Funds(6, 0), 4),
        (HoldState.SETTLED, 9, Funds(3, 0), 7),
        (HoldState.VOIDED, 4, Funds(10, 0), 0),
        (HoldState.EXPIRED, 4, Funds(10, 0), 0),
        (HoldState.OPEN, 4, Funds(10, 7), 0),
    ],
)
def test_how_a_hold_can_end(outcome: HoldState, price: int, after: Funds, charged: int) -> None:
    assert resolve(Funds(10, 7), HoldRecord(7), outcome, price) == (after, HoldRecord(7, outcome, charged))


def test_a_hold_settled_for_nothing_gives_all_of_it_back() -> None:
    settled = HoldRecord(7, HoldState.SETTLED, charged=0)
    assert resolve(Funds(10, 7), HoldRecord(7), HoldState.SETTLED) == (Funds(10, 0), settled)


@given(
    st.lists(st.tuples(st.sampled_from(HoldState), st.integers(0, 20)), min_size=1, max_size=5),
)
@settings(max_examples=60)
def test_only_the_first_ending_of_a_hold_counts(endings: list[tuple[HoldState, int]]) -> None:
    funds, hold = Funds(10, 7), HoldRecord(7)
    first: HoldRecord | None = None
    for outcome, price in endings:
        funds, hold = resolve(funds, hold, outcome, price)
        first = first or (hold if hold.state is not HoldState.OPEN else None)
        assert first is None or hold == first
    assert funds == (Funds(10 - hold.charged, 0) if first else Funds(10, 7))


@pytest.mark.parametrize(("free", "sharers", "share"), [(100, 1, 50), (100, 5, 10), (99, 4, 12), (9, 5, 0)])
def test_a_fair_share_is_half_of_an_equal_part_of_what_is_free(free: int, sharers: int, share: int) -> None:
    assert fair_share(free, sharers) == share


class Wallets(RuleBasedStateMachine):
    """Grants, holds and endings in any order keep wallet, holds and books in step."""

    holds: Bundle[int] = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.funds = Funds()
        self.records: list[HoldRecord] = []
        self.books: Counter[AccountKind] = Counter()

    def post(self, entries: tuple[Entry, ...]) -> None:
        for entry in entries:
            self.books[entry.account.kind] += entry.amount

    @rule(amount=st.integers(1, 1_000))
    def grant(self, amount: int) -> None:
        self.funds = add(self.funds, amount)
        self.post(grant_entries("acc", amount))

    @rule(target=holds, amount=st.integers(0, 600))
    def hold(self, amount: int) -> int:
        reserved = reserve(self.funds, amount)
        assert (reserved is None) == (amount > self.funds.available)
        if reserved is not None:
            self.funds, record = reserved
            self.records.append(record)
        return len(self.records) - 1

    @rule(number=holds, outcome=st.sampled_from(HoldState), price=st.integers(0, 900))
    def end(self, number: int, outcome: HoldState, price: int) -> None:
        if number < 0:
            return
        before = self.records[number]
        self.funds, after = resolve(self.funds, before, outcome, price)
        self.records[number] = after
        if before.state is HoldState.OPEN and after.state is HoldState.SETTLED:
            self.post(settle_entries("acc", price=price, charged=after.charged, provider="p", cost=price // 2))

    @invariant()
    def the_books_balance(self) -> None:
        open_amounts = [record.amount for record in self.records if record.state is HoldState.OPEN]
        assert sum(self.books.values()) == 0
        assert self.books[AccountKind.CUSTOMER_CREDIT] == self.funds.balance
        assert self.funds.held == sum(open_amounts)
        assert 0 <= self.funds.held <= self.funds.balance


Wallets.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestWallets = Wallets.TestCase


def test_caps_count_by_utc_day_and_month() -> None:
    late = datetime(2026, 12, 1, 1, 30, tzinfo=timezone(timedelta(hours=11)))
    assert cap_periods(late) == ("2026-11-30", "2026-11")
    assert cap_periods(datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)) == ("2026-11-30", "2026-11")
    with pytest.raises(ValueError, match="time zone"):
        cap_periods(datetime(2026, 11, 30))  # noqa: DTZ001 - a naive time is the case


@pytest.mark.parametrize("difference", [7, -7])
def test_a_corrected_cost_moves_what_is_owed_and_what_it_cost_alike(difference: int) -> None:
    lines = correction_entries("xai", difference)
    assert sum(line.amount for line in lines) == 0
    assert dict(lines)[Account(AccountKind.PROVIDER_PAYABLE, "xai")] == difference
    assert correction_entries("xai", 0) == ()
