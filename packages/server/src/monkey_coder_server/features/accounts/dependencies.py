"""What the accounts feature asks of others."""

from collections.abc import Callable
from dataclasses import dataclass

from monkey_coder_server.ports.accounts import Accounts, Audit, Keys
from monkey_coder_server.ports.clock import Clock, Ids
from monkey_coder_server.ports.ledger import Records
from monkey_coder_server.ports.limiter import Limiter
from monkey_coder_server.ports.security import Passwords, SessionTokens
from monkey_coder_server.web.auth import Authenticator


@dataclass(frozen=True, slots=True)
class FreshKey:
    """A new API key: `secret` is shown once, `prefix` is shown in lists, `digest` is stored."""

    secret: str
    prefix: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Dependencies:
    """`random_text` gives 256 random bits as URL-safe text; `trial_credit` is in nano-dollars."""

    accounts: Accounts
    keys: Keys
    ledger: Records
    audit: Audit
    limiter: Limiter
    passwords: Passwords
    tokens: SessionTokens
    authenticator: Authenticator
    clock: Clock
    ids: Ids
    mint_key: Callable[[], FreshKey]
    random_text: Callable[[], str]
    trial_credit: int
