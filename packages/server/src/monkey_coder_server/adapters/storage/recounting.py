"""What the books tell of a limit: spent by settled requests, held by open ones and leases. Counters begin with it."""

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Table, bindparam, case, func, literal_column, or_, select

from monkey_coder_server.adapters.storage.lease_tables import leases
from monkey_coder_server.adapters.storage.people import api_keys
from monkey_coder_server.adapters.storage.spending import TOTAL, read_models
from monkey_coder_server.adapters.storage.tables import holds, usage
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.limits import HolderKind, Limit, Need, Standing, Unit, leasable

_ANY: ColumnElement[str] = literal_column("''")
_TOTAL: ColumnElement[str] = literal_column(f"'{TOTAL}'")
_NONE: ColumnElement[int] = literal_column("0")
_ALL_TOKENS = usage.c.input_tokens + usage.c.output_tokens
_TOKENS = case((holds.c.tokens < _ALL_TOKENS, holds.c.tokens), else_=_ALL_TOKENS)
"""Never more than was held for the request, as charges never are; of one from before that was kept, all of them."""


def _wanted(key: Any, counted: Table = holds) -> tuple[ColumnElement[bool], ...]:
    """The requests of a period, a key, a project and a team; any for those left empty."""
    within: BindParameter[str] = bindparam("within")
    return (
        or_(within == _TOTAL, counted.c.day == within, counted.c.month == within),
        or_(bindparam("key") == _ANY, key == bindparam("key")),
        or_(bindparam("project") == _ANY, api_keys.c.project_id == bindparam("project")),
        or_(bindparam("team") == _ANY, api_keys.c.team_id == bindparam("team")),
    )


_SPENT = Query(
    select(func.coalesce(func.sum(holds.c.charged), _NONE), func.coalesce(func.sum(_TOKENS), _NONE))
    .select_from(usage)
    .join(holds, holds.c.request_id == usage.c.request_id)
    .outerjoin(api_keys, api_keys.c.key_id == usage.c.key_id)
    .where(
        usage.c.account_id == bindparam("account"),
        usage.c.at >= bindparam("start"),
        usage.c.status == literal_column("'served'"),
        or_(bindparam("on") == _ANY, usage.c.provider + literal_column("'/'") + usage.c.model == bindparam("on")),
        *_wanted(usage.c.key_id),
    )
)
_HELD = Query(
    select(holds.c.amount, func.coalesce(holds.c.tokens, _NONE), holds.c.models)
    .outerjoin(api_keys, api_keys.c.key_id == holds.c.key_id)
    .where(
        holds.c.state == literal_column("'open'"),
        holds.c.expires_at >= _NONE,
        holds.c.account_id == bindparam("account"),
        *_wanted(holds.c.key_id),
    )
)
_LEASED = Query(
    select(func.coalesce(func.sum(leases.c.amount - leases.c.charged - leases.c.returned), _NONE))
    .select_from(leases)
    .outerjoin(api_keys, api_keys.c.key_id == leases.c.key_id)
    .where(
        leases.c.state == literal_column("'open'"),
        leases.c.account_id == bindparam("account"),
        *_wanted(leases.c.key_id, leases),
    )
)


def recount(transaction: Transaction, account_id: str, limit: Limit, within: str, start: int) -> Standing:
    """How a limit stands in the period named `within`, by requests that ended at `start` (microseconds) or later."""
    holder = limit.holder
    wanted = {
        "account": account_id,
        "within": within,
        "key": holder.id if holder.kind is HolderKind.KEY else "",
        "project": holder.id if holder.kind is HolderKind.PROJECT else "",
        "team": holder.id if holder.kind is HolderKind.TEAM else "",
    }
    [(money, tokens)] = transaction.rows(_SPENT, wanted | {"start": start, "on": limit.model})
    needs = [Need(held, most, read_models(models)) for held, most, models in transaction.rows(_HELD, wanted)]
    spent = money if limit.unit is Unit.MONEY else tokens
    leased = 0
    if leasable(limit):
        [(leased,)] = transaction.rows(_LEASED, wanted)
    return Standing(limit, int(spent), sum(need.of(limit) for need in needs) + int(leased))
