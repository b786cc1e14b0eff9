"""Record what one version of the program tells PostgreSQL, for tests/voicebot/store/data/statements-NNNN.sql.

    PYTHONPATH=CHECKOUT-OF-THAT-VERSION python tests/voicebot/store/record_statements.py > statements-NNNN.sql
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import life
import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Engine

from voicebot.store import EmbeddedPostgres, Store, migrate
from voicebot.store.urls import conninfo

CALLS = 2


async def record(url: str) -> list[str]:
    """Every statement of the life of a few calls, with its values in it, one to a line."""
    statements: list[str] = []
    with psycopg.connect(conninfo(url), cursor_factory=psycopg.ClientCursor) as spelling:

        def hear(_c: Any, _k: Any, statement: str, parameters: Any, _x: Any, many: bool) -> None:
            for values in parameters if many else [parameters]:
                with contextlib.closing(spelling.cursor()) as cursor:
                    statements.append(" ".join(cursor.mogrify(statement, values or None).split()))

        event.listen(Engine, "before_cursor_execute", hear)
        async with Store.from_url(url) as store:
            await life.plan(store, CALLS)
            await life.work(store, "old-0")
        event.remove(Engine, "before_cursor_execute", hear)
    return statements


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder) / "pg")
        try:
            url = server.start()
            migrate(url)
            sys.stdout.write("".join(f"{line}\n" for line in asyncio.run(record(url))))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
