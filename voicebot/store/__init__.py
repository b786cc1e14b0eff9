"""The database: the only place that knows SQL. `migrate(url)` makes the tables, `Store.from_url` opens it."""

from voicebot.store.embedded import EmbeddedPostgres, PostgresError, open_database
from voicebot.store.migrate import migrate
from voicebot.store.store import Store

__all__ = ["EmbeddedPostgres", "PostgresError", "Store", "migrate", "open_database"]
