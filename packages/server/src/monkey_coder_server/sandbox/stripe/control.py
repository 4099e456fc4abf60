"""What a test or a demo does to the simulator from outside: customers, banks, time, webhooks and faults."""

from collections.abc import Sequence
from typing import Any

from monkey_coder_server.sandbox.stripe import funds
from monkey_coder_server.sandbox.stripe.account import Object, visible
from monkey_coder_server.sandbox.stripe.cards import BANK_BOUNCES, BANK_PAYS
from monkey_coder_server.sandbox.stripe.faults import Fault
from monkey_coder_server.sandbox.stripe.periods import DAY
from monkey_coder_server.sandbox.stripe.refusals import Refusal
from monkey_coder_server.sandbox.stripe.resources import (
    billing,
    charging,
    checkout,
    completing,
    disputes,
    payment_methods,
    refunds,
)
from monkey_coder_server.sandbox.stripe.simulator import Simulator
from monkey_coder_server.sandbox.stripe.webhooks import Delivery, Endpoint, Script, Sent

VISA = "4242424242424242"


class Control:
    """Every method acts at once; webhooks follow when they are due. Amounts are cents."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._account = simulator.account

    # customers

    def pay(self, session: str, card: str = VISA, *, email: str = "buyer@example.com") -> Object:
        """Pay on a session's page with a card; the session. Raises a refusal for a declined one."""
        return self._pay(session, completing.Payer(card, email=email))

    def pay_by_bank(self, session: str, *, bounces: bool = False) -> Object:
        """Pay by a bank debit, which arrives or bounces days later; the session."""
        return self._pay(session, completing.Payer(BANK_BOUNCES if bounces else BANK_PAYS, bank=True))

    def prove(self, intent: str, *, passed: bool = True) -> Object:
        """The customer shows their bank who they are, or fails to; the intent."""
        found = self._found(intent)
        with self._account.mode_of(found["livemode"]):
            try:
                charging.prove(self._account, found, passed=passed)
            finally:
                self._follow(found)
        return visible(found)

    def expire(self, session: str) -> None:
        """Let a session run out."""
        found = self._found(session)
        with self._account.mode_of(found["livemode"]):
            checkout.end(self._account, found)

    def pay_invoice(self, invoice: str, card: str = VISA) -> Object:
        """Pay an open invoice on its page; the invoice."""
        found = self._found(invoice)
        with self._account.mode_of(found["livemode"]):
            method = payment_methods.card(self._account, card)
            billing.pay(self._account, found, method, away=False)
        return visible(found)

    # banks

    def open_dispute(
        self, intent: str, *, cents: int | None = None, reason: str = "fraudulent", inquiry: bool = False
    ) -> Object:
        """The cardholder's bank takes a payment back, or only asks; the dispute."""
        charge = self._charge(intent)
        with self._account.mode_of(charge["livemode"]):
            return visible(disputes.open_dispute(self._account, charge, cents=cents, reason=reason, inquiry=inquiry))

    def escalate(self, dispute: str) -> None:
        """An inquiry becomes a dispute."""
        found = self._found(dispute)
        with self._account.mode_of(found["livemode"]):
            disputes.escalate(self._account, found)

    def decide_dispute(self, dispute: str, *, won: bool) -> None:
        """The bank decides; after a lost one also for us, on appeal."""
        found = self._found(dispute)
        with self._account.mode_of(found["livemode"]):
            disputes.decide(self._account, found, won=won)

    def warn_of_fraud(self, intent: str) -> Object:
        """An early fraud warning; the warning."""
        charge = self._charge(intent)
        with self._account.mode_of(charge["livemode"]):
            return visible(disputes.warn_of_fraud(self._account, charge))

    def refund(self, intent: str, cents: int | None = None) -> Object:
        """Somebody gives money back in the dashboard, not through us; the refund."""
        charge = self._charge(intent)
        with self._account.mode_of(charge["livemode"]):
            made = refunds.refund(self._account, charge, cents, reason="requested_by_customer", metadata={})
        return visible(made)

    def settle_refund(self, refund: str, *, failed: bool = False) -> None:
        """A refund becomes certain, or comes back."""
        found = self._found(refund)
        with self._account.mode_of(found["livemode"]):
            refunds.settle(self._account, found, failed=failed)

    def cash(self) -> dict[str, int]:
        """Cents by what they were: charge, refund, refund_failure, dispute, dispute_reversal; fee and net."""
        return funds.sums(self._account)

    # time

    def advance(self, days: float = 0, *, seconds: int = 0) -> int:
        """Let time pass; what is due happens in order. The new time, Unix seconds."""
        self._account.advance(int(days * DAY) + seconds)
        self._simulator.webhooks.wake()
        return self._account.now()

    # webhooks

    def add_endpoint(self, url: str, secrets: Sequence[str]) -> None:
        """Send events there, signed with each of the secrets."""
        self._simulator.webhooks.endpoints.append(Endpoint(url, list(secrets)))

    def hold(self) -> None:
        """Deliver only when told."""
        self._simulator.webhooks.automatic = False

    def script(self, *, lose: int = 0, copies: int = 1, delay: int = 0) -> None:
        """From now on lose the next so many events, send each so many times, so many seconds late."""
        self._simulator.webhooks.script = Script(lose, copies, delay)

    async def deliver(self, *, mixed: bool = False, everything: bool = False) -> list[Sent]:
        """Send what is due, or everything, mixed or in order; what each met."""
        return await self._simulator.webhooks.deliver(mixed=mixed, everything=everything)

    def resend(self, event: str, *, copies: int = 1) -> None:
        """Send an event again, as the dashboard does; also one that was lost."""
        webhooks, found = self._simulator.webhooks, self._found(event)
        for endpoint in webhooks.endpoints:
            webhooks.push([Delivery(found, endpoint, self._account.now())] * copies)

    def forge(self, kind: str, subject: Object, *, live: bool = False, shift: int = 0) -> str:
        """Send an event nothing led to: unknown type, other mode, signature from the future; its id."""
        webhooks, name = self._simulator.webhooks, self._account.new_id("evt")
        event = {
            "id": name,
            "object": "event",
            "api_version": None,
            "created": self._account.now() + shift,
            "data": {"object": subject},
            "livemode": live,
            "pending_webhooks": 1,
            "request": None,
            "type": kind,
        }
        for endpoint in webhooks.endpoints:
            webhooks.push([Delivery(event, endpoint, self._account.now(), shift=shift)])
        return name

    # faults

    def fault(self, kind: str, *, method: str = "", path: str = "", times: int = 1, seconds: float = 60.0) -> None:
        """Break the next calls that fit (`faults.KINDS`)."""
        self._simulator.faults.rules.append(Fault(kind, method, path, times, seconds))

    # what is there

    def find(self, kind: str, **match: Any) -> list[Object]:
        """Objects of both modes with these values, oldest first."""
        return [
            visible(item)
            for item in self._account.by_kind.get(kind, ())
            if all(item.get(name) == value for name, value in match.items())
        ]

    def _pay(self, session: str, payer: completing.Payer) -> Object:
        found = self._found(session)
        with self._account.mode_of(found["livemode"]):
            completing.pay(self._account, found, payer)
        return visible(found)

    def _follow(self, intent: Object) -> None:
        for session in self._account.all("checkout.session"):
            if session.get("_intent") == intent["id"]:
                completing.after_bank(self._account, session)
        waiting = self._account.when_settled.pop(intent["id"], None)
        if waiting is not None:
            waiting()

    def _charge(self, intent: str) -> Object:
        return self._found(self._found(intent)["latest_charge"] or "")

    def _found(self, name: str) -> Object:
        found = self._account.objects.get(name)
        if found is None:
            raise Refusal(404, f"Nothing is called '{name}'")
        return found
