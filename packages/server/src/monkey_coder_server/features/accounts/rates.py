"""Rates: what an operator sets for an account and those in it, and how all are shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monkey_coder_protocol.organizations import RateInfo
from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.domain.limits import Holder, HolderKind
from monkey_coder_server.domain.rates import MOST, Bound, Caller, HouseRates, Measure, RateRule, bounds
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.limits import account_of, checked_project
from monkey_coder_server.features.accounts.operator_trail import tell
from monkey_coder_server.web.operating import COMMANDS

HIGHEST_REQUESTS = 1_000_000
"""Requests a minute of one key."""


@dataclass(frozen=True, slots=True)
class RateWish:
    """What an operator wants bounded: an account, or a key, a project or a team of it; `model` is `provider/model`.

    By measure what is allowed from now on; None takes a rate back.
    """

    whose: str
    """An address, or the id of an organization."""
    allowed: Mapping[Measure, int | None]
    key_id: str | None = None
    project_id: str | None = None
    team_id: str | None = None
    model: str = ""


async def set_rates(use: Dependencies, wish: RateWish) -> Sequence[RateRule]:
    """Set rates or take them back; all of the account after it. Raises `NotFound`, `InvalidRequest`."""
    account_id = await account_of(use, wish.whose)
    holder = await _holder(use, account_id, wish)
    told = await write_rates(use, account_id, holder, wish.model, wish.allowed)
    details = f"{holder.kind} {holder.id}, {told}"
    await tell(use, COMMANDS, "rates.set", target=account_id, account_id=account_id, details=details)
    return await rules_of_account(use, account_id)


async def list_rates(use: Dependencies, whose: str | None) -> Sequence[tuple[str, RateRule]]:
    """Every rate of one account, or of all that have a user, and whose. Raises `NotFound`."""
    if whose is None:
        named = {user.account_id: user.email for user in reversed(await use.accounts.list_users())}
    else:
        named = {await account_of(use, whose): whose}
    return [(name, rule) for account_id, name in named.items() for rule in await rules_of_account(use, account_id)]


async def write_rates(
    use: Dependencies, account_id: str, holder: Holder, model: str, allowed: Mapping[Measure, int | None]
) -> str:
    """Set rates of a holder or take them back; what was done in words. Raises `InvalidRequest`, `NotFound`."""
    rules = [RateRule(holder, measure, figure or 0, model) for measure, figure in allowed.items()]
    for rule in rules:
        if allowed[rule.measure] is not None:
            _check(rule)
    for rule in rules:
        await (use.rates.remove if allowed[rule.measure] is None else use.rates.put)(account_id, rule)
    told = ", ".join([f"{'no limit' if figure is None else figure} of {name}" for name, figure in allowed.items()])
    return f"{model or 'any model'}: {told}"


async def rules_of_account(use: Dependencies, account_id: str) -> list[RateRule]:
    """Every rate of an account, what its keys may ask in a minute among them."""
    own = [
        RateRule(Holder(HolderKind.KEY, key.key_id), Measure.REQUESTS, key.rate)
        for key in await use.keys.list(account_id)
        if key.rate is not None and key.revoked_at is None
    ]
    return [*await use.rates.rules(account_id), *own]


def shown_rates(caller: Caller, rules: Sequence[RateRule], house: HouseRates) -> list[RateInfo]:
    """Every rate that counts for a caller, whatever model is asked for, the widest holder first."""
    found = bounds(caller, rules, house, {rule.model for rule in rules})
    least: dict[tuple[str, str], int] = {}
    for each in found:
        place = (each.measure, each.model)
        least[place] = min(each.allowed, least.get(place, each.allowed))
    return [_shown(each, tightest=each.allowed == least[each.measure, each.model]) for each in found]


def shown_rules(account_id: str, rules: Iterable[RateRule]) -> list[RateInfo]:
    """Rules as they were set."""
    return [_shown(Bound.of(account_id, rule)) for rule in rules]


def _shown(bound: Bound, *, tightest: bool = False) -> RateInfo:
    return RateInfo(
        measure=bound.measure.value,
        limit=bound.allowed,
        holder=bound.holder,
        holder_id=bound.holder_id,
        source=bound.source.value,
        model=bound.model or None,
        setting=bound.setting or None,
        tightest=tightest,
    )


def _check(rule: RateRule) -> None:
    """Raises `InvalidRequest`. A key's own requests a minute are at least one, as `POST /v1/keys` takes them."""
    own = rule.holder.kind is HolderKind.KEY and rule.measure is Measure.REQUESTS and not rule.model
    least, most = (1, HIGHEST_REQUESTS) if own else (0, MOST)
    if not least <= rule.allowed <= most:
        message = f"The field `{rule.measure}` must be from {least} to {most}."
        raise InvalidRequest(message)


async def _holder(use: Dependencies, account_id: str, wish: RateWish) -> Holder:
    if wish.key_id is not None:
        return Holder(HolderKind.KEY, wish.key_id)
    if wish.team_id is not None:
        if wish.team_id not in {team.team_id for team in await use.teams.teams(account_id)}:
            message = f"The account {account_id} has no team {wish.team_id}."
            raise NotFound(message)
        return Holder(HolderKind.TEAM, wish.team_id)
    project_id = checked_project(wish.project_id)
    return Holder(HolderKind.ACCOUNT, account_id) if project_id is None else Holder(HolderKind.PROJECT, project_id)
