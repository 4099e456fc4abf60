"""What an operator does to accounts from the command line. Every action is in the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass

from monkey_coder_protocol.auth import CreateKeyRequest
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.keys import make_key
from monkey_coder_server.features.accounts.policy import STARTING_PLAN
from monkey_coder_server.features.accounts.registration import Newcomer, open_account
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.ports.ledger import Wallet

OPERATOR = "operator"
FIRST_KEY_NAME = "first key"


@dataclass(frozen=True, slots=True)
class CreatedUser:
    """A new account with its first key; `api_key` is kept nowhere else. `wallet` in nano-dollars."""

    user: User
    api_key: str
    wallet: Wallet


async def create_user(
    use: Dependencies, *, email: str, password: str | None, credit: int, plan: str | None
) -> CreatedUser:
    """An account with a wallet and a first key; without a password nobody can log in until one is set.

    Raises `InvalidRequest`, `Conflict`.
    """
    secret = password if password is not None else use.random_text()
    newcomer = Newcomer(email=email, password=secret, plan=plan or STARTING_PLAN, credit=credit, actor=OPERATOR)
    user = await open_account(use, newcomer)
    wish = CreateKeyRequest(name=FIRST_KEY_NAME)
    made = await make_key(use, account_id=user.account_id, user_id=user.user_id, wish=wish)
    return CreatedUser(user, made.secret, await use.ledger.wallet(user.account_id))


async def grant(use: Dependencies, *, email: str, amount: int, reason: str) -> Wallet:
    """Add credit (nano-dollars) to the account of an address. Raises `NotFound`, `InvalidRequest`."""
    user = await use.accounts.by_email(email.strip())
    if user is None:
        message = f"There is no account with the address {email.strip()}; `monkey-server admin list-users` shows all."
        raise NotFound(message)
    grant_id = use.ids.new("grant")
    wallet = await use.ledger.grant(user.account_id, amount, reason=reason, idempotency_key=grant_id)
    await use.audit.record(
        actor=OPERATOR,
        action="credit.grant",
        target=user.account_id,
        details=f"{grant_id}: {amount} nano-dollars, {reason}",
        at=use.clock.now(),
    )
    return wallet


async def list_users(use: Dependencies) -> Sequence[tuple[User, Wallet]]:
    """Every user with their wallet, oldest first."""
    users = await use.accounts.list_users()
    return [(user, await use.ledger.wallet(user.account_id)) for user in users]
