"""The gateway between a line and a browser: calls, pages that come and go, and the agent's place in the database."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from aiortc import RTCConfiguration

from tests.voicebot.softphone.browser import Browser
from tests.voicebot.softphone.test_sound import strength, tone
from voicebot.domain.clock import FixedClock
from voicebot.domain.ice import IceServer
from voicebot.softphone.gateway import Gateway
from voicebot.softphone.peer import OfferError
from voicebot.softphone.phone import AWAY_S, LEFT_S, StaleError
from voicebot.telephony.leg import Ended
from voicebot.telephony.testing import SimulatedLeg

NOW = dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC)


class Directory:
    """Notes who is at the gateway, as the database would."""

    def __init__(self) -> None:
        self.there: dict[str, str] = {"left over": "sip:old@127.0.0.1"}
        self.vias: dict[str, str | None] = {}

    async def attach(
        self, agent_id: str, gateway: str, sip_uri: str, now: dt.datetime, via: str | None = None
    ) -> None:
        if agent_id == "nobody":
            raise LookupError("there is no agent 'nobody'")
        self.vias[agent_id] = via
        self.there[agent_id] = sip_uri

    async def detach(self, agent_id: str, gateway: str, now: dt.datetime) -> bool:
        return self.there.pop(agent_id, None) is not None

    async def detach_all(self, gateway: str, now: dt.datetime) -> list[str]:
        left = list(self.there)
        self.there.clear()
        return left


class Stage:
    """A gateway whose time the test moves on."""

    def __init__(self, servers: Sequence[IceServer] = ()) -> None:
        self.now = 0.0
        self.news: list[dict[str, Any]] = []
        self.directory = Directory()
        self.gateway = Gateway("here", self.directory, FixedClock(NOW), servers, self.news.append, lambda: self.now)
        self.gateway.address = ("127.0.0.1", 5070)
        self.browsers: list[Browser] = []

    async def browser(
        self, session: str, agent: str = "a1", hz: float = 700, configuration: RTCConfiguration | None = None
    ) -> Browser:
        browser = Browser(hz, configuration)
        self.browsers.append(browser)
        answer = await self.gateway.obey("connect", agent, session, {"sdp": await browser.offer()})
        await browser.take(answer["sdp"])
        return browser

    async def ring(self, agent: str = "a1") -> SimulatedLeg:
        leg = SimulatedLeg("sip:13800138000@127.0.0.1")
        leg.local = f"sip:{agent}@127.0.0.1:5070"
        await self.gateway.ring(leg)
        return leg

    def told(self) -> list[str]:
        return [news["event"] for news in self.news if news["event"] != "peer"]


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    one = Stage()
    sweeping = asyncio.create_task(one.gateway.run(0.02))
    await asyncio.sleep(0)
    yield one
    sweeping.cancel()
    await one.gateway.close()
    await asyncio.gather(*(browser.close() for browser in one.browsers))


async def talk(leg: SimulatedLeg, ticks: int, hz: float) -> bytes:
    """Let the line beat in real time: the caller says a tone; what the agent said."""
    said, began = b"", asyncio.get_running_loop().time()
    for tick, frame in enumerate(tone(hz, ticks)):
        said += leg.tick(tick, frame)
        await asyncio.sleep(max(0.0, began + 0.02 * (tick + 1) - asyncio.get_running_loop().time()))
    return said


async def test_a_call_is_answered_and_both_hear_each_other(stage: Stage) -> None:
    browser = await stage.browser("page-one")
    assert stage.directory.there == {"a1": "sip:a1@127.0.0.1:5070"}
    leg = await stage.ring()
    assert leg.rings and stage.told() == ["ringing"]
    await stage.gateway.obey("answer", "a1", "page-one", {})
    said = await talk(leg, 75, 500)
    assert strength(said[-320 * 25 :], 700) > 5000
    assert browser.strength(500) > 5000 and browser.strength(700) < 500
    await stage.gateway.obey("keys", "a1", "page-one", {"digits": "1#"})
    assert leg.keys == "1#"
    leg.tell(Ended("remote", None, "hung up"))
    await asyncio.sleep(0.02)
    assert stage.told() == ["ringing", "answered", "ended"] and not stage.news[-1]["missed"]


async def test_lines_of_other_machines_reach_it_by_a_line_of_this_one_or_straight(stage: Stage) -> None:
    stage.gateway.via = "berg-0"
    await stage.browser("page-one")
    assert (stage.directory.there["a1"], stage.directory.vias["a1"]) == ("sip:a1@127.0.0.1:5070", "berg-0")
    stage.gateway.via, stage.gateway.of_fleet = None, True
    await stage.browser("page-two", "a2")
    assert (stage.directory.there["a2"], stage.directory.vias["a2"]) == ("sip:agent.a2@127.0.0.1:5070", None)
    assert (await stage.ring("agent.a2")).rings


async def test_declined_busy_and_missed(stage: Stage) -> None:
    await stage.browser("page-one")
    first, second = await stage.ring(), await stage.ring()
    assert second.refused == (486, None)
    await stage.gateway.obey("hang_up", "a1", "page-one", {})
    assert first.refused == (603, None)
    third = await stage.ring()
    third.tell(Ended("remote", 487, "the caller gave up"))
    await asyncio.sleep(0.02)
    assert stage.news[-1]["event"] == "ended" and stage.news[-1]["missed"]
    assert (await stage.ring("a2")).refused == (480, None)
    fourth = await stage.ring()
    await stage.gateway.obey("answer", "a1", "page-one", {})
    await stage.gateway.obey("hang_up", "a1", "page-one", {})
    assert fourth.ended == Ended("local", None, "hung up") and not fourth.ended.lost


async def test_the_next_page_takes_the_call_over(stage: Stage) -> None:
    await stage.browser("page-one")
    leg = await stage.ring()
    await stage.gateway.obey("answer", "a1", "page-one", {})
    await talk(leg, 20, 500)
    await stage.gateway.obey("leave", "a1", "page-one", {})
    stage.now += LEFT_S / 2
    browser = await stage.browser("page-two", hz=900)
    stage.now += LEFT_S
    await asyncio.sleep(0.1)
    said = await talk(leg, 60, 500)
    assert leg.ended is None and strength(said[-320 * 20 :], 900) > 5000 and browser.strength(500) > 5000
    assert "replaced" in stage.told()
    with pytest.raises(StaleError):
        await stage.gateway.obey("hang_up", "a1", "page-one", {})


@pytest.mark.parametrize(("verb", "after_s"), [("leave", LEFT_S), ("beat", AWAY_S)])
async def test_a_browser_that_vanishes_ends_its_call_and_its_extension(stage: Stage, verb: str, after_s: float) -> None:
    await stage.browser("page-one")
    leg = await stage.ring()
    await stage.gateway.obey("answer", "a1", "page-one", {})
    await stage.gateway.obey(verb, "a1", "page-one", {})
    stage.now += after_s - 0.5
    await asyncio.sleep(0.1)
    assert leg.ended is None
    stage.now += 0.6
    await asyncio.sleep(0.1)
    assert leg.ended is not None and leg.ended.lost  # nobody hung up: the debtor gets another person
    assert stage.directory.there == {} and stage.told()[-1] == "off"
    assert (await stage.ring()).refused == (480, None)


async def test_switched_off_while_it_rings(stage: Stage) -> None:
    await stage.browser("page-one")
    leg = await stage.ring()
    await stage.gateway.obey("off", "a1", "page-one", {})
    assert leg.refused == (480, None) and stage.directory.there == {}


async def test_what_an_earlier_life_left_is_put_right_at_the_start(stage: Stage) -> None:
    await asyncio.sleep(0.02)
    assert stage.directory.there == {}


async def test_offers_that_are_none_and_agents_that_are_none(stage: Stage) -> None:
    bare = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
    for offer in ("", bare, bare + "x" * 70_000, bare + "m=audio 9 RTP/AVP 0\r\n"):
        with pytest.raises(OfferError):
            await stage.gateway.obey("connect", "a1", "page-one", {"sdp": offer})
    browser = Browser(500)
    stage.browsers.append(browser)
    with pytest.raises(LookupError):
        await stage.gateway.obey("connect", "nobody", "page-one", {"sdp": await browser.offer()})
    assert stage.gateway.phones == {}
    for verb in ("answer", "beat", "keys"):
        with pytest.raises(LookupError):
            await stage.gateway.obey(verb, "a1", "page-one", {})


def test_strength_measures_a_tone() -> None:
    assert np.isclose(strength(b"".join(tone(500, 50)), 500), 8000, rtol=0.01)
