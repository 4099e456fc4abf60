"""What counts for one caller: rates, limits and rules of all levels above it, each with where it comes from."""

from collections.abc import Iterable
from dataclasses import dataclass

from monkey_coder_protocol.organizations import ExcludedModel, KeyPolicy, ModelRuleInfo
from monkey_coder_server.domain.limits import Holder, HolderKind, Standing
from monkey_coder_server.domain.model_rules import ModelAccess, ModelRule, Ruling, access_of, collapse_of
from monkey_coder_server.domain.pricing import rate_usd
from monkey_coder_server.domain.rates import SOURCE_OF, Caller
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.rates import shown_rates
from monkey_coder_server.ports.accounts import KeyRecord
from monkey_coder_server.web.standings import shown_standing


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is told what counts for them: a key, or without one a person, or whatever key a project has."""

    caller: Caller
    scopes: frozenset[str]
    key: KeyRecord | None = None


def of_key(key: KeyRecord, address: str = "") -> Subject:
    """A key, called from an address if one is named."""
    caller = Caller(key.account_id, key.key_id, key.project_id, key.team_id, key.rate, address)
    return Subject(caller, key.scopes, key)


async def policy_of(use: Dependencies, subject: Subject) -> KeyPolicy:
    """All of it, as it stands now."""
    caller, now = subject.caller, use.clock.now()
    counting, account_id = caller.holders, caller.account_id
    found = [each for each in await use.limits.standings(account_id, now) if each.limit.holder in counting]
    standings = sorted(found, key=lambda each: counting.index(each.limit.holder))
    rules = await rules_of(use, subject)
    plan = use.account_plans.standing(account_id, now)
    models, excluded = _sorted_models(use, plan, access_of(rules))
    return KeyPolicy(
        key_id=None if subject.key is None else subject.key.key_id,
        account_id=account_id,
        plan=plan,
        scopes=sorted(subject.scopes),
        team_id=caller.team_id,
        project_id=caller.project_id,
        rates=shown_rates(caller, await use.rates.rules(account_id), use.house_rates),
        limits=[shown_standing(each, now) for each in standings],
        tightest=[shown_standing(each, now) for each in tightest(standings)],
        rules=[shown_rule(rule) for rule in rules],
        models=models,
        excluded=excluded,
        collapse=collapse_of(rules),
    )


async def rules_of(use: Dependencies, subject: Subject) -> list[ModelRule]:
    """The rules that count for a caller, what their key was made with last."""
    counting = subject.caller.holders
    found = [rule for rule in await use.model_rules.rules(subject.caller.account_id) if rule.holder in counting]
    rules = sorted(found, key=lambda rule: counting.index(rule.holder))
    key = subject.key
    if key is not None:
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
        source=SOURCE_OF[rule.holder.kind].value,
        allow=None if rule.allow is None else list(rule.allow),
        deny=list(rule.deny),
        collapse=rule.collapse,
        max_input_usd=None if rule.input_ceiling is None else rate_usd(rule.input_ceiling),
        max_output_usd=None if rule.output_ceiling is None else rate_usd(rule.output_ceiling),
        capabilities=[each.value for each in rule.capabilities],
        data_policies=[each.value for each in rule.policies],
    )


def _sorted_models(use: Dependencies, plan: str, access: ModelAccess | None) -> tuple[list[str], list[ExcludedModel]]:
    """The models on offer that may be used, and the others."""
    models, excluded = [], []
    for facts in use.offered(plan):
        ruling = None if access is None else access.excludes(facts)
        if ruling is None:
            models.append(facts.name)
        else:
            excluded.append(_excluded(facts.name, ruling))
    return models, excluded


def _excluded(model: str, ruling: Ruling) -> ExcludedModel:
    kind, holder_id = ruling.holder
    return ExcludedModel(
        model=model,
        rule=ruling.part.value,
        holder=kind.value,
        holder_id=holder_id,
        source=SOURCE_OF[kind].value,
        reason=f"{ruling.told[0].upper()}{ruling.told[1:]}.",
    )
