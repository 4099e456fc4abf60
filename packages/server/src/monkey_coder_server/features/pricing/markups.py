"""What operators do with markups, by command or in a role. Every action is in the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.markup import MarkupRule
from monkey_coder_server.features.pricing.dependencies import Dependencies
from monkey_coder_server.features.pricing.names import check_plan, known_provider, some
from monkey_coder_server.ports.markups import Markup
from monkey_coder_server.web.operating import Actor, checked_reason


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkupWish:
    """A markup as it was asked for. No start: now; no end: until another ends it."""

    basis_points: int
    reason: str
    plan: str | None = None
    provider: str | None = None
    model: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


async def list_markups(use: Dependencies, by: Actor) -> Sequence[Markup]:
    """Every markup that was ever set, the newest first."""
    await use.audit.record(by.entry("markups.look", target="markups", at=use.clock.now()))
    return await use.markups.list()


async def set_markup(use: Dependencies, by: Actor, wish: MarkupWish) -> Markup:
    """Set a markup. Raises `InvalidRequest` with a sentence that names what there is."""
    now, reason = use.clock.now(), checked_reason(wish.reason)
    await check_plan(use, wish.plan)
    provider, model = _named(use, wish.provider, wish.model)
    if wish.starts_at is not None and wish.starts_at < now:
        raise InvalidRequest("A markup cannot start in the past: what was charged stays as it was.")
    starts_at = wish.starts_at or now
    if wish.ends_at is not None and wish.ends_at <= starts_at:
        raise InvalidRequest("A markup must end after it starts.")
    try:
        rule = MarkupRule(
            basis_points=wish.basis_points,
            plan=wish.plan,
            provider=provider,
            model=model,
            starts_at=starts_at,
            ends_at=wish.ends_at,
            name=use.ids.new("markup"),
        )
    except ValueError as wrong:
        raise InvalidRequest(str(wrong)) from wrong
    markup = Markup(rule, reason, by.name, now)
    await use.markups.set(markup)
    told = f"{rule.basis_points} basis points on {subject_of(rule)}, {_span_of(rule)}; {reason}"
    await use.audit.record(by.entry("markup.set", target=rule.name, at=now, details=told))
    return markup


async def end_markup(
    use: Dependencies, by: Actor, name: str, *, reason: str, ends_at: datetime | None = None
) -> MarkupRule:
    """End a markup, now or later. Raises `NotFound`, `Conflict`, `InvalidRequest`."""
    now, why = use.clock.now(), checked_reason(reason)
    if ends_at is not None and ends_at < now:
        raise InvalidRequest("A markup cannot end in the past: what was charged stays as it was.")
    ended = await use.markups.end(name, ends_at or now)
    told = f"{ended.basis_points} basis points on {subject_of(ended)}, {_span_of(ended)}; {why}"
    await use.audit.record(by.entry("markup.end", target=name, at=now, details=told))
    return ended


def subject_of(rule: MarkupRule) -> str:
    """What a rule speaks of, for people."""
    stated = (("plan", rule.plan), ("provider", rule.provider), ("model", rule.model))
    return ", ".join(f"{what} {name}" for what, name in stated if name is not None) or "everything"


def state_of(rule: MarkupRule, at: datetime) -> str:
    """`to come`, `in force` or `over`."""
    if rule.in_force(at):
        return "in force"
    return "to come" if rule.ends_at is None or at < rule.ends_at else "over"


def _named(use: Dependencies, provider: str | None, model: str | None) -> tuple[str | None, str | None]:
    """Provider and model by their own names; `model` may carry its provider before a slash. Raises `InvalidRequest`."""
    known = known_provider(use, provider)
    if model is None:
        return known, None
    cards = [card for card in use.catalog.cards if known in {None, card.provider}]
    found = {(known, card.model) for card in cards if card.model == model}
    found = found or {(card.provider, card.model) for card in cards if card.name == model}
    if not found:
        whose = f" of {known}" if known else ""
        message = f"There is no model {model[:80]!r}{whose}; there are {some(card.model for card in cards)}."
        raise InvalidRequest(message)
    return found.pop()


def _span_of(rule: MarkupRule) -> str:
    until = "for good" if rule.ends_at is None else f"until {rule.ends_at.isoformat()}"
    return f"from {rule.starts_at.isoformat()} {until}"
