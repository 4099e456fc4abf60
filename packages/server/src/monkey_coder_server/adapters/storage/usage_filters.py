"""Which usage is wanted, as conditions of statements that are written once.

A list of names is one parameter, each name between two marks: what it holds, `replace` can take out. So a statement is
the same for no name and for fifty, and is compiled once.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, bindparam, func, literal_column, or_, select

from monkey_coder_server.adapters.storage.people import api_keys
from monkey_coder_server.ports.usage_reports import Wanted

_OPENING, _CLOSING = "\x1e", "\x1f"
_OPEN, _CLOSE = literal_column(f"'{_OPENING}'", Text), literal_column(f"'{_CLOSING}'", Text)
_NOTHING = literal_column("''", Text)
_SLASH = literal_column("'/'", Text)


def chosen(table: FromClause) -> tuple[ColumnElement[bool], ...]:
    """What rows of usage or of its sums must be."""
    provider, model = table.c.provider, table.c.model
    return (
        _one_of("providers", provider),
        _one_of("models", model, provider + _SLASH + model),
        _one_of("keys", table.c.key_id),
        _key_of("projects", table, api_keys.c.project_id),
        _key_of("teams", table, api_keys.c.team_id),
        _one_of("personas", table.c.persona),
    )


def chosen_rows(table: FromClause) -> tuple[ColumnElement[bool], ...]:
    """The same of single requests, which have a status as well."""
    return (*chosen(table), _one_of("statuses", table.c.status))


def parameters(wanted: Wanted) -> Mapping[str, str]:
    """The values of these conditions."""
    return {
        "providers": packed(wanted.providers),
        "models": packed(wanted.models),
        "keys": packed(wanted.keys),
        "projects": packed(wanted.projects),
        "teams": packed(wanted.teams),
        "personas": packed(wanted.personas),
        "statuses": packed(wanted.statuses),
    }


def packed(names: Sequence[str]) -> str:
    """Names as one text; a name with a mark or a NUL in it, which nothing is called, matches nothing."""
    told = [name for name in names if not {_OPENING, _CLOSING, "\0"}.intersection(name)]
    return "".join([f"{_OPENING}{name}{_CLOSING}" for name in told]) or (_OPENING if names else "")


def held(names: ColumnElement[str], column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether packed names hold the value of a column."""
    return func.replace(names, _OPEN + column + _CLOSE, _NOTHING) != names


def _one_of(parameter: str, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
    names = bindparam(parameter, type_=Text)
    return or_(names == _NOTHING, *[held(names, column) for column in columns])


def _key_of(parameter: str, table: FromClause, column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the key is of what is named; looked up once for a statement, not for each row."""
    names = bindparam(parameter, type_=Text)
    keys = select(api_keys.c.key_id).where(api_keys.c.account_id == bindparam("account"), held(names, column))
    return or_(names == _NOTHING, table.c.key_id.in_(keys))
