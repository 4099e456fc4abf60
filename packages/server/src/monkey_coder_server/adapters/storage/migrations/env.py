"""Run by Alembic: apply revisions on the connection the caller holds, inside the caller's transaction."""

from alembic import context

from monkey_coder_server.adapters.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
