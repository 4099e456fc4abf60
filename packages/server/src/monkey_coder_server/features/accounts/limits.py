"""Spending limits: what an operator sets, and what a key has."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, Period, Standing, Unit
from monkey_coder_server.domain.money import usd
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.operator_trail import tell
from monkey_coder_server.ports.accounts import KeyRecord, User
from monkey_coder_server.web.operating import COMMANDS

MOST_TOKENS = 10**18
_PROJECT = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many nano-dollars or tokens."""

    unit: Unit
    amount: int


@dataclass(frozen=True, slots=True)
class LimitWish:
    """What an operator wants limited: an account, or a key or a project of it; `model` is `provider/model`.

    No allowance takes the limits back, in both units.
    """

    whose: str
    """An address, or the id of an organization."""
    period: Period
    allowance: Allowance | None
    key_id: str | None = None
    project_id: str | None = None
    model: str = ""


async def set_limits(use: Dependencies, wish: LimitWish) -> Sequence[Standing]:
    """Set a limit or take it back; all limits of the account after it. Raises `NotFound`, `InvalidRequest`.

    It binds every request that is held in the books from now on; credit that processes took beforehand is recalled.
    """
    account_id = await account_of(use, wish.whose)
    holder, now = _holder(account_id, wish), use.clock.now()
    if wish.allowance is None:
        told = "none"
        for unit in Unit:
            await use.limits.remove(account_id, Limit(holder, wish.period, unit, 0, wish.model))
    else:
        unit, amount = wish.allowance.unit, wish.allowance.amount
        told = f"{usd(amount)} USD" if unit is Unit.MONEY else f"{amount} tokens"
        await use.limits.put(account_id, Limit(holder, wish.period, unit, amount, wish.model), now)
    await use.recall(account_id)
    details = f"{holder.kind} {holder.id}, {wish.model or 'any model'}, per {wish.period}: {told}"
    await tell(use, COMMANDS, "limits.set", target=account_id, account_id=account_id, details=details)
    return await use.limits.standings(account_id, now)


async def list_limits(use: Dependencies, whose: str | None) -> Sequence[tuple[str, Standing]]:
    """Every limit of one account, or of all that have a user, as it stands, and whose. Raises `NotFound`."""
    if whose is None:
        named = {user.account_id: user.email for user in reversed(await use.accounts.list_users())}
    else:
        named = {await account_of(use, whose): whose}
    now = use.clock.now()
    return [(name, each) for account_id, name in named.items() for each in await use.limits.standings(account_id, now)]


async def limits_of(use: Dependencies, key: KeyRecord) -> list[Limit]:
    """The limits a key holds, its caps on money among them."""
    holder = Holder(HolderKind.KEY, key.key_id)
    standings = await use.limits.standings(key.account_id, use.clock.now())
    return [standing.limit for standing in standings if standing.limit.holder == holder]


async def account_of(use: Dependencies, whose: str) -> str:
    """The account of a person's address, or of an organization's id, deleted ones included. Raises `NotFound`."""
    named = whose.strip()
    if "@" in named:
        return (await user_of(use, named)).account_id
    if await use.organizations.find(named) is None:
        message = f"There is no organization {named}; people are named by their address."
        raise NotFound(message)
    return named


async def user_of(use: Dependencies, email: str) -> User:
    """The user of an address. Raises `NotFound`."""
    user = await use.accounts.by_email(email.strip())
    if user is None:
        message = f"There is no account with the address {email.strip()}; `monkey-server admin list-users` shows all."
        raise NotFound(message)
    return user


def checked_project(project_id: str | None) -> str | None:
    """A project's name as it is kept. Raises `InvalidRequest`."""
    if project_id is not None and _PROJECT.fullmatch(project_id) is None:
        raise InvalidRequest("The field `project_id` must be 1 to 64 letters, digits, dots, hyphens or underscores.")
    return project_id


def checked_tokens(tokens: int, *, called: str = "A limit in tokens") -> int:
    """A number of tokens a limit may allow. Raises `InvalidRequest`, whose sentence begins with what it is `called`."""
    if not 0 <= tokens <= MOST_TOKENS:
        message = f"{called} must be 0 or more, and 10^18 at most."
        raise InvalidRequest(message)
    return tokens


def _holder(account_id: str, wish: LimitWish) -> Holder:
    if wish.key_id is not None:
        return Holder(HolderKind.KEY, wish.key_id)
    project_id = checked_project(wish.project_id)
    if project_id is not None:
        return Holder(HolderKind.PROJECT, project_id)
    return Holder(HolderKind.ACCOUNT, account_id)
