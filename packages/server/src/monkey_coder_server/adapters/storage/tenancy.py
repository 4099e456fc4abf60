"""The second wall on PostgreSQL: what is read for one account is read in a role that sees no other's rows.

The role cannot log in, may only read, and only the tables named here; a reader takes it for the length of one
transaction. Policies bind that role alone, so that who books for everybody reads and pays nothing for them.
"""

from collections.abc import Mapping

from sqlalchemy import DDL, event

from monkey_coder_server.adapters.storage.tables import metadata

TENANT = "monkey_tenant"
SETTING = "app.account_id"
_ACCOUNT = f"account_id = current_setting('{SETTING}', true)"
_WITH_AN_ACCOUNT = (
    "credit_lines", "invoice_lines", "invoices", "subscriptions",
    "alerts", "notice_deliveries", "notices", "webhooks",
    "account_plans", "answer_items", "answers", "api_keys", "audit", "counters", "grants", "holds", "idempotency",
    "leases", "limits", "memberships", "model_rules", "organizations", "payment_customers", "payment_disputes",
    "payment_refunds", "payment_takings", "payments", "projects", "promotion_redemptions", "quotes", "receipts",
    "rate_rules", "routing_decisions", "teams", "top_up_charges", "top_ups", "transactions", "unbooked", "usage",
    "usage_daily", "wallets",
)  # fmt: skip
WALLED: Mapping[str, str] = {
    **dict.fromkeys(_WITH_AN_ACCOUNT, _ACCOUNT),
    "caps": "EXISTS (SELECT FROM api_keys WHERE api_keys.key_id = caps.key_id)",
    "entries": f"kind = 'customer_credit' AND owner = current_setting('{SETTING}', true)",
}
"""What makes a row the account's, by table. The keys that `caps` looks up are those the account sees."""
NOBODYS = ("usage_horizon",)
"""What an account's figures need and holds nothing of anybody."""
_MAKE = (
    f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{TENANT}') THEN "
    f"CREATE ROLE {TENANT} NOLOGIN; END IF; IF NOT pg_has_role(current_user, '{TENANT}', 'MEMBER') THEN "
    f"EXECUTE format('GRANT {TENANT} TO %I', current_user); END IF; "
    "EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL; END $$"
)
_IF_THERE = f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{TENANT}') THEN "


def statements() -> tuple[str, ...]:
    """What builds the wall. Without the right to make roles there is none: see `docs/how-to/postgresql.md`."""
    policies = [
        statement
        for table, own in WALLED.items()
        for statement in (
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"CREATE POLICY tenant ON {table} USING (current_user <> '{TENANT}' OR {own})",
        )
    ]
    readable = ", ".join([*WALLED, *NOBODYS])
    return (_MAKE, *policies, f"{_IF_THERE} GRANT SELECT ON {readable} TO {TENANT}; END IF; END $$")


def _install() -> None:
    """Let `metadata.create_all` build it too, after all tables."""
    for statement in statements():
        wall = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # as in `immutability`
        event.listen(metadata, "after_create", wall.execute_if(dialect="postgresql"))


_install()
