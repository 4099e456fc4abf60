"""What rates, limits and rules of several levels look like as text."""

from collections.abc import Sequence

from monkey_coder.cli import output
from monkey_coder_protocol.billing import LimitStanding
from monkey_coder_protocol.organizations import KeyPolicy, ModelRuleInfo, RateInfo

_COUNTED = {"requests": "requests a minute", "tokens": "tokens a minute", "concurrency": "requests at once"}


def policy_text(pairs: Sequence[tuple[str, object]], found: KeyPolicy) -> str:
    """All that counts for one caller, below what is said of them."""
    parts = [output.fields(pairs), rate_rows(found.rates), limit_rows(found.limits), rule_rows(found.rules)]
    parts += ["\n".join(_by_reason(found))] if found.excluded else []
    return "\n\n".join(parts)


def rate_rows(found: Sequence[RateInfo]) -> str:
    """Rates in columns; of those on the same thing the tightest is marked."""
    rows = [
        (
            each.holder,
            each.holder_id or "-",
            each.model or "all",
            f"{each.limit} {_COUNTED.get(each.measure, each.measure)}{' *' if each.tightest else ''}",
            each.setting or each.source,
        )
        for each in found
    ]
    return output.columns(("level", "id", "model", "rate (* tightest)", "said by"), rows) if rows else "No rates."


def limit_rows(found: Sequence[LimitStanding]) -> str:
    """Limits in columns."""
    rows = [
        (each.holder, each.holder_id, each.model or "all", each.period, each.unit, each.limit, each.left)
        for each in found
    ]
    return output.columns(("level", "id", "model", "per", "unit", "limit", "left"), rows) if rows else "No limits."


def rule_rows(found: Sequence[ModelRuleInfo]) -> str:
    """Rules on models in columns."""
    rows = [
        (
            each.holder,
            each.holder_id,
            "all" if each.allow is None else " ".join(each.allow) or "none",
            " ".join(each.deny) or "-",
            _asked_for(each),
            each.collapse or "-",
        )
        for each in found
    ]
    header = ("level", "id", "allowed", "denied", "asked for", "several models")
    return output.columns(header, rows) if rows else "No rules on models."


def _asked_for(rule: ModelRuleInfo) -> str:
    ceilings = (("input", rule.max_input_usd), ("output", rule.max_output_usd))
    dear = [f"{of}≤{usd}" for of, usd in ceilings if usd is not None]
    return " ".join([*dear, *rule.capabilities, *rule.data_policies]) or "-"


def _by_reason(found: KeyPolicy) -> list[str]:
    """Each reason once, with the models that are left out by it."""
    models: dict[str, list[str]] = {}
    for each in found.excluded:
        models.setdefault(each.reason, []).append(each.model)
    return [f"Left out: {' '.join(names)}: {reason}" for reason, names in models.items()]
