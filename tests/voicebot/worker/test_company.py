"""Company: one secret for all workers, kept for a start without the database; and the lines of those who live."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

from sqlalchemy import text

from voicebot.domain.fleet import Joining
from voicebot.store import Store
from voicebot.telephony.fellows import Fellows
from voicebot.worker.company import SECRET_FILE, fleet_secret, see

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


async def test_all_are_told_the_same_and_remember_it_without_the_database(store: Store, tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for home in (first, second):
        home.mkdir()
    secret = await fleet_secret(store, first)
    assert len(secret) > 40 and await fleet_secret(store, second) == secret
    assert stat.S_IMODE((first / SECRET_FILE).stat().st_mode) == 0o600
    async with Store.from_url(NOWHERE) as away:
        assert await asyncio.wait_for(fleet_secret(away, first), 60) == secret


async def test_only_those_who_live_and_can_be_reached_are_fellows(store: Store) -> None:
    for name, sip in (("berg-0", "10.0.0.1:5060"), ("tal-0", "10.0.0.2:5060"), ("stumm-0", "")):
        await store.workers.join(Joining(name, name, name, "l", "1.0", "0024", sip))
    async with store._database.begin() as connection:
        await connection.execute(text("UPDATE workers SET state = 'gone' WHERE name = 'tal-0'"))
    fellows = Fellows("secret", "berg-0")
    await see(store, fellows)
    assert fellows.lines == {"berg-0": "10.0.0.1:5060"}
