"""Company: keeps a line's list of its fellows, and the agents' extensions among them."""

from __future__ import annotations

import asyncio
import secrets

import structlog

from voicebot.store.database import is_away
from voicebot.store.store import Store
from voicebot.telephony.fellows import Fellows

log = structlog.get_logger(__name__)

EVERY_S = 2.0


async def fleet_secret(store: Store) -> str:
    """What all workers share and nobody else knows; a database that is away is waited for."""
    while True:
        try:
            return await store.setting("fleet_secret", lambda: secrets.token_urlsafe(48))
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("the database does not answer yet", error=repr(error))
        await asyncio.sleep(EVERY_S)


async def keep_company(store: Store, fellows: Fellows) -> None:
    """See who lives every two seconds, until cancelled; while the database is away all stay known."""
    while True:
        try:
            await see(store, fellows)
        except Exception as error:
            if not is_away(error):
                log.exception("the other workers can't be seen")
        await asyncio.sleep(EVERY_S)


async def see(store: Store, fellows: Fellows) -> None:
    """Take in who lives now."""
    fellows.lines = {worker.name: worker.sip for worker in await store.workers.all() if worker.living and worker.sip}
