"""What an operator does to accounts from the command line. Every action is in the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass

from monkey_coder_protocol.auth import CreateKeyRequest
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.keys import make_key
from monkey_coder_server.features.accounts.limits import OPERATOR, user_of
from monkey_coder_server.features.accounts.policy import STARTING_PLAN
from monkey_coder_server.features.accounts.registration import Newcomer, open_account
from monkey_coder_server.ports.accounts import AuditEntry, User
from monkey_coder_server.ports.credit import GrantStanding, Refund
from monkey_coder_server.ports.ledger import PLAIN_GRANT, GrantTerms, Wallet

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


async def grant(use: Dependencies, *, email: str, amount: int, reason: str, terms: GrantTerms = PLAIN_GRANT) -> Wallet:
    """Add credit (nano-dollars) to the account of an address. Raises `NotFound`, `InvalidRequest`."""
    user = await user_of(use, email)
    grant_id = use.ids.new("grant")
    wallet = await use.ledger.grant(user.account_id, amount, reason=reason, idempotency_key=grant_id, terms=terms)
    until = "never" if terms.expires_at is None else terms.expires_at.isoformat()
    await use.audit.record(
        AuditEntry(
            actor=OPERATOR,
            action="credit.grant",
            target=user.account_id,
            at=use.clock.now(),
            account_id=user.account_id,
            details=f"{grant_id}: {amount} nano-dollars ({terms.kind}, {terms.priority}, until {until}), {reason}",
        )
    )
    return wallet


async def list_grants(use: Dependencies, email: str) -> Sequence[GrantStanding]:
    """An account's grants in the order they are spent in. Raises `NotFound`."""
    return await use.credit.grants((await user_of(use, email)).account_id)


async def refund(use: Dependencies, *, email: str, undoes: str, amount: int, reason: str) -> Wallet:
    """Give a charge back, or take a grant back, in nano-dollars. Raises `NotFound`, `InvalidRequest`, `Conflict`."""
    user = await user_of(use, email)
    refund_id = use.ids.new("refund")
    wallet = await use.credit.refund(Refund(user.account_id, undoes, amount, reason, refund_id))
    await use.audit.record(
        AuditEntry(
            actor=OPERATOR,
            action="credit.refund",
            target=user.account_id,
            at=use.clock.now(),
            account_id=user.account_id,
            details=f"{refund_id}: {amount} nano-dollars of {undoes}; {reason}",
        )
    )
    return wallet


async def list_users(use: Dependencies) -> Sequence[tuple[User, Wallet]]:
    """Every user with their wallet, oldest first."""
    users = await use.accounts.list_users()
    return [(user, await use.ledger.wallet(user.account_id)) for user in users]


async def remove_factors(use: Dependencies, *, email: str, reason: str) -> int:
    """Take away every second factor of a person, end their sessions, and say how many factors it were.

    Raises `NotFound`.
    """
    user, store = await user_of(use, email), use.factors.store
    removed = int(await store.drop_totp(user.user_id))
    for passkey in await store.passkeys(user.user_id):
        removed += await store.drop_passkey(user.user_id, passkey.passkey_id)
    await use.sessions.revoke_all(user.user_id)
    await use.audit.record(
        AuditEntry(
            actor=OPERATOR,
            action="factor.remove",
            target=user.user_id,
            at=use.clock.now(),
            account_id=user.account_id,
            details=f"{removed} factors; {reason}",
        )
    )
    return removed
