"""Sessions end when idle, when old, and when somebody ends them; tokens end with their time and their owner."""

from __future__ import annotations

import datetime as dt

import psycopg

from voicebot.domain.login import Way
from voicebot.domain.records import Role
from voicebot.store import Store

from .samples import MINUTE, NOON

IDLE, LASTS = 30 * MINUTE, dt.timedelta(hours=12)


async def test_sessions_end_when_idle_and_when_old(store: Store, database_url: str) -> None:
    await store.users.create("wang", Role.ADMIN, NOON)
    secret = await store.sessions.open("wang", Way.PASSWORD, NOON, LASTS, address="10.0.0.9", browser="Firefox")
    found = await store.sessions.find(secret, NOON + 29 * MINUTE, IDLE)
    assert found is not None and (found.username, found.address, found.browser) == ("wang", "10.0.0.9", "Firefox")
    assert await store.sessions.find(secret, NOON + 31 * MINUTE, IDLE) is None
    for minutes in range(0, 12 * 60, 20):
        await store.sessions.touch(found.id, NOON + minutes * MINUTE)
    assert await store.sessions.find(secret, NOON + LASTS - MINUTE, IDLE)
    assert await store.sessions.find(secret, NOON + LASTS, IDLE) is None
    assert await store.sessions.find(secret + "x", NOON, IDLE) is None
    with psycopg.connect(database_url) as connection:
        assert secret not in str(connection.execute("SELECT * FROM sessions").fetchall())


async def test_owners_end_theirs_and_nobody_else_does(store: Store) -> None:
    for name in ("wang", "li"):
        await store.users.create(name, Role.AGENT, NOON)
    first, second = [await store.sessions.open("wang", Way.PASSWORD, NOON, LASTS) for _ in range(2)]
    kept = await store.sessions.find(first, NOON, IDLE)
    assert kept is not None and len(await store.sessions.of("wang", NOON, IDLE)) == 2
    assert not await store.sessions.end("li", kept.id)
    assert await store.sessions.end_all("wang", but=kept.id) == 1
    assert await store.sessions.find(second, NOON, IDLE) is None and await store.sessions.find(first, NOON, IDLE)
    assert await store.sessions.end("wang", kept.id)
    assert await store.sessions.find(first, NOON, IDLE) is None


async def test_tokens_end_with_their_time_and_tell_when_they_were_used(store: Store, database_url: str) -> None:
    await store.users.create("wang", Role.ADMIN, NOON)
    token = await store.tokens.issue("wang", "crm", NOON, scopes={"calls"}, role="agent", lasts=IDLE)
    assert await store.tokens.find(token, NOON + MINUTE)
    (kept,) = await store.tokens.of("wang")
    assert (kept.label, kept.scopes, kept.role, kept.used_at) == ("crm", {"calls"}, "agent", NOON + MINUTE)
    assert await store.tokens.find(token, NOON + IDLE) is None
    lasting = await store.tokens.issue("wang", "bi", NOON)
    await store.users.change("wang", disabled=True)
    assert await store.tokens.find(lasting, NOON) is None
    assert not await store.tokens.revoke("li", kept.id) and await store.tokens.revoke("wang", kept.id)
    assert [one.label for one in await store.tokens.of("wang")] == ["bi"]
    with psycopg.connect(database_url) as connection:
        assert lasting not in str(connection.execute("SELECT * FROM secrets").fetchall())
