"""Limits on the wire."""

from datetime import datetime

from monkey_coder_protocol.billing import LimitStanding
from monkey_coder_server.domain.limits import Standing, Unit, resets_at
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.rates import SOURCE_OF


def shown_standing(standing: Standing, at: datetime) -> LimitStanding:
    """A limit and how it stands at a moment."""
    limit, end = standing.limit, resets_at(standing.limit.period, at)
    shown = usd if limit.unit is Unit.MONEY else str
    return LimitStanding(
        scope=limit.scope,
        holder=limit.holder.kind.value,
        holder_id=limit.holder.id,
        source=SOURCE_OF[limit.holder.kind].value,
        model=limit.model or None,
        period=limit.period.value,
        unit=limit.unit.value,
        limit=shown(limit.allowed),
        spent=shown(standing.spent),
        held=shown(standing.held),
        left=shown(standing.left),
        resets_at=None if end is None else end.isoformat(),
    )
