"""What plans and invoices ask of others."""

from dataclasses import dataclass

from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.invoicing import CreditLines, Invoices
from monkey_coder_server.ports.plans import AccountPlans, Plans
from monkey_coder_server.ports.subscriptions import Subscriptions


@dataclass(frozen=True, slots=True)
class Dependencies:
    """`tax`: the payment processor reckons tax and adds it."""

    plans: Plans
    account_plans: AccountPlans
    subscriptions: Subscriptions
    credit_lines: CreditLines
    invoices: Invoices
    clock: Clock
    tax: bool
