"""What the books say of a payment, and how they are brought to what was seen of it.

Figures follow from a sight alone; the movement is the difference between those that are booked and those that follow
now. Only where a customer's part is taken from depends on what is there: see `take`. Amounts are nano-dollars.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from monkey_coder_server.domain.ledger import Account, AccountKind, Entry
from monkey_coder_server.domain.money import NANO_PER_CENT
from monkey_coder_server.domain.payments import (
    DisputeState,
    Freeze,
    PaymentSeen,
    PaymentState,
    Purpose,
    RefundState,
)

CURRENCY = "usd"
"""The only one of the books. Payments in others are noted, and give nothing."""
LAPSED = "lapsed"
"""Stands for what expired of a payment's own grant, among the grants it is taken from."""
FORGIVEN = "forgiven"
"""Stands for debt the house took on itself."""
NO_GRANTS = {LAPSED: AccountKind.BREAKAGE, FORGIVEN: AccountKind.HOUSE_LOSS}
"""What can be taken from beside grants, by whose account bears it."""
PURCHASES = frozenset({Purpose.CREDIT, Purpose.TOP_UP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is booked of one payment; each is zero or more.

    `refunding` is on its way to the card, `refunded` arrived; `claimed` is with a bank that has not decided, `lost`
    with one that has. `taken` is what the customer has to give up of credit, or owes; `borne` is what went back
    beyond what was paid. Of the credit `given`, `gifted` was not paid for by this payment.
    """

    received: int = 0
    tax: int = 0
    given: int = 0
    gifted: int = 0
    earned: int = 0
    settled: int = 0
    refunding: int = 0
    refunded: int = 0
    claimed: int = 0
    lost: int = 0
    taken: int = 0
    borne: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Takings:
    """Where what is `taken` came from: parts of grants by their ids, beside `LAPSED` and `FORGIVEN`.

    The rest of it is `debt`. `aside` is what is left of the payment's own grant while a bank decides.
    """

    parts: Mapping[str, int] = field(default_factory=dict)
    debt: int = 0
    aside: int = 0

    @property
    def credit(self) -> int:
        """What the customer's credit is less by."""
        return sum(part for source, part in self.parts.items() if source not in NO_GRANTS) + self.aside


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What can be taken from now: the payment's own grant, and other grants that were bought, by id with what is left.

    `free` is the credit that is not held. `lapsed` expired of the own grant and was not taken from there.
    """

    own: str = ""
    grants: Mapping[str, int] = field(default_factory=dict)
    lapsed: int = 0
    free: int = 0


NOTHING = Figures()
NOTHING_TAKEN = Takings()


def stages(known: PaymentSeen, seen: PaymentSeen) -> Iterator[tuple[str, PaymentSeen]]:
    """The way from what is booked to what was seen, a kind of movement at a time: paid, refunds, disputes."""
    paid = replace(seen, refunds=known.refunds, disputes=known.disputes)
    yield "purchase", paid if known.state is seen.state else replace(paid, refunds=(), disputes=())
    yield "pay_back", replace(paid, refunds=seen.refunds)
    yield "dispute", seen


def figures(seen: PaymentSeen, *, credit: int = 0) -> Figures:
    """What is to be booked of a payment; nothing before it succeeded, nor in another currency.

    `credit` is what it gives beside what is bought: a plan's, or a line's that is free again.
    """
    if seen.state is not PaymentState.SUCCEEDED or seen.currency != CURRENCY:
        return NOTHING
    refunds = [each for each in seen.refunds if each.state is not RefundState.FAILED]
    refunded = sum(each.cents for each in refunds if each.state is RefundState.SUCCEEDED)
    refunding = sum(each.cents for each in refunds) - refunded
    lost = sum(each.cents for each in seen.disputes if each.state is DisputeState.LOST)
    back = min(refunded + refunding + lost, seen.cents)
    net = (seen.cents - seen.tax_cents) * NANO_PER_CENT
    given, paid = _credit(seen.purpose, net, credit)
    untaxed, taken = _taken(seen, back, given, paid)
    settled = net - (untaxed - taken) if seen.purpose is Purpose.INVOICE else 0
    return Figures(
        received=seen.cents * NANO_PER_CENT,
        tax=seen.tax_cents * NANO_PER_CENT - (back * NANO_PER_CENT - untaxed),
        given=given,
        gifted=given - paid,
        earned=net - settled - paid - (untaxed - taken),
        settled=settled,
        refunding=refunding * NANO_PER_CENT,
        refunded=refunded * NANO_PER_CENT,
        claimed=_claimed(seen) * NANO_PER_CENT,
        lost=lost * NANO_PER_CENT,
        taken=taken,
        borne=(refunded + refunding + lost - back) * NANO_PER_CENT,
    )


def at_stake(seen: PaymentSeen, booked: Figures) -> int:
    """The most to put aside: what would be taken, beyond what is, if the customer's bank kept what it claims."""
    if not booked.claimed:
        return 0
    gone = booked.refunded + booked.refunding + booked.lost + booked.claimed
    back = min(gone // NANO_PER_CENT, seen.cents)
    return _taken(seen, back, booked.given, booked.given - booked.gifted)[1] - booked.taken


def refundable_cents(seen: PaymentSeen, booked: Figures, left: int) -> int:
    """The most that can be given back of a payment with its tax, when `left` is what is left of its credit.

    Nothing of a plan's fee or an invoice, which are no credit, nor while a bank looks at it or has decided.
    """
    if seen.purpose not in PURCHASES or not booked.given or booked.claimed or booked.lost:
        return 0
    back = (booked.refunded + booked.refunding) // NANO_PER_CENT
    covered = left // NANO_PER_CENT * seen.cents // (seen.cents - seen.tax_cents)
    return max(min(seen.cents - back, covered), 0)


def take(due: int, stake: int, had: Takings, sources: Sources) -> Takings:
    """Take `due` in all, where `had` was taken before, and put aside at most `stake` of what is left of the own grant.

    Taken from the own grant, from what expired of it, then from others that were bought; what is not there is debt.
    What need not be taken any more goes back the same way backwards.
    """
    own, parts, free = sources.own, dict(had.parts), sources.free + had.aside
    left = {**sources.grants, LAPSED: sources.lapsed, FORGIVEN: 0}
    left[own] = left.get(own, 0) + had.aside
    way = [own, LAPSED, *sorted({*left, *parts} - {own, *NO_GRANTS}), FORGIVEN]
    owed = due - sum(parts.values())
    for source in reversed(way):
        back = min(parts.get(source, 0), max(-owed, 0))
        parts[source] = parts.get(source, 0) - back
        left[source] = left.get(source, 0) + back
        owed, free = owed + back, free + (0 if source in NO_GRANTS else back)
    for source in way:
        part = min(left[source], owed, owed if source in NO_GRANTS else free)
        parts[source] += part
        left[source] -= part
        owed, free = owed - part, free - (0 if source in NO_GRANTS else part)
    taken = {source: part for source, part in parts.items() if part}
    return Takings(parts=taken, debt=owed, aside=min(stake, left[own], free))


def forgive(takings: Takings) -> Takings:
    """The house takes the debt on itself."""
    parts = {**takings.parts, FORGIVEN: takings.parts.get(FORGIVEN, 0) + takings.debt}
    return replace(takings, parts=parts, debt=0)


def movement(  # noqa: PLR0913 - whose, and both figures before and after
    payment_id: str, account_id: str, *, before: Figures, after: Figures, had: Takings, has: Takings
) -> tuple[Entry, ...]:
    """The entries that bring the books from one pair of figures to another; none when nothing moves."""
    owned = Account(AccountKind.CUSTOMER_CREDIT, account_id)
    gift = AccountKind.CREDIT_LINE if after.settled else AccountKind.PROMOTIONS
    lines = (
        (owned, (after.given - has.credit) - (before.given - had.credit)),
        (Account(AccountKind.CASH, payment_id), _cash(before) - _cash(after)),
        (Account(AccountKind.TAX_PAYABLE, payment_id), after.tax - before.tax),
        (Account(AccountKind.REFUND_PAYABLE, payment_id), after.refunding - before.refunding),
        (Account(AccountKind.DISPUTED, payment_id), (has.aside - after.claimed) - (had.aside - before.claimed)),
        (Account(AccountKind.REVENUE), after.earned - before.earned),
        (Account(gift, account_id if after.settled else ""), before.gifted - after.gifted),
        (Account(AccountKind.CUSTOMER_RECEIVABLE, account_id), after.settled - before.settled),
        (Account(AccountKind.CUSTOMER_DEBT, account_id), had.debt - has.debt),
        (Account(AccountKind.HOUSE_LOSS), before.borne - after.borne),
        *((Account(kind), had.parts.get(name, 0) - has.parts.get(name, 0)) for name, kind in NO_GRANTS.items()),
    )
    return tuple([Entry(account, amount) for account, amount in lines if amount])


def freeze(seen: PaymentSeen, debt: int, *, lifted: bool = False) -> Freeze | None:
    """Why a payment freezes its account, if it does. `lifted`: an operator knows of the warning."""
    if seen.currency != CURRENCY:
        return None
    if seen.state is PaymentState.SUCCEEDED and _claimed(seen):
        return Freeze.DISPUTE
    if seen.early_fraud_warning and not lifted:
        return Freeze.FRAUD_WARNING
    return Freeze.DEBT if debt else None


def gravest(reasons: Collection[str]) -> str:
    """The reason an account is told; empty without any."""
    return next((reason.value for reason in Freeze if reason in reasons), "")


def _credit(purpose: Purpose, net: int, credit: int) -> tuple[int, int]:
    """The credit a payment gives, and how much of it was paid for."""
    if purpose in PURCHASES:
        return net, net
    return credit, min(net, credit) if purpose is Purpose.SUBSCRIPTION else 0


def _taken(seen: PaymentSeen, back: int, given: int, paid: int) -> tuple[int, int]:
    """Of `back` cents that went back: what was no tax, and what of that is the customer's to give up.

    A fee that paid for credit gives up as large a part of that credit. What an invoice was paid with beyond what it
    asked for goes back first and is nobody's to give up; then it is owed again.
    """
    if not back:
        return 0, 0
    untaxed = (back - back * seen.tax_cents // seen.cents) * NANO_PER_CENT
    net = (seen.cents - seen.tax_cents) * NANO_PER_CENT
    if seen.purpose is Purpose.SUBSCRIPTION:
        return untaxed, untaxed * paid // net if net else 0
    if seen.purpose is Purpose.INVOICE and given:
        return untaxed, max(0, untaxed - max(0, net - given))
    return untaxed, untaxed


def _claimed(seen: PaymentSeen) -> int:
    """Cents that a bank holds and has not decided on."""
    return sum(each.cents for each in seen.disputes if each.state is DisputeState.OPEN and each.withdrawn)


def _cash(booked: Figures) -> int:
    """What is with us."""
    return booked.received - booked.refunded - booked.claimed - booked.lost
