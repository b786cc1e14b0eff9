"""FleetData: workers and controls of all machines, and the orders to drain one and to take calls again."""

from __future__ import annotations

from voicebot.console.line_view import LineView, line_view
from voicebot.store import Store


class FleetData:
    """Raises sqlalchemy.exc.OperationalError while the database is away."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def view(self) -> LineView:
        return line_view(await self._store.workers.all(), await self._store.workers.controls())

    async def drain(self, name: str, by: str, on: bool) -> list[str]:
        """Whom that reached. LookupError where no worker and no machine of that name lives."""
        reached = await self._store.workers.drain(name, by, on)
        if not reached:
            raise LookupError(f"no worker {name} lives")
        return reached
