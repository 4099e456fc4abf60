"""Accounts as operators see them. There is no list of all: who looks says at whom, and their trail tells it."""

from collections.abc import Sequence

from monkey_coder_protocol import operators as wire
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.features.accounts.account_plans import plan_now
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.operator_trail import tell
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.web.operating import Actor
from monkey_coder_server.web.standings import shown_standing


async def accounts_of(use: Dependencies, by: Actor, user: User) -> list[wire.AccountView]:
    """A person's own account, then the organizations they belong to."""
    organizations = await use.organizations.of_user(user.user_id)
    ids = dict.fromkeys([user.account_id, *(organization.account_id for organization, _ in organizations)])
    return [await account(use, by, account_id) for account_id in ids]


async def account(use: Dependencies, by: Actor, account_id: str) -> wire.AccountView:
    """One account; its trail tells who looked. Raises `NotFound`."""
    wallet, now = await use.ledger.wallet(account_id), use.clock.now()
    await tell(use, by, "account.look", target=account_id, account_id=account_id)
    organization = await use.organizations.find(account_id)
    keys = [
        key
        for key in await use.keys.list(account_id)
        if key.revoked_at is None and (key.expires_at is None or key.expires_at > now)
    ]
    return wire.AccountView(
        account_id=account_id,
        name=None if organization is None else organization.name,
        balance_usd=usd(wallet.balance),
        held_usd=usd(wallet.held),
        keys_in_use=len(keys),
        people=[await _person(use, user, role) for user, role in await _people(use, account_id)],
        limits=[shown_standing(each, now) for each in await use.limits.standings(account_id, now)],
    )


async def _people(use: Dependencies, account_id: str) -> Sequence[tuple[User, Role]]:
    members = await use.organizations.members(account_id)
    if members:
        return [(member.user, member.membership.role) for member in members]
    return [(user, Role.OWNER) for user in await use.accounts.of_account(account_id) if not user.is_service]


async def _person(use: Dependencies, user: User, role: Role) -> wire.AccountPerson:
    return wire.AccountPerson(
        user_id=user.user_id,
        email=user.email,
        name=user.name,
        role=role.value,
        plan=await plan_now(use, user.account_id),
        email_verified=user.email_verified_at is not None,
        second_factor=await use.factors.store.any(user.user_id),
        service_account=user.is_service,
        created_at=user.created_at.isoformat(),
    )
