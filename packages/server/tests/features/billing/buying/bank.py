"""A payment processor in memory: it keeps keys, takes cards that are declined when told to, and loses answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar, cast

from monkey_coder_server.domain.errors import PaymentRefused, Unavailable
from monkey_coder_server.domain.payments import PaymentSeen, PaymentState, Purpose, RefundSeen, RefundState
from monkey_coder_server.ports.payments import (
    CheckoutWish,
    CustomerSeen,
    HostedPage,
    NewCustomer,
    OffSessionCharge,
    PaymentGate,
    SavedCard,
)

T = TypeVar("T")
CARD = SavedCard("pm_1", "visa", "4242", "2030-04")
OK = (PaymentState.SUCCEEDED, "")


@dataclass(slots=True)
class Bank:
    """`outcomes` are those of the next charges; `lost` answers get lost after the work, `away` refuses before it.

    `lost_of` loses the next answer to calls of a kind; `confirms`: payments are confirmed just before they are ended.
    """

    customers: dict[str, NewCustomer] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    cards: dict[str, SavedCard] = field(default_factory=dict)
    pages: list[CheckoutWish] = field(default_factory=list)
    payments_made: dict[str, PaymentSeen] = field(default_factory=dict)
    outcomes: list[tuple[PaymentState, str]] = field(default_factory=list)
    refund_state: RefundState = RefundState.SUCCEEDED
    refuses_refunds: bool = False
    lost: int = 0
    lost_of: set[str] = field(default_factory=set)
    confirms: bool = False
    away: bool = False
    calls: list[str] = field(default_factory=list)
    kept: dict[str, tuple[object, Any]] = field(default_factory=dict)

    def forget_keys(self) -> None:
        """A day later."""
        self.kept.clear()

    def pay(self, wish: CheckoutWish, state: PaymentState = PaymentState.SUCCEEDED) -> PaymentSeen:
        """Somebody paid on a page."""
        if wish.save_card:
            self.cards[wish.customer_id] = CARD
        return self._make(wish.customer_id, wish.account_id, wish.purpose, wish.cents, wish.reference, state, "")

    async def create_customer(self, customer: NewCustomer, *, key: str) -> str:
        def make() -> str:
            customer_id = f"cus_{len(self.customers) + 1}"
            self.customers[customer_id] = customer
            return customer_id

        return await self._once("customer", key, customer, make)

    async def checkout(self, wish: CheckoutWish, *, key: str) -> HostedPage:
        self._known(wish.customer_id)

        def make() -> HostedPage:
            self.pages.append(wish)
            number = len(self.pages)
            return HostedPage(f"cs_{number}", f"https://pay.example/cs_{number}", None)

        return await self._once("checkout", key, wish, make)

    async def portal(self, customer_id: str, return_url: str, *, key: str) -> HostedPage:
        self._known(customer_id)
        page = HostedPage("bps_1", f"https://pay.example/portal?back={return_url}", None)
        return await self._once("portal", key, return_url, lambda: page)

    async def charge(self, charge: OffSessionCharge, *, key: str) -> PaymentSeen:
        self._known(charge.customer_id)

        def make() -> PaymentSeen:
            state, failure = self.outcomes.pop(0) if self.outcomes else OK
            return self._make(
                charge.customer_id, charge.account_id, charge.purpose, charge.cents, charge.reference, state, failure
            )

        return await self._once("charge", key, charge, make)

    async def cancel_payment(self, payment_id: str, *, key: str) -> PaymentSeen | None:
        def end() -> PaymentSeen | None:
            made = self.payments_made.get(payment_id)
            if made is not None and self.confirms:
                made = self.payments_made[payment_id] = replace(made, state=PaymentState.SUCCEEDED, failure="")
            if made is not None and made.state is not PaymentState.SUCCEEDED:
                made = self.payments_made[payment_id] = replace(made, state=PaymentState.FAILED)
            return made

        return await self._once("cancel", key, payment_id, end)

    async def remove_card(self, method_id: str, *, key: str) -> None:
        self.calls.append(key)
        self.cards = {whose: card for whose, card in self.cards.items() if card.method_id != method_id}

    async def refund(self, payment_id: str, cents: int, order: str, *, key: str) -> RefundSeen:
        if self.refuses_refunds:
            raise PaymentRefused("No.", facts={"refusal": "charge_disputed"})

        def make() -> RefundSeen:
            paid = self.payments_made[payment_id]
            if sum(each.cents for each in paid.refunds) + cents > paid.cents:
                raise PaymentRefused("More than was paid.", facts={"refusal": "amount_too_large"})
            made = RefundSeen(refund_id=f"re_{order}", cents=cents, state=self.refund_state, order=order)
            self.payments_made[payment_id] = replace(paid, refunds=(*paid.refunds, made))
            return made

        return await self._once("refund", key, (payment_id, cents, order), make)

    async def payment(self, payment_id: str) -> PaymentSeen | None:
        self._reachable("payment")
        return self.payments_made.get(payment_id)

    async def customer(self, customer_id: str) -> CustomerSeen | None:
        self._reachable("customer_seen")
        known = self.customers.get(customer_id)
        if known is None:
            return None
        gone = customer_id in self.deleted
        return CustomerSeen(customer_id, known.account_id, gone, self.cards.get(customer_id), live=False)

    async def find_payment(self, metadata: Mapping[str, str], *, since: datetime) -> PaymentSeen | None:
        self._reachable("find_payment")
        assert since.tzinfo is not None
        for each in self.payments_made.values():
            if all(getattr(each, name) == value for name, value in metadata.items()):
                return each
        return None

    @property
    def gate(self) -> PaymentGate:
        """As far as buying asks it: of plans and invoices it knows nothing."""
        return cast("PaymentGate", self)

    def _make(  # noqa: PLR0917 - a payment's parts
        self,
        customer_id: str,
        account_id: str,
        purpose: Purpose,
        cents: int,
        reference: str,
        state: PaymentState,
        failure: str,
    ) -> PaymentSeen:
        made = PaymentSeen(
            payment_id=f"pi_{len(self.payments_made) + 1}",
            customer_id=customer_id,
            account_id=account_id,
            purpose=purpose,
            state=state,
            cents=cents,
            reference=reference,
            failure=failure,
        )
        self.payments_made[made.payment_id] = made
        return made

    def _known(self, customer_id: str) -> None:
        if customer_id in self.deleted or customer_id not in self.customers:
            raise PaymentRefused("No such customer.", facts={"refusal": "customer_gone"})

    def _reachable(self, call: str) -> None:
        self.calls.append(call)
        if self.away:
            raise Unavailable("The payment processor cannot be reached.", retry_after=1)

    async def _once(self, call: str, key: str, asked: object, make: Callable[[], T]) -> T:
        self._reachable(call)
        made: T
        if key in self.kept:
            before, made = self.kept[key]
            if before != asked:
                raise PaymentRefused("Another request under this key.", facts={"refusal": "idempotency_error"})
        else:
            made = make()
            self.kept[key] = (asked, made)
        if self.lost or call in self.lost_of:
            self.lost = max(0, self.lost - 1)
            self.lost_of.discard(call)
            raise Unavailable("The answer was lost.", retry_after=1)
        return made
