"""Names of plans and providers as operators write them; a wrong one is answered with what there is."""

from collections.abc import Iterable

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.features.pricing.dependencies import Dependencies

SHOWN = 12
"""So many names are told to who wrote a wrong one."""


async def check_plan(use: Dependencies, plan: str | None) -> None:
    """Raise `InvalidRequest` unless there is such a plan; None passes."""
    if plan is None:
        return
    known = {each.plan_id for each in await use.plans.every()}
    if plan not in known:
        message = f"There is no plan {plan[:60]!r}; there are {some(known)}."
        raise InvalidRequest(message)


def known_provider(use: Dependencies, provider: str | None) -> str | None:
    """The catalogue's word for a provider; None for none. Raises `InvalidRequest`."""
    if provider is None:
        return None
    known = use.catalog.provider(provider)
    if known is None:
        message = f"There is no provider {provider[:60]!r}; there are {some(use.catalog.providers)}."
        raise InvalidRequest(message)
    return known


def some(names: Iterable[str]) -> str:
    """Names for a sentence, cut short."""
    every = sorted(set(names))
    return ", ".join(every[:SHOWN]) + (f" and {len(every) - SHOWN} more" if len(every) > SHOWN else "")
