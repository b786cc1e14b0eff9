"""The gateway under test, in a process of its own: the real one, but for a database that is kept in memory.

    python -m benchmarks.softphone.server
"""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace
from typing import cast

from voicebot.config import Settings
from voicebot.softphone.process import SoftphoneProcess
from voicebot.store import Store
from voicebot.telephony.fellows import Fellows
from voicebot.worker.lifeline import run_process


class Directory:
    """Nobody is looked up while we measure."""

    async def attach(
        self, agent_id: str, gateway: str, sip_uri: str, now: object, via: str | None = None
    ) -> None: ...

    async def detach(self, agent_id: str, gateway: str, now: object) -> bool:
        return True

    async def detach_all(self, gateway: str, now: object) -> list[str]:
        return []


class Nobody:
    """No fellow worker."""

    async def all(self) -> list[object]:
        return []


async def _main(settings: Settings, stop: asyncio.Event) -> None:
    store = cast(Store, SimpleNamespace(softphones=Directory(), workers=Nobody()))
    await SoftphoneProcess(settings, store, Fellows("measured"), with_lines=True, database="").run(stop)


if __name__ == "__main__":
    sys.exit(run_process(_main))
