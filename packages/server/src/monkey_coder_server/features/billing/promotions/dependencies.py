"""What promotions ask of others."""

from collections.abc import Callable
from dataclasses import dataclass

from monkey_coder_server.ports.accounts import Audit
from monkey_coder_server.ports.clock import Clock, Ids
from monkey_coder_server.ports.ledger import Records
from monkey_coder_server.ports.plans import Plans
from monkey_coder_server.ports.promotions import Promotions
from monkey_coder_server.ports.tries import Tries


@dataclass(frozen=True, slots=True)
class Dependencies:
    """`random_bytes` gives so many that nobody can guess."""

    promotions: Promotions
    ledger: Records
    plans: Plans
    tries: Tries
    audit: Audit
    clock: Clock
    ids: Ids
    random_bytes: Callable[[int], bytes]
