"""What buying asks of others."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.ports.accounts import Audit
from monkey_coder_server.ports.clock import Clock, Ids
from monkey_coder_server.ports.ledger import Records
from monkey_coder_server.ports.payment_books import PaymentBooks
from monkey_coder_server.ports.payments import HostedPage, PaymentGate
from monkey_coder_server.ports.purchases import Purchases
from monkey_coder_server.ports.top_ups import TopUps
from monkey_coder_server.ports.tries import Tries
from monkey_coder_server.web.browser import Browsers
from monkey_coder_server.web.operating import Insider
from monkey_coder_server.web.request import Request

_NO_PAYMENTS = "Nothing can be paid at this gateway: its operator adds credit. GET /billing says how."


@dataclass(frozen=True, slots=True)
class Payer:
    """Somebody who answers for an account: its person, or an owner of the organization."""

    email: str
    name: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person whose browser is logged in, and their own account."""

    user_id: str
    account_id: str
    email: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A mail: a subject, paragraphs, and a page of ours to go to, its words first."""

    subject: str
    paragraphs: tuple[str, ...]
    page: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class PlanOrder:
    """Somebody wants a plan. `reference` is ours and names the page that is made once."""

    account_id: str
    customer_id: str
    plan_id: str
    reference: str
    success_url: str
    cancel_url: str


class OrderPlan(Protocol):
    """Makes the page a plan is paid on. Raises `InvalidRequest`, `Conflict`, and as the gate does."""

    async def __call__(self, order: PlanOrder) -> HostedPage:
        """Where to send the browser."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """`gate` is None where no payments are set up; then nothing can be bought, and everything else is answered.

    `payers` are the people of an account, `post` writes to an address. `recall` asks every process for what it took
    of an account's credit beforehand and can spare. `base_url` has no slash at its end; `origins` are those of
    CORS_ORIGINS. `tax`: the processor reckons tax and adds it. `insider` says whether a person has a share in an
    account. `visitor` says whose browser it is, and `pays_at` is the origin of the pages one pays on.
    """

    gate: PaymentGate | None
    books: PaymentBooks
    ledger: Records
    purchases: Purchases
    top_ups: TopUps
    tries: Tries
    audit: Audit
    clock: Clock
    ids: Ids
    payers: Callable[[str], Awaitable[Sequence[Payer]]]
    post: Callable[[str, Notice], None]
    recall: Callable[[str], Awaitable[int]]
    insider: Insider
    order_plan: OrderPlan | None
    browsers: Browsers
    visitor: Callable[[Request], Awaitable[Visitor | None]]
    pays_at: str
    base_url: str
    origins: frozenset[str]
    tax: bool


def gate_of(use: Dependencies) -> PaymentGate:
    """The payment processor. Raises `NotFound` where none is set up."""
    if use.gate is None:
        raise NotFound(_NO_PAYMENTS)
    return use.gate
