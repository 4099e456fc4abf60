"""Guards that refuse to change or delete what was written once: books, receipts, their keys, audit, reconciliations."""

from sqlalchemy import DDL, event

from monkey_coder_server.adapters.storage import (
    people,
    price_tables,
    promotion_tables,
    receipt_keys,
    reporting_tables,
    tables,
)

_REFUSE = (
    "CREATE FUNCTION refuse_to_change_history() RETURNS trigger LANGUAGE plpgsql AS "
    "'BEGIN RAISE integrity_constraint_violation USING MESSAGE = TG_TABLE_NAME || '' is append-only''; END'"
)
APPEND_ONLY = (
    tables.transactions,
    tables.entries,
    tables.receipts,
    receipt_keys.receipt_keys,
    people.audit,
    reporting_tables.reconciliations,
    price_tables.price_books,
    price_tables.price_activations,
    promotion_tables.promotion_redemptions,
)


def sqlite_guards() -> tuple[str, ...]:
    """`CREATE TRIGGER` statements for SQLite."""
    return tuple(
        f"CREATE TRIGGER {table.name}_refuses_{action.lower()} BEFORE {action} ON {table.name} "
        f"BEGIN SELECT RAISE(ABORT, '{table.name} is append-only'); END"
        for table in APPEND_ONLY
        for action in ("UPDATE", "DELETE")
    )


def postgresql_guards() -> tuple[str, ...]:
    """A function that refuses, and `CREATE TRIGGER` statements that call it, for PostgreSQL."""
    return (
        _REFUSE,
        *(
            f"CREATE TRIGGER {table.name}_refuses_{action.lower()} BEFORE {action} ON {table.name} "
            f"FOR EACH {'STATEMENT' if action == 'TRUNCATE' else 'ROW'} EXECUTE FUNCTION refuse_to_change_history()"
            for table in APPEND_ONLY
            for action in ("UPDATE", "DELETE", "TRUNCATE")
        ),
    )


def _install() -> None:
    """Let `metadata.create_all` make the guards too, after all tables."""
    for dialect, statements in (("sqlite", sqlite_guards()), ("postgresql", postgresql_guards())):
        for statement in statements:
            guard = DDL(statement)  # type: ignore[no-untyped-call]  # SQLAlchemy's constructor has no annotations
            event.listen(tables.metadata, "after_create", guard.execute_if(dialect=dialect))


_install()
