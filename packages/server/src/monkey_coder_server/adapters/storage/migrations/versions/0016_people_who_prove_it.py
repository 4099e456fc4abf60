"""People who prove it: sessions that know when, second factors, organizations, single-use tokens, audit entries."""

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_SESSION_COLUMNS = (
    "created_at",
    "confirmed_at",
    "second_factor",
    "address",
    "agent",
    "used_digest",
    "rotated_at",
    "impersonator",
)
_AUDIT_COLUMNS = ("account_id", "address", "agent", "outcome", "on_behalf_of", "sequence", "previous", "digest")
_SECRET_COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "pepper": sa.Text(),
    "former_prefix": sa.Text(),
    "former_digest": sa.LargeBinary(),
    "former_pepper": sa.Text(),
    "former_until": sa.BigInteger(),
}


def upgrade() -> None:
    """Add columns that earlier code leaves to their defaults, and the new tables."""
    _prove_people()
    _tell_more_of_actions()
    _chain_actions()
    _name_secrets()
    _organize()
    _issue_tickets()
    _keep_factors()
    _rule_teams()
    _link_identities()
    _name_operators()
    if op.get_bind().dialect.name == "postgresql":
        _wall_off_tenants()
    _count_tries()


def _prove_people() -> None:
    op.add_column("users", sa.Column("email_verified_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_users_account_id", "users", ["account_id"])
    for name in ("created_at", "confirmed_at", "rotated_at"):
        op.add_column("sessions", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("sessions", sa.Column("second_factor", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name in ("address", "agent"):
        op.add_column("sessions", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("sessions", sa.Column("used_digest", sa.LargeBinary(), nullable=True))
    op.add_column("sessions", sa.Column("impersonator", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    acting = sa.text("impersonator <> ''")
    op.create_index(
        "ix_sessions_impersonator", "sessions", ["impersonator"], sqlite_where=acting, postgresql_where=acting
    )


def _tell_more_of_actions() -> None:
    for name, default in (("account_id", ""), ("address", ""), ("agent", ""), ("outcome", "done")):
        op.add_column("audit", sa.Column(name, sa.Text(), nullable=False, server_default=default))
    op.create_index("ix_audit_account_id", "audit", ["account_id", "audit_id"])


def _chain_actions() -> None:
    """Begin the chain of audit entries; where there are entries already, with one that vouches for all of them."""
    op.add_column("audit", sa.Column("on_behalf_of", sa.Text(), nullable=False, server_default=""))
    op.add_column("audit", sa.Column("sequence", sa.BigInteger(), nullable=True))
    for name in ("previous", "digest"):
        op.add_column("audit", sa.Column(name, sa.LargeBinary(), nullable=True))
    op.create_index("ix_audit_sequence", "audit", ["sequence"], unique=True)
    connection, count, newest, at = op.get_bind(), 0, bytes(32), 0
    for at, actor, action, target, details in connection.execute(
        sa.text("SELECT at, actor, action, target, details FROM audit ORDER BY audit_id")
    ):
        count, newest = count + 1, _link(newest, actor, action, target, at, "", details)
    if count:
        told = f"vouches for the {count} entries before it"
        began = _link(newest, "gateway", "audit.begin", "audit", at, "", told)
        connection.execute(
            sa.text(
                "INSERT INTO audit (at, actor, action, target, details, sequence, previous, digest)"
                " VALUES (:at, 'gateway', 'audit.begin', 'audit', :told, :sequence, :previous, :digest)"
            ),
            {"at": at, "told": told, "sequence": count + 1, "previous": newest, "digest": began},
        )


def _name_secrets() -> None:
    for name, kind in _SECRET_COLUMNS.items():
        op.add_column("api_keys", sa.Column(name, kind, nullable=True))


def _link(previous: bytes, *told: str | int) -> bytes:
    text = json.dumps([*told, "", "", "done", ""], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(previous + text.encode()).digest()


def _organize() -> None:
    op.create_table(
        "organizations",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("second_factor_required", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_organizations_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_organizations")),
    )
    op.create_table(
        "memberships",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["organizations.account_id"], name=op.f("fk_memberships_account_id_organizations")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_memberships_user_id_users")),
        sa.PrimaryKeyConstraint("account_id", "user_id", name=op.f("pk_memberships")),
    )
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"])


def _issue_tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_tickets")),
    )
    op.create_index("ix_tickets_subject", "tickets", ["purpose", "subject"])
    op.create_index("ix_tickets_expires_at", "tickets", ["expires_at"])


def _keep_factors() -> None:
    op.create_table(
        "totp_factors",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_totp_factors_user_id_users")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_totp_factors")),
    )
    op.create_table(
        "passkeys",
        sa.Column("passkey_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_passkeys_user_id_users")),
        sa.PrimaryKeyConstraint("passkey_id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    op.create_index("ix_passkeys_user_id", "passkeys", ["user_id"])
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_recovery_codes_user_id_users")),
        sa.PrimaryKeyConstraint("user_id", "digest", name=op.f("pk_recovery_codes")),
    )


def _rule_teams() -> None:
    op.add_column("api_keys", sa.Column("team_id", sa.Text(), nullable=True))
    op.create_table(
        "teams",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["organizations.account_id"], name=op.f("fk_teams_account_id_organizations")
        ),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_teams")),
        sa.UniqueConstraint("account_id", "team_id", name=op.f("uq_teams_account_id_team_id")),
    )
    kept = sa.text("archived_at IS NULL")
    op.create_index(
        "ix_teams_name", "teams", ["account_id", "name"], unique=True, sqlite_where=kept, postgresql_where=kept
    )
    op.create_table(
        "projects",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["organizations.account_id"], name=op.f("fk_projects_account_id_organizations")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "team_id"],
            ["teams.account_id", "teams.team_id"],
            name=op.f("fk_projects_account_id_team_id_teams"),
        ),
        sa.PrimaryKeyConstraint("account_id", "project_id", name=op.f("pk_projects")),
    )
    op.create_table(
        "model_rules",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("allow", sa.Text(), nullable=True),
        sa.Column("deny", sa.Text(), nullable=False),
        sa.Column("collapse", sa.Text(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "holder", name=op.f("pk_model_rules")),
    )
    op.create_index("ix_model_rules_revision", "model_rules", ["revision"])


def _link_identities() -> None:
    op.create_table(
        "identities",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("linked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_identities_user_id_users")),
        sa.PrimaryKeyConstraint("provider", "subject", name=op.f("pk_identities")),
        sa.UniqueConstraint("user_id", "provider", name=op.f("uq_identities_user_id_provider")),
    )


def _name_operators() -> None:
    op.create_table(
        "operators",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_operators_user_id_users")),
        sa.PrimaryKeyConstraint("user_id", "role", name=op.f("pk_operators")),
    )


_TENANT = "monkey_tenant"
_ACCOUNT = "account_id = current_setting('app.account_id', true)"
_WITH_AN_ACCOUNT = (
    "answer_items", "answers", "api_keys", "audit", "counters", "grants", "holds", "idempotency", "leases", "limits",
    "memberships", "model_rules", "organizations", "projects", "quotes", "receipts", "routing_decisions", "teams",
    "transactions", "unbooked", "usage", "usage_daily", "wallets",
)  # fmt: skip
_WALLED = {
    **dict.fromkeys(_WITH_AN_ACCOUNT, _ACCOUNT),
    "caps": "EXISTS (SELECT FROM api_keys WHERE api_keys.key_id = caps.key_id)",
    "entries": "kind = 'customer_credit' AND owner = current_setting('app.account_id', true)",
}
_READABLE = ", ".join([*_WALLED, "usage_horizon"])
_IF_THERE = f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{_TENANT}') THEN "
_GRANT = f"{_IF_THERE} GRANT SELECT ON {_READABLE} TO {_TENANT}; END IF; END $$"
_REVOKE = f"{_IF_THERE} REVOKE SELECT ON {_READABLE} FROM {_TENANT}; END IF; END $$"  # noqa: S608 - names of our own


def _wall_off_tenants() -> None:
    """The role is of the whole cluster: another database may have made it, or nobody here may."""
    op.execute(
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{_TENANT}') THEN "
        f"CREATE ROLE {_TENANT} NOLOGIN; END IF; IF NOT pg_has_role(current_user, '{_TENANT}', 'MEMBER') THEN "
        f"EXECUTE format('GRANT {_TENANT} TO %I', current_user); END IF; "
        "EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL; END $$"
    )
    for table, own in _WALLED.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING (current_user <> '{_TENANT}' OR {own})")
    op.execute(_GRANT)


def _count_tries() -> None:
    op.create_table(
        "tries",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("clear_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_tries")),
    )
    op.create_index("ix_tries_clear_at", "tries", ["clear_at"])


def downgrade() -> None:
    """Drop it all with what it holds. The role stays: it is of the whole cluster."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_REVOKE)
        for table in _WALLED:
            op.execute(f"DROP POLICY tenant ON {table}")
            op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for name in ("operators", "identities", "model_rules", "projects", "teams"):
        op.drop_table(name)
    op.drop_column("api_keys", "team_id")
    for name in ("recovery_codes", "passkeys", "totp_factors"):
        op.drop_table(name)
    op.drop_table("tries")
    op.drop_table("tickets")
    op.drop_table("memberships")
    op.drop_table("organizations")
    for name in _SECRET_COLUMNS:
        op.drop_column("api_keys", name)
    op.drop_index("ix_audit_sequence", "audit")
    op.drop_index("ix_audit_account_id", "audit")
    for name in _AUDIT_COLUMNS:
        op.drop_column("audit", name)
    op.drop_index("ix_sessions_impersonator", "sessions")
    op.drop_index("ix_sessions_user_id", "sessions")
    for name in _SESSION_COLUMNS:
        op.drop_column("sessions", name)
    op.drop_index("ix_users_account_id", "users")
    op.drop_column("users", "email_verified_at")
