"""One simulated Stripe: the account with everything a call passes on its way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from monkey_coder_server.sandbox.stripe.account import Account
from monkey_coder_server.sandbox.stripe.faults import Faults
from monkey_coder_server.sandbox.stripe.idempotency import Keys
from monkey_coder_server.sandbox.stripe.webhooks import Webhooks

Validator = Callable[[Mapping[str, Any]], object]
"""Raises ValueError for decoded parameters that are not what its route takes."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it arrived."""

    route: str
    parameters: Mapping[str, Any]
    status: int


@dataclass(slots=True)
class Simulator:
    """State of one running simulator. `calls` are those that did work, for tests to look at."""

    account: Account
    webhooks: Webhooks
    faults: Faults = field(default_factory=Faults)
    keys: Keys = field(default_factory=Keys)
    validators: Mapping[str, Validator] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    called: set[str] = field(default_factory=set)
    """Names of the routes that were called, such as `POST /v1/customers`."""
