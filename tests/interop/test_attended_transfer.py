"""The whole product at once: linphone calls, the bot talks, an agent with headset and browser takes the call over.

`voicebot serve` runs as an operator runs it. The debtor asks for a person in Mandarin, then plays a tone; the agent's
microphone in headless Chromium hears another one. Both tones must be where they belong in the sealed recording.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.softphone_stage import tone_file
from voicebot.domain.clock import SystemClock
from voicebot.domain.journal import FactKind
from voicebot.domain.records import AgentRecord, Role
from voicebot.evidence.reading import read_audio
from voicebot.store import Store
from voicebot.tts.synthesizer import load_synthesizer

from .installation import Installation, Recording
from .linphone import Linphone, linphone
from .peers import requires
from .station import station
from .tones import RATE, shares, tone_ms, write_wav

pytestmark = [
    pytest.mark.alone,
    requires("linphonec"),
    pytest.mark.skipif(CHROMIUM is None, reason="!!! NO CHROMIUM: apt-get install chromium"),
]
DEBTOR_HZ, AGENT_HZ, NEXT_HZ = 1000, 440, 1400
PASSWORD = "a-password-for-tests"
TALK_MS = 4000


async def test_a_person_with_headset_and_browser_takes_over(served: Installation, tmp_path: Path) -> None:
    async with (
        agent_at_the_desk(served, tmp_path, "wang", hired="a7") as page,
        linphone(tmp_path, DEBTOR_HZ, "debtor") as debtor,
        served.recording() as recording,
    ):
        await ready(page)
        await ask_for_a_person(served, debtor, tmp_path, recording)
        call = recording()
        rings_after_s = await answer(page)
        joined = await call.has(FactKind.JOINED, within_s=40.0)
        await debtor.hears(AGENT_HZ, TALK_MS)
        await show(page, "console-desk.png")
        await show_wall(page, served)
        await page.locator("voice-phone").get_by_role("button", name="挂断", exact=True).click()
        await call.sealed(within_s=30.0)
        await expect(page.locator("voice-phone[data-state=on]")).to_be_visible()
    print(call.story())
    started = call.of(FactKind.TRANSFER_STARTED)[0]
    rang = call.of(FactKind.AGENT_RINGING)[0]
    assert rang.ms - started.ms <= 1000, f"the phone rang {rang.ms - started.ms} ms after the trigger"
    print(f"trigger to ringing {rang.ms - started.ms} ms; ringing to the click {rings_after_s:.1f} s")
    tones_are_where_they_belong(call, joined.ms)


async def test_a_browser_that_vanishes_costs_the_debtor_nothing_but_a_moment(
    served: Installation, tmp_path: Path
) -> None:
    """The tab is closed in the middle of the talk: the next agent, at a desk phone, goes on with the debtor."""
    async with (
        station(NEXT_HZ) as desk_phone,
        agent_at_the_desk(served, tmp_path, "li", hired="b7") as page,
        linphone(tmp_path, DEBTOR_HZ, "debtor") as debtor,
        served.recording() as recording,
    ):
        await ready(page)
        await ask_for_a_person(served, debtor, tmp_path, recording)
        call = recording()
        await answer(page)
        await call.has(FactKind.JOINED, agent="b7", within_s=40.0)
        await debtor.hears(AGENT_HZ, 300)
        await employ(served, "b8", desk_phone.uri)
        await page.close()
        await call.has(FactKind.AGENT_LEFT, agent="b7", within_s=15.0)
        await call.has(FactKind.JOINED, agent="b8", within_s=40.0)
        talk = await desk_phone.call()
        await talk.hears(DEBTOR_HZ, 1000)
        await debtor.hears(NEXT_HZ, 1000)
        await talk.call.hangup()
        await call.sealed(within_s=30.0)
    left, joined = call.of(FactKind.AGENT_LEFT)[0], call.of(FactKind.JOINED)[1]
    print(f"{joined.ms - left.ms} ms from the loss of one agent to the next, briefing included")
    async with Store.from_url(served.database_url) as store:
        gone = await store.agents.find("b7")
    assert gone is not None and (gone.presence, gone.device) == ("offline", "phone")


def tones_are_where_they_belong(call: Recording, joined_ms: int) -> None:
    """Left is who speaks for us, right the debtor; the agent is in the recording from the moment of joining on."""
    sound = read_audio(call.bundle)
    ours, debtor = (np.ascontiguousarray(sound[:, side]) for side in (0, 1))
    before, after = ours[: joined_ms * RATE // 1000], ours[joined_ms * RATE // 1000 :]
    assert tone_ms(before, AGENT_HZ) <= 200, "the agent is in the recording before they joined"
    assert tone_ms(after, AGENT_HZ, 0.3) > TALK_MS / 2, f"no agent in the recording: {shares(after, AGENT_HZ)}"
    talk = debtor[joined_ms * RATE // 1000 :]
    assert tone_ms(talk, DEBTOR_HZ) > TALK_MS / 2, "no debtor in the recording"
    assert tone_ms(ours, DEBTOR_HZ) <= 200, "the debtor is on our side of the recording"


async def hire(served: Installation, agent_id: str, username: str) -> None:
    now = SystemClock().now()
    async with Store.from_url(served.database_url) as store:
        await store.agents.save(AgentRecord(agent_id, "王芳", "sip:1001@127.0.0.1:9", ("general", "care")))
        await store.users.create(username, Role.AGENT, now, password=PASSWORD, display_name="王芳")
        assert await store.users.change(username, agent_id=agent_id)


async def employ(served: Installation, agent_id: str, uri: str) -> None:
    """Somebody with a telephone of their own, ready."""
    async with Store.from_url(served.database_url) as store:
        await store.agents.save(AgentRecord(agent_id, "李强", uri, ("general", "care")))
        await store.agents.set_presence(agent_id, "ready", SystemClock().now())


@contextlib.asynccontextmanager
async def agent_at_the_desk(served: Installation, folder: Path, username: str, hired: str) -> AsyncIterator[Page]:
    """An agent `hired` for this, logged in at the desk; the microphone hears AGENT_HZ."""
    await hire(served, hired, username)
    fakes = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={tone_file(folder / 'microphone.wav', AGENT_HZ)}",
    ]
    expect.set_options(timeout=30_000)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *fakes])
        console = "http://{}:{}".format(*served.http)
        context = await browser.new_context(base_url=console, locale="zh-CN", viewport={"width": 1440, "height": 900})
        await context.add_init_script("localStorage.setItem('voicebot-phone-clean', 'off')")
        page = await context.new_page()
        await page.goto("/login?next=%2Fdesk")
        await page.fill("input[name=username]", username)
        await page.fill("input[name=password]", PASSWORD)
        await page.click("button[type=submit]")
        yield page
        await browser.close()


async def ready(page: Page) -> None:
    """Switch the telephone on and say so."""
    phone = page.locator("voice-phone")
    await phone.get_by_role("button", name="开启电话").click()
    await expect(page.locator("voice-phone[data-state=on][data-webrtc=connected]")).to_be_visible()
    await page.locator(".presence").get_by_role("button", name="就绪").click()


async def ask_for_a_person(served: Installation, debtor: Linphone, folder: Path, recording: object) -> None:
    """Ring, hear the bot out, ask for a person, and from then on play the tone."""
    silence = write_wav(folder / "silence.wav", bytes(2 * RATE * 60))
    speech = load_synthesizer().synthesize("转人工，我要转人工。", "m3")
    request = write_wav(folder / "request.wav", speech + bytes(2 * RATE * 20))
    tone = debtor.folder / "tone.wav"
    await debtor.type(f"play {silence}", f"call {served.uri}")
    call = await begun(recording)
    await call.has(FactKind.SAID, node="what_about", within_s=40.0)
    await debtor.type(f"play {request}")
    await call.has(FactKind.TRANSFER_STARTED, within_s=30.0)
    await debtor.type(f"play {tone}")


async def begun(recording: object) -> Recording:
    """The recording of the call, as soon as there is one."""
    for _ in range(200):
        with contextlib.suppress(ValueError):
            call: Recording = recording()  # type: ignore[operator]
            if call.of(FactKind.STARTED):
                return call
        await asyncio.sleep(0.1)
    raise AssertionError("no call has begun")


async def answer(page: Page) -> float:
    """Take the call in the browser; seconds from its ringing to the click."""
    await expect(page.locator("voice-phone[data-state=ringing]")).to_be_visible()
    began = time.monotonic()
    await show(page, "console-desk-ringing.png")
    await page.locator("voice-phone").get_by_role("button", name="接听", exact=True).click()
    await expect(page.locator("voice-phone[data-state=talking]")).to_be_visible()
    return time.monotonic() - began


async def show(page: Page, name: str) -> None:
    """With SCREENSHOTS=docs/images this test makes the documents' pictures of the desk."""
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=f"{folder}/{name}")


async def show_wall(page: Page, served: Installation) -> None:
    """What a supervisor sees at the same moment."""
    if not os.environ.get("SCREENSHOTS") or page.context.browser is None:
        return
    async with Store.from_url(served.database_url) as store:
        await store.users.create("chen", Role.SUPERVISOR, SystemClock().now(), password=PASSWORD, display_name="陈静")
    context = await page.context.browser.new_context(
        base_url="http://{}:{}".format(*served.http), locale="zh-CN", viewport={"width": 1440, "height": 900}
    )
    wall = await context.new_page()
    await wall.goto("/login?next=%2Fwall")
    await wall.fill("input[name=username]", "chen")
    await wall.fill("input[name=password]", PASSWORD)
    await wall.click("button[type=submit]")
    await wall.wait_for_timeout(3000)
    await show(wall, "console-wall.png")
    await context.close()
