"""Logging in with a second factor, setting one up, and roles that must have one."""

from __future__ import annotations

import datetime as dt
import re

import httpx
import pyotp
import pytest

from tests.voicebot.console.day import PASSWORD
from tests.voicebot.console.whole import Whole
from voicebot.domain.clock import FixedClock
from voicebot.domain.records import Role
from voicebot.store import Store

NOON = dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
async def whole(store: Store, clock: FixedClock, quick_passwords: None) -> Whole:
    await store.users.create("wang", Role.ADMIN, NOON, password=PASSWORD)
    return Whole(store, clock=clock)


async def enrol(client: httpx.AsyncClient, clock: FixedClock) -> tuple[pyotp.TOTP, list[str]]:
    page = await client.get("/second-factor")
    assert "<svg" in page.text and "unsafe" not in page.headers["content-security-policy"]
    (spelt,) = re.findall(r'<code class="secret">([A-Z2-7 ]+)</code>', page.text)
    device = pyotp.TOTP(spelt.replace(" ", ""))
    assert (await client.post("/second-factor", data={"code": "000000"})).status_code == 400
    done = await client.post("/second-factor", data={"code": device.at(clock.now())})
    codes = re.findall(r"<code>([a-z2-7-]{19})</code>", done.text)
    assert len(codes) == 10
    return device, codes


async def test_a_code_is_asked_for_after_the_password(whole: Whole, clock: FixedClock) -> None:
    device, codes = await enrol(await whole.logged_in("wang"), clock)
    browser = whole.browser()
    answer = await browser.post("/login?next=%2Fcalls", data={"username": "wang", "password": PASSWORD})
    assert answer.headers["location"] == "/login/code?next=%2Fcalls"
    assert "voicebot_session" not in browser.cookies
    assert (await browser.get("/api/calls")).status_code == 401, "a password alone opens nothing"
    assert (await browser.post("/login/code", data={"code": device.at(NOON)})).status_code == 401, "it was used"
    clock.advance(MINUTE)
    answer = await browser.post("/login/code?next=%2Fcalls", data={"code": device.at(clock.now())})
    assert answer.headers["location"] == "/calls" and (await browser.get("/api/calls")).status_code == 200
    other = whole.browser()
    await other.post("/login", data={"username": "wang", "password": PASSWORD})
    assert (await other.post("/login/code", data={"code": codes[3]})).status_code == 303
    assert (await browser.get("/second-factor")).headers["location"] == "/account"


async def test_codes_are_counted_by_themselves_and_wait(whole: Whole, clock: FixedClock) -> None:
    device, _ = await enrol(await whole.logged_in("wang"), clock)
    clock.advance(MINUTE)
    browser = whole.browser()
    said = []
    for _ in range(5):  # giving the password again does not begin the count again
        await browser.post("/login", data={"username": "wang", "password": PASSWORD})
        said.append((await browser.post("/login/code", data={"code": "123456"})).status_code)
    assert said == [401, 401, 401, 401, 429]
    locked = await browser.post("/login/code", data={"code": device.at(clock.now())})
    assert locked.status_code == 429 and int(locked.headers["retry-after"]) <= 60
    clock.advance(2 * MINUTE)
    assert (await browser.post("/login/code", data={"code": device.at(clock.now())})).status_code == 303


async def test_without_a_password_there_is_no_second_step(whole: Whole) -> None:
    browser = whole.browser()
    assert (await browser.get("/login/code")).headers["location"] == "/login"
    browser.cookies.set("voicebot_pending", "IndhbmciZm9yZ2Vk.x.y")
    assert (await browser.post("/login/code", data={"code": "123456"})).headers["location"] == "/login"
    assert (await browser.get("/second-factor")).headers["location"].startswith("/login")


async def test_a_role_that_must_have_one_gets_nothing_before(whole: Whole, store: Store, clock: FixedClock) -> None:
    earlier = await whole.logged_in("wang")
    assert (await earlier.post("/api/access/roles/admin/second-factor", json={"demanded": True})).status_code == 200
    assert (await earlier.get("/api/calls")).status_code == 401, "who had none is out at once"
    browser = await whole.logged_in("wang")
    for path in ("/", "/calls", "/account", "/people"):
        assert (await browser.get(path)).headers["location"] == "/second-factor"
    refused = await browser.get("/api/calls")
    assert refused.status_code == 403 and "/second-factor" in refused.json()["detail"]
    before = browser.cookies["voicebot_session"]
    await enrol(browser, clock)
    assert browser.cookies["voicebot_session"] != before, "the session that could only enrol is over"
    assert (await browser.get("/api/calls")).status_code == 200
    stale = whole.browser()
    stale.cookies.set("voicebot_session", before)
    assert (await stale.get("/api/calls")).status_code == 401
    kept = await browser.post("/api/account/factor/remove", json={"password": PASSWORD})
    assert kept.status_code == 409


async def test_an_administrator_resets_a_lost_one_and_the_sessions_end(
    whole: Whole, store: Store, clock: FixedClock
) -> None:
    await store.users.create("li", Role.AGENT, NOON, password=PASSWORD)
    agent = await whole.logged_in("li")
    await enrol(agent, clock)
    admin = await whole.logged_in("wang")
    (row,) = [one for one in (await admin.get("/api/people/users")).json() if one["username"] == "li"]
    assert row["second_factor"]
    assert (await admin.post("/api/people/users/li/reset-factor")).status_code == 200
    assert (await agent.get("/api/calls")).status_code == 401
    assert (await whole.logged_in("li")).cookies["voicebot_session"]
    assert [one.detail["change"] for one in await store.operations.latest()] == ["reset-factor"]
