"""Alembic's entry: runs the steps over the connection that voicebot.store.migrate hands in."""

from alembic import context

from voicebot.store.columns import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
