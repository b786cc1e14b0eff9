"""The telephone in a real browser: rung by our own stack, answered by a click, tones found on both sides."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.softphone_stage import Caller, Gateway, agent, give_agent, tone_file
from tests.voicebot.console.day import PASSWORD
from tests.voicebot.console.served import Served, serving

pytestmark = pytest.mark.slow
AGENT_HZ, CALLER_HZ = 440, 1000
FAR_PEAK = """() => {
  const phone = document.querySelector("voice-phone"), far = phone.sound.meters.far;
  if (!far) return [0, -200];
  const bins = new Float32Array(far.analyser.frequencyBinCount);
  far.analyser.getFloatFrequencyData(bins);
  const most = bins.reduce((best, level, at) => (level > bins[best] ? at : best), 0);
  return [most * phone.sound.context.sampleRate / far.analyser.fftSize, bins[most]];
}"""


@pytest.fixture(scope="module")
def softphones(postgres: str) -> Iterator[Served]:
    with serving(postgres, past_calls=1) as console:
        give_agent(console, "a1", "demo")
        yield console


@pytest.fixture(scope="module", autouse=True)
def gateway(softphones: Served) -> Iterator[Gateway]:
    one = Gateway(softphones)
    yield one
    one.stop()


@pytest.fixture(scope="module")
def headset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium whose microphone hears a tone of AGENT_HZ."""
    if CHROMIUM is None:
        pytest.skip("!!! SOFTPHONE NOT TESTED: there is no Chromium (Debian: apt-get install chromium)")
    sound = tone_file(tmp_path_factory.mktemp("microphone") / "tone.wav", AGENT_HZ)
    fakes = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}",
    ]
    with sync_playwright() as playwright:
        expect.set_options(timeout=20_000)
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *fakes])
        yield launched
        launched.close()


@pytest.fixture
def tab(headset: Browser, softphones: Served) -> Iterator[Page]:
    """A page of the agent, logged in; suppression off, as it takes a steady tone for noise."""
    context = headset.new_context(base_url=softphones.url, locale="zh-CN", viewport={"width": 1280, "height": 800})
    context.add_init_script("localStorage.setItem('voicebot-phone-clean', 'off')")
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto("/login")
    page.fill("input[name=username]", "demo")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("voice-phone[data-state]")
    yield page
    context.close()
    assert broken == []
    until(lambda: agent(softphones, "a1")[1] == "phone", 20)


@pytest.fixture
def caller() -> Iterator[Caller]:
    one = Caller()
    yield one
    one.close()


def until(true: Callable[[], bool], within_s: float = 10.0) -> float:
    """Wait for it; seconds that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within_s, "it did not come true"
        time.sleep(0.05)
    return time.monotonic() - began


def press(page: Page, name: str) -> None:
    page.locator("voice-phone").get_by_role("button", name=name, exact=True).click()


def state(page: Page, wanted: str) -> None:
    expect(page.locator(f"voice-phone[data-state={wanted}]")).to_be_visible()


def switch_on(page: Page, console: Served) -> str:
    """Switch the telephone on; the address it is rung at."""
    press(page, "开启电话")
    state(page, "on")
    expect(page.locator("voice-phone[data-webrtc=connected]")).to_be_visible()
    address, device, _ = agent(console, "a1")
    assert device == "browser"
    return address


def hears(page: Page, hz: float) -> None:
    """The agent's headphones play a tone: within one bin of the analyser."""
    until(lambda: abs(page.evaluate(FAR_PEAK)[0] - hz) < 60 and page.evaluate(FAR_PEAK)[1] > -60)


def talk(page: Page, caller: Caller, address: str) -> None:
    caller.dial(address)
    state(page, "ringing")
    press(page, "接听")
    assert caller.answered() is None
    state(page, "talking")


def test_a_call_is_answered_and_both_hear_each_other(tab: Page, softphones: Served, caller: Caller) -> None:
    address = switch_on(tab, softphones)
    talk(tab, caller, address)
    caller.say_tone(CALLER_HZ, 20)
    caller.hears(AGENT_HZ)
    hears(tab, CALLER_HZ)
    expect(tab.locator("[data-figure=rtt]")).to_contain_text("ms")
    if folder := os.environ.get("SCREENSHOTS"):
        tab.screenshot(path=f"{folder}/softphone.png")
    press(tab, "静音")
    until(lambda: caller.strength(AGENT_HZ) < 50)
    press(tab, "取消静音")
    caller.hears(AGENT_HZ)
    press(tab, "挂断")
    assert caller.ended().by == "remote"
    state(tab, "on")
    assert agent(softphones, "a1")[2] == "ready"


