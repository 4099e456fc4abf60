"""Whether an account knows what it asks its usage of: a name nothing has is a slip, and no empty report."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Text, bindparam, exists, literal_column, or_, select

from monkey_coder_server.adapters.storage.people import api_keys
from monkey_coder_server.adapters.storage.reporting_tables import usage_daily
from monkey_coder_server.adapters.storage.team_tables import projects, teams
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.ports.usage_reports import Named

_ACCOUNT = bindparam("account", type_=Text)
_NAME = bindparam("name", type_=Text)
_SLASH = literal_column("'/'", Text)
_OF_ONE: Mapping[str, Query] = {
    kind: Query(select(exists().where(owner == _ACCOUNT, named)))
    for kind, owner, named in (
        ("provider", usage_daily.c.account_id, usage_daily.c.provider == _NAME),
        (
            "model",
            usage_daily.c.account_id,
            or_(usage_daily.c.model == _NAME, usage_daily.c.provider + _SLASH + usage_daily.c.model == _NAME),
        ),
        ("persona", usage_daily.c.account_id, usage_daily.c.persona == _NAME),
        ("project", projects.c.account_id, projects.c.project_id == _NAME),
        ("team", teams.c.account_id, teams.c.team_id == _NAME),
    )
}
_OF_A_KEY = Query(
    select(
        or_(
            exists().where(api_keys.c.account_id == _ACCOUNT, api_keys.c.key_id == _NAME),
            exists().where(usage_daily.c.account_id == _ACCOUNT, usage_daily.c.key_id == _NAME),
        )
    )
)
"""People's own sessions stand in usage as keys do."""


def unknown(account_id: str, kind: Named, names: Sequence[str], transaction: Transaction) -> list[str]:
    """Those of some names that nothing of the account has."""
    return [name for name in names if not _known(account_id, kind, name, transaction)]


def _known(account_id: str, kind: Named, name: str, transaction: Transaction) -> bool:
    row = transaction.row(_OF_A_KEY if kind == "key" else _OF_ONE[kind], {"account": account_id, "name": name})
    return row is not None and bool(row[0])
