"""The browser as an agent's telephone: rung there while it is open, at the desk phone before and after."""

from __future__ import annotations

import datetime as dt

import pytest

from voicebot.domain.records import AgentRecord
from voicebot.store import Store

NOW = dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC)
DESK, BROWSER = "sip:1001@192.0.2.5", "sip:a1@127.0.0.1:5070"


async def agent(store: Store) -> AgentRecord:
    found = await store.agents.find("a1")
    assert found is not None
    return found


async def test_the_browser_takes_over_and_gives_back(store: Store) -> None:
    await store.agents.save(AgentRecord("a1", "王芳", DESK))
    await store.softphones.attach("a1", "here", BROWSER, NOW)
    await store.agents.set_presence("a1", "ready", NOW)
    assert ((await agent(store)).sip_uri, (await agent(store)).device) == (BROWSER, "browser")
    await store.softphones.attach("a1", "here", BROWSER, NOW)  # a page that was loaded again
    assert await store.softphones.detach("a1", "here", NOW)
    back = await agent(store)
    assert (back.sip_uri, back.device, back.presence) == (DESK, "phone", "offline")
    assert not await store.softphones.detach("a1", "here", NOW)


async def test_nobody_is_attached_under_an_unknown_name(store: Store) -> None:
    with pytest.raises(LookupError):
        await store.softphones.attach("nobody", "here", BROWSER, NOW)


async def test_what_a_dead_gateway_left_is_put_right_once(store: Store) -> None:
    await store.agents.save(AgentRecord("a1", "王芳", DESK))
    await store.agents.save(AgentRecord("a2", "李强", "sip:1002@192.0.2.5"))
    await store.softphones.attach("a1", "here", BROWSER, NOW)
    await store.softphones.attach("a2", "there", "sip:a2@127.0.0.1:5071", NOW)
    assert await store.softphones.detach_all("here", NOW) == ["a1"]
    assert (await agent(store)).sip_uri == DESK
    assert not await store.softphones.detach("a2", "here", NOW)
    assert await store.softphones.detach_all("there", NOW) == ["a2"]
