"""New accounts: a user, a wallet, the credit to start with."""

from dataclasses import dataclass, replace

from monkey_coder_server.domain.ledger import GrantKind
from monkey_coder_server.domain.plans import DEFAULT_PLAN
from monkey_coder_server.features.accounts.account_plans import chosen_plan, trial_credit
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.policy import (
    LONGEST_NAME,
    checked_address,
    checked_name,
    checked_password,
)
from monkey_coder_server.ports.accounts import AuditEntry, User
from monkey_coder_server.ports.ledger import GrantTerms

ROLE = "user"


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What a new account is made from. `credit` in nano-dollars."""

    email: str
    password: str
    name: str | None = None
    credit: int = 0
    actor: str = "self"


async def register(use: Dependencies, *, email: str, password: str, name: str | None, plan: str | None) -> User:
    """A person signs up. A plan begins when it is paid for or an operator gives it; until then everybody is prepaid.

    Raises `InvalidRequest`, `Conflict`, `Unavailable`.
    """
    await chosen_plan(use, plan)
    credit = await trial_credit(use)
    return await open_account(use, Newcomer(email=email, password=password, name=name, credit=credit))


async def open_for(use: Dependencies, *, email: str, name: str) -> User:
    """An account without a password, for somebody whose address is verified. Raises `InvalidRequest`, `Conflict`."""
    address = checked_address(email)
    chosen = checked_name(name[:LONGEST_NAME] if name.isprintable() else None, address)
    newcomer = Newcomer(email=address, password="", credit=await trial_credit(use))
    user = replace(_user(use, newcomer, address, ""), name=chosen, email_verified_at=use.clock.now())
    return await _opened(use, newcomer, user)


async def open_account(use: Dependencies, newcomer: Newcomer) -> User:
    """Store the user, open the wallet, grant the credit. Raises `InvalidRequest`, `Conflict`, `Unavailable`."""
    address = checked_address(newcomer.email)
    password_hash = await use.passwords.hash(checked_password(newcomer.password, address, use.common_passwords))
    return await _opened(use, newcomer, _user(use, newcomer, address, password_hash))


def _user(use: Dependencies, newcomer: Newcomer, address: str, password_hash: str) -> User:
    return User(
        user_id=use.ids.new("usr"),
        account_id=use.ids.new("acc"),
        email=address,
        name=checked_name(newcomer.name, address),
        password_hash=password_hash,
        plan=DEFAULT_PLAN,
        roles=(ROLE,),
        created_at=use.clock.now(),
    )


async def _opened(use: Dependencies, newcomer: Newcomer, user: User) -> User:
    await use.accounts.create(user)
    await use.ledger.open_wallet(user.account_id)
    if newcomer.credit > 0:
        await use.ledger.grant(
            user.account_id,
            newcomer.credit,
            reason="credit a new account starts with",
            idempotency_key=f"start:{user.account_id}",
            terms=GrantTerms(GrantKind.TRIAL),
        )
    await use.audit.record(
        AuditEntry(
            actor=user.user_id if newcomer.actor == "self" else newcomer.actor,
            action="account.open",
            target=user.account_id,
            at=user.created_at,
            account_id=user.account_id,
            details=f"credit {newcomer.credit} nano-dollars",
        )
    )
    return user
