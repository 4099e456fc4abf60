"""The tables of teams, projects and rules on models. Times as in `tables`."""

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    not_,
    or_,
    select,
    text,
)

from monkey_coder_server.adapters.storage.tables import metadata

_KEPT = text("archived_at IS NULL")

teams = Table(
    "teams",
    metadata,
    Column("team_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("organizations.account_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("archived_at", BigInteger),
    UniqueConstraint("account_id", "team_id"),
    Index("ix_teams_name", "account_id", "name", unique=True, sqlite_where=_KEPT, postgresql_where=_KEPT),
)

projects = Table(
    "projects",
    metadata,
    Column("account_id", Text, ForeignKey("organizations.account_id"), primary_key=True),
    Column("project_id", Text, primary_key=True),
    Column("team_id", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("archived_at", BigInteger),
    ForeignKeyConstraint(["account_id", "team_id"], ["teams.account_id", "teams.team_id"]),
)
"""A project's team is one of its own organization; an id is given once, whatever became of its project."""

model_rules = Table(
    "model_rules",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("holder", Text, primary_key=True),
    Column("allow", Text),
    Column("deny", Text, nullable=False),
    Column("collapse", Text),
    Column("revision", BigInteger, nullable=False),
    Column("input_ceiling", BigInteger),
    Column("output_ceiling", BigInteger),
    Column("capabilities", Text),
    Column("data_policies", Text),
    Index("ix_model_rules_revision", "revision"),
)
"""`holder` as in `limits`; `allow`, `deny`, `capabilities` and `data_policies` are JSON lists, the ceilings
nano-dollars per million tokens. The release before writes none of the last four. `revision` grows with each change,
for snapshots."""


def held_by_what_is(account_id: ColumnElement[str], holder: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a row's holder was not deleted: limits and rules of a team or project that was are shown no more.

    Holders are named as `counting.stored` does.
    """
    gone = [
        select(literal_column("1"))
        .where(
            table.c.account_id == account_id,
            table.c.archived_at.is_not(None),
            holder == literal_column(f"'{prefix}:'") + named,
        )
        .exists()
        for table, prefix, named in (
            (teams, "project:team", teams.c.team_id),
            (projects, "project", projects.c.project_id),
        )
    ]
    return not_(or_(*gone))
