"""The tables of teams, projects and rules on models. Times as in `tables`."""

from sqlalchemy import BigInteger, Column, ForeignKey, ForeignKeyConstraint, Index, Table, Text, UniqueConstraint

from monkey_coder_server.adapters.storage.tables import metadata

teams = Table(
    "teams",
    metadata,
    Column("team_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("organizations.account_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("account_id", "name"),
    UniqueConstraint("account_id", "team_id"),
)

projects = Table(
    "projects",
    metadata,
    Column("account_id", Text, ForeignKey("organizations.account_id"), primary_key=True),
    Column("project_id", Text, primary_key=True),
    Column("team_id", Text),
    Column("created_at", BigInteger, nullable=False),
    ForeignKeyConstraint(["account_id", "team_id"], ["teams.account_id", "teams.team_id"]),
)
"""A project's team is one of its own organization."""

model_rules = Table(
    "model_rules",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("holder", Text, primary_key=True),
    Column("allow", Text),
    Column("deny", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Index("ix_model_rules_revision", "revision"),
)
"""`holder` as in `limits`; `allow` and `deny` are JSON lists. `revision` grows with each change, for snapshots."""
