"""What an operator does to accounts, by command or in a role. Every action is in the audit trail."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from monkey_coder_protocol.auth import CreateKeyRequest
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.ledger import grant_id
from monkey_coder_server.domain.operators import OPERATOR, OperatorRole
from monkey_coder_server.domain.plans import DEFAULT_PLAN
from monkey_coder_server.features.accounts.account_plans import chosen_plan, set_plan
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.keys import make_key
from monkey_coder_server.features.accounts.limits import account_of, user_of
from monkey_coder_server.features.accounts.notices import write_to
from monkey_coder_server.features.accounts.operator_roles import dismiss
from monkey_coder_server.features.accounts.operator_trail import tell
from monkey_coder_server.features.accounts.policy import checked_password
from monkey_coder_server.features.accounts.registration import Newcomer, open_account
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.ports.credit import GrantStanding, Refund
from monkey_coder_server.ports.ledger import PLAIN_GRANT, GrantTerms, Wallet
from monkey_coder_server.web.operating import COMMANDS, Actor

FIRST_KEY_NAME = "first key"


@dataclass(frozen=True, slots=True)
class CreatedUser:
    """A new account with its first key; `api_key` is kept nowhere else. `wallet` in nano-dollars."""

    user: User
    api_key: str
    wallet: Wallet


@dataclass(frozen=True, slots=True)
class Gift:
    """Credit for an account, in nano-dollars, and why."""

    account_id: str
    amount: int
    reason: str
    terms: GrantTerms = PLAIN_GRANT


@dataclass(frozen=True, slots=True)
class Moved:
    """Under which id money was booked, and the wallet after it."""

    id: str
    wallet: Wallet


async def create_user(
    use: Dependencies, *, email: str, password: str | None, credit: int, plan: str | None
) -> CreatedUser:
    """An account with a wallet and a first key; without a password nobody can log in until one is set.

    Raises `InvalidRequest`, `Conflict`.
    """
    secret = _drawn(use, email) if password is None else password
    chosen = await chosen_plan(use, plan)
    user = await open_account(use, Newcomer(email=email, password=secret, credit=credit, actor=OPERATOR))
    if chosen.plan_id != DEFAULT_PLAN:
        await set_plan(use, COMMANDS, user.account_id, chosen.plan_id, reason="made with this plan")
    wish = CreateKeyRequest(name=FIRST_KEY_NAME)
    made = await make_key(use, account_id=user.account_id, user_id=user.user_id, wish=wish)
    return CreatedUser(user, made.secret, await use.ledger.wallet(user.account_id))


def _drawn(use: Dependencies, email: str) -> str:
    """A password nobody knows. What looks for leaked ones takes one random text in thousands for one: then another."""
    while True:
        with suppress(InvalidRequest):
            return checked_password(use.random_text(), email, use.common_passwords)


async def grant(use: Dependencies, *, whose: str, amount: int, reason: str, terms: GrantTerms = PLAIN_GRANT) -> Wallet:
    """Add credit (nano-dollars) to the account of a person or an organization. Raises `NotFound`, `InvalidRequest`."""
    account_id = await account_of(use, whose)
    return (await give(use, COMMANDS, Gift(account_id, amount, reason, terms))).wallet


async def give(use: Dependencies, by: Actor, gift: Gift) -> Moved:
    """Add credit to an account. Raises `NotFound`, `InvalidRequest`."""
    key, account_id, terms = use.ids.new("grant"), gift.account_id, gift.terms
    wallet = await use.ledger.grant(account_id, gift.amount, reason=gift.reason, idempotency_key=key, terms=terms)
    until = "never" if terms.expires_at is None else terms.expires_at.isoformat()
    told = f"{key}: {gift.amount} nano-dollars ({terms.kind}, {terms.priority}, until {until}), {gift.reason}"
    await tell(use, by, "credit.grant", target=account_id, account_id=account_id, details=told)
    return Moved(grant_id(account_id, key), wallet)


async def list_grants(use: Dependencies, whose: str) -> Sequence[GrantStanding]:
    """An account's grants in the order they are spent in. Raises `NotFound`."""
    return await use.credit.grants(await account_of(use, whose))


async def refund(use: Dependencies, *, whose: str, undoes: str, amount: int, reason: str) -> Wallet:
    """Give a charge back, or take a grant back, in nano-dollars. Raises `NotFound`, `InvalidRequest`, `Conflict`."""
    account_id = await account_of(use, whose)
    return (await undo(use, COMMANDS, Refund(account_id, undoes, amount, reason, use.ids.new("refund")))).wallet


async def undo(use: Dependencies, by: Actor, wish: Refund) -> Moved:
    """The same for any account. Raises `NotFound`, `InvalidRequest`, `Conflict`."""
    wallet = await use.credit.refund(wish)
    told = f"{wish.idempotency_key}: {wish.amount} nano-dollars of {wish.undoes}; {wish.reason}"
    await tell(use, by, "credit.refund", target=wish.account_id, account_id=wish.account_id, details=told)
    return Moved(wish.idempotency_key, wallet)


async def list_users(use: Dependencies) -> Sequence[tuple[User, Wallet]]:
    """Every user with their wallet, oldest first."""
    users = await use.accounts.list_users()
    return [(user, await use.ledger.wallet(user.account_id)) for user in users]


async def remove_factors(use: Dependencies, *, email: str, reason: str) -> int:
    """Take away every second factor of a person, end their sessions, and say how many factors it were.

    An operator is none without them. Raises `NotFound`.
    """
    user, store = await user_of(use, email), use.factors.store
    await dismiss(use, COMMANDS, user, frozenset(OperatorRole), reason="the second factors go")
    removed = int(await store.drop_totp(user.user_id))
    for passkey in await store.passkeys(user.user_id):
        removed += await store.drop_passkey(user.user_id, passkey.passkey_id)
    await use.sessions.revoke_all(user.user_id)
    told = f"{removed} factors; {reason}"
    await tell(use, COMMANDS, "factor.remove", target=user.user_id, account_id=user.account_id, details=told)
    write_to(use, user, "factor.remove", by="the operator of this gateway")
    return removed
