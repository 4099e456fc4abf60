"""What the accounts feature asks of others."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from monkey_coder_server.domain.model_facts import ModelFacts
from monkey_coder_server.domain.rates import HouseRates
from monkey_coder_server.features.accounts.factor_tools import FactorTools
from monkey_coder_server.features.accounts.letters import Letters
from monkey_coder_server.ports.accounts import Accounts, Audit, Keys, Sessions
from monkey_coder_server.ports.clock import Clock, Ids
from monkey_coder_server.ports.credit import Credit
from monkey_coder_server.ports.ledger import Records
from monkey_coder_server.ports.limiter import Limiter
from monkey_coder_server.ports.limits import Limits
from monkey_coder_server.ports.operators import Operators
from monkey_coder_server.ports.organizations import Memberships, Organizations
from monkey_coder_server.ports.plans import AccountPlans, Plans
from monkey_coder_server.ports.rates import RateRules
from monkey_coder_server.ports.security import CommonPasswords, Passwords, SessionTokens
from monkey_coder_server.ports.sign_in import Identities, SignInProvider
from monkey_coder_server.ports.teams import ModelRules, Teams
from monkey_coder_server.ports.tickets import Tickets
from monkey_coder_server.ports.tries import Tries
from monkey_coder_server.web.auth import Authenticator


def _nothing(_plan: str) -> Sequence[ModelFacts]:
    return ()


@dataclass(frozen=True, slots=True)
class FreshKey:
    """A new API key: `secret` is shown once, `prefix` in lists; `digest` is stored with the version of its pepper."""

    secret: str
    prefix: str
    digest: bytes
    pepper: str


@dataclass(frozen=True, slots=True)
class Dependencies:
    """`random_text` gives 256 random bits as URL-safe text, `successor` as many that only we can tell from a text.

    `trial_credit` is in nano-dollars. `base_url` is where people reach this gateway, without a slash at its end.
    `offered` gives the models on offer, priced as for a plan. `house_rates` are those of the settings.

    `recall` asks every process for what it took of an account's credit beforehand and can spare.
    """

    accounts: Accounts
    sessions: Sessions
    memberships: Memberships
    operators: Operators
    organizations: Organizations
    teams: Teams
    model_rules: ModelRules
    rates: RateRules
    house_rates: HouseRates
    plans: Plans
    account_plans: AccountPlans
    identities: Identities
    sign_in: Mapping[str, SignInProvider]
    tickets: Tickets
    tries: Tries
    keys: Keys
    ledger: Records
    credit: Credit
    limits: Limits
    recall: Callable[[str], Awaitable[int]]
    audit: Audit
    factors: FactorTools
    limiter: Limiter
    passwords: Passwords
    common_passwords: CommonPasswords
    tokens: SessionTokens
    authenticator: Authenticator
    letters: Letters
    clock: Clock
    ids: Ids
    mint_key: Callable[[], FreshKey]
    random_text: Callable[[], str]
    successor: Callable[[str], str]
    trial_credit: int
    base_url: str
    offered: Callable[[str], Sequence[ModelFacts]] = _nothing
