"""What counts for one key: limits and rules of all levels above it, each with where it comes from."""

from collections.abc import Iterable

from monkey_coder_protocol.organizations import KeyPolicy, ModelRuleInfo
from monkey_coder_server.domain.limits import Holder, HolderKind, Standing, holders
from monkey_coder_server.domain.model_rules import ModelRule, access_of, collapse_of
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.ports.accounts import KeyRecord
from monkey_coder_server.web.standings import shown_standing


async def policy_of(use: Dependencies, key: KeyRecord) -> KeyPolicy:
    """All of it, as it stands now."""
    now = use.clock.now()
    counting = holders(key.account_id, key.key_id, key.project_id, key.team_id)
    found = [each for each in await use.limits.standings(key.account_id, now) if each.limit.holder in counting]
    standings = sorted(found, key=lambda each: counting.index(each.limit.holder))
    rules = await rules_of(use, key, counting)
    access = access_of(rules)
    return KeyPolicy(
        key_id=key.key_id,
        scopes=sorted(key.scopes),
        team_id=key.team_id,
        project_id=key.project_id,
        limits=[shown_standing(each, now) for each in standings],
        tightest=[shown_standing(each, now) for each in tightest(standings)],
        rules=[shown_rule(rule) for rule in rules],
        collapse=collapse_of(rules),
        models=[
            f"{provider}/{model}" for provider, model in use.offers if access is None or access.permits(provider, model)
        ],
    )


async def rules_of(use: Dependencies, key: KeyRecord, counting: tuple[Holder, ...]) -> list[ModelRule]:
    """The rules that count for a key, what it was made with last."""
    found = [rule for rule in await use.model_rules.rules(key.account_id) if rule.holder in counting]
    rules = sorted(found, key=lambda rule: counting.index(rule.holder))
    own = ModelRule(Holder(HolderKind.KEY, key.key_id), key.models, collapse=key.collapse)
    if not own.empty:
        rules.append(own)
    return rules


def tightest(standings: Iterable[Standing]) -> list[Standing]:
    """Of all limits on the same unit, period and model the one with the least left."""
    least: dict[tuple[str, str, str], Standing] = {}
    for each in standings:
        place = (each.limit.unit, each.limit.period, each.limit.model)
        if place not in least or each.left < least[place].left:
            least[place] = each
    return list(least.values())


def shown_rule(rule: ModelRule) -> ModelRuleInfo:
    """A rule for the wire."""
    return ModelRuleInfo(
        holder=rule.holder.kind.value,
        holder_id=rule.holder.id,
        allow=None if rule.allow is None else list(rule.allow),
        deny=list(rule.deny),
        collapse=rule.collapse,
    )
