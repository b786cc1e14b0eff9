"""Company: keeps a line's list of its fellows, and the agents' extensions among them."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from pathlib import Path

import structlog

from voicebot.store.database import is_away
from voicebot.store.store import Store
from voicebot.telephony.fellows import Fellows

log = structlog.get_logger(__name__)

EVERY_S = 2.0
TOLD_WITHIN_S = 5.0
SECRET_FILE = "fleet-secret"


async def fleet_secret(store: Store, home: Path) -> str:
    """What all workers share and nobody else knows; while the database is away, what we were told the last time.

    At the very first start the database is waited for.
    """
    kept = home / SECRET_FILE
    while True:
        try:
            async with asyncio.timeout(TOLD_WITHIN_S):
                secret = await store.setting("fleet_secret", lambda: secrets.token_urlsafe(48))
            _keep(kept, secret)
            return secret
        except Exception as error:
            if not (isinstance(error, TimeoutError) or is_away(error)):
                raise
            log.warning("the database does not answer yet", error=repr(error))
            if kept.exists():
                return kept.read_text(encoding="utf-8")
        await asyncio.sleep(EVERY_S)


def _keep(file: Path, secret: str) -> None:
    """For ourselves alone; a full disk only costs a start without the database."""
    with contextlib.suppress(OSError):
        file.touch(mode=0o600)
        file.write_text(secret, encoding="utf-8")


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