def test_the_other_side_hangs_up_and_rings_again(tab: Page, softphones: Served, caller: Caller) -> None:
    address = switch_on(tab, softphones)
    talk(tab, caller, address)
    caller.hears(AGENT_HZ)
    caller.hang_up()
    state(tab, "on")
    expect(tab.locator(".phone-note")).to_have_text("通话已结束")
    talk(tab, caller, address)
    caller.hears(AGENT_HZ)
    caller.hang_up()
    state(tab, "on")
    caller.dial(address)
    state(tab, "ringing")
    press(tab, "拒接")
    assert caller.answered().status == 603


def test_the_call_goes_on_from_page_to_page(tab: Page, softphones: Served, caller: Caller) -> None:
    address = switch_on(tab, softphones)
    talk(tab, caller, address)
    tab.on("dialog", lambda dialog: dialog.accept())
    tab.goto("/calls")
    state(tab, "talking")
    before = len(caller.phone.handset.heard)
    until(lambda: len(caller.phone.handset.heard) > before + 16_000)
    caller.hears(AGENT_HZ)
    caller.say_tone(CALLER_HZ, 10)
    hears(tab, CALLER_HZ)


def test_a_closed_tab_ends_the_call_and_the_agent_is_offline(
    tab: Page, softphones: Served, caller: Caller
) -> None:
    address = switch_on(tab, softphones)
    talk(tab, caller, address)
    context: BrowserContext = tab.context
    tab.close()
    assert caller.ended().by == "remote"
    until(lambda: agent(softphones, "a1") == ("sip:1001@192.0.2.5", "phone", "offline"))
    assert context.pages == []


def test_what_is_wrong_is_said_in_chinese(headset: Browser, softphones: Served, tab: Page) -> None:
    refuse = "async () => { throw new DOMException('no', 'NotAllowedError') }"
    tab.evaluate(f"() => {{ navigator.mediaDevices.getUserMedia = {refuse} }}")
    press(tab, "开启电话")
    expect(tab.locator(".phone-note")).to_contain_text("麦克风权限被拒绝")
    state(tab, "off")
    other = tab.context.new_page()
    other.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    other.goto("/")
    press(other, "开启电话")
    expect(other.locator(".phone-note")).to_contain_text("HTTPS")


def test_a_console_that_is_away_does_not_touch_the_sound(tab: Page, softphones: Served, caller: Caller) -> None:
    address = switch_on(tab, softphones)
    talk(tab, caller, address)
    caller.hears(AGENT_HZ)
    before = tab.evaluate("document.querySelector('voice-phone').peer.connection.localDescription.sdp")
    tab.route("**/api/softphone/**", lambda route: route.abort())
    state(tab, "reconnecting")
    assert caller.strength(AGENT_HZ) > 2000
    tab.unroute("**/api/softphone/**")
    state(tab, "talking")
    after = tab.evaluate("document.querySelector('voice-phone').peer.connection.localDescription.sdp")
    assert before.split("\r\n")[1] == after.split("\r\n")[1], "the connection was made anew"
    assert caller.strength(AGENT_HZ) > 2000


def test_a_gateway_that_dies_is_connected_again(
    tab: Page, softphones: Served, gateway: Gateway, caller: Caller
) -> None:
    switch_on(tab, softphones)
    gateway.die_and_come_back()
    state(tab, "reconnecting")
    state(tab, "on")
    until(lambda: agent(softphones, "a1")[1:] == ("browser", "offline"))  # ready is theirs to say again
    talk(tab, caller, agent(softphones, "a1")[0])
    caller.hears(AGENT_HZ)
    press(tab, "挂断")
    assert caller.ended().by == "remote"


def test_the_newest_tab_is_the_telephone(tab: Page, softphones: Served, caller: Caller) -> None:
    switch_on(tab, softphones)
    other = tab.context.new_page()
    other.goto("/")
    address = switch_on(other, softphones)
    expect(tab.locator(".phone-note")).to_contain_text("另一个页面")
    state(tab, "off")
    talk(other, caller, address)
    caller.hears(AGENT_HZ)
    caller.hang_up()
