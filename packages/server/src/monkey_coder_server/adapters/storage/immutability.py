"""Guards that refuse to change or delete what was written once: transactions, entries, receipts, audit."""

from sqlalchemy import DDL, event

from monkey_coder_server.adapters.storage import people, tables

APPEND_ONLY = (tables.transactions, tables.entries, tables.receipts, people.audit)


def sqlite_guards() -> tuple[str, ...]:
    """`CREATE TRIGGER` statements for SQLite."""
    return tuple(
        f"CREATE TRIGGER {table.name}_refuses_{action.lower()} BEFORE {action} ON {table.name} "
        f"BEGIN SELECT RAISE(ABORT, '{table.name} is append-only'); END"
        for table in APPEND_ONLY
        for action in ("UPDATE", "DELETE")
    )


def _install() -> None:
    """Let `metadata.create_all` make the guards too, after all tables."""
    for statement in sqlite_guards():
        guard = DDL(statement)  # type: ignore[no-untyped-call]  # SQLAlchemy's constructor has no annotations
        event.listen(tables.metadata, "after_create", guard.execute_if(dialect="sqlite"))


_install()
