"""The database: the only place that knows SQL. `migrate(url)` makes the tables, `Store.from_url` opens it.

DatabaseError is what every method of the store raises when the server is away or refuses.
"""

from sqlalchemy.exc import SQLAlchemyError as DatabaseError

from voicebot.store.embedded import EmbeddedPostgres, PostgresError, open_database
from voicebot.store.migrate import migrate
from voicebot.store.store import Store

__all__ = ["DatabaseError", "EmbeddedPostgres", "PostgresError", "Store", "migrate", "open_database"]
