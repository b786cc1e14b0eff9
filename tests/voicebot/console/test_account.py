"""What is one's own: sessions, password, tokens; and what an administrator does with those of others."""

from __future__ import annotations

import datetime as dt

import httpx
import pytest

from tests.voicebot.console.day import PASSWORD
from tests.voicebot.console.whole import Whole
from voicebot.console.settings import Door
from voicebot.domain.clock import FixedClock
from voicebot.domain.records import Role
from voicebot.store import Store

NOON = dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
async def whole(store: Store, clock: FixedClock, quick_passwords: None) -> Whole:
    await store.users.create("wang", Role.ADMIN, NOON, password=PASSWORD)
    await store.users.create("li", Role.SUPERVISOR, NOON, password=PASSWORD)
    return Whole(store, Door(behind_proxy=True, session_hours=8, idle_minutes=60), clock)


async def test_cookies_are_closed_and_for_https_alone(whole: Whole) -> None:
    answer = await whole.browser().post("/login", data={"username": "li", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert all(mark in cookie for mark in ("HttpOnly", "Secure", "SameSite=lax", "Max-Age=28800"))


async def test_owners_see_and_end_their_sessions(whole: Whole) -> None:
    here, there = await whole.logged_in("li", "203.0.113.9"), await whole.logged_in("li", "198.51.100.7")
    listed = (await here.get("/api/account")).json()["sessions"]
    assert {one["address"]: one["this"] for one in listed} == {"203.0.113.9": True, "198.51.100.7": False}
    other = next(one["id"] for one in listed if not one["this"])
    stranger = await whole.logged_in("wang")
    assert (await stranger.post(f"/api/account/sessions/{other}/end")).status_code == 404
    assert (await here.post(f"/api/account/sessions/{other[:8]}/end")).status_code == 404
    assert (await here.post(f"/api/account/sessions/{other}/end")).status_code == 200
    assert (await there.get("/api/account")).status_code == 401
    assert (await here.get("/api/account")).status_code == 200


async def test_sessions_end_idle_and_old_and_by_logout(whole: Whole, clock: FixedClock, store: Store) -> None:
    browser = await whole.logged_in("li")
    for _ in range(7):
        clock.advance(HOUR * 0.9)
        assert await _in(whole, browser), "it is being used"
    clock.advance(HOUR * 1.1)
    assert not await _in(whole, browser), "nobody used it for an hour"
    browser = await whole.logged_in("li")
    for hours in range(8):
        assert await _in(whole, browser) == (hours < 8)
        clock.advance(HOUR * 0.99)
    clock.advance(HOUR * 0.5)
    assert not await _in(whole, browser), "it is eight hours old"
    browser = await whole.logged_in("li")
    cookie = browser.cookies["voicebot_session"]
    await browser.post("/logout")
    browser.cookies.set("voicebot_session", cookie)
    assert not await _in(whole, browser)
    assert await store.sessions.of("li", clock.now(), HOUR) == []


async def test_a_new_password_ends_the_other_sessions(whole: Whole, store: Store) -> None:
    here, there = await whole.logged_in("li"), await whole.logged_in("li")
    change = {"old": PASSWORD, "new": "another password"}
    assert (await here.post("/api/account/password", json={**change, "old": "wrong"})).status_code == 403
    assert (await here.post("/api/account/password", json={**change, "new": "short"})).status_code == 422
    assert (await here.post("/api/account/password", json=change)).json() == {"ended": 1}
    assert (await here.get("/api/account")).status_code == 200
    assert (await there.get("/api/account")).status_code == 401
    assert (await store.users.login("li", "another password", NOON)).username == "li"


async def test_tokens_do_what_their_scopes_say_until_they_end(whole: Whole, clock: FixedClock) -> None:
    boss = await whole.logged_in("li")
    wish = {"label": "数据仓库", "days": 30, "scopes": ["calls", "reports"]}
    token = (await boss.post("/api/account/tokens", json=wish)).json()["token"]
    program = whole.browser(token=token)
    assert (await program.get("/api/calls")).status_code == 200
    assert (await program.get("/api/cases")).status_code == 403, "its owner may, it may not"
    assert (await program.post("/api/account/tokens", json=wish)).status_code == 403, "tokens make no tokens"
    assert (await program.get("/api/account")).json()["permissions"] == ["calls", "reports"]
    (listed,) = (await boss.get("/api/account")).json()["tokens"]
    assert listed["label"] == "数据仓库" and listed["used"] and token not in str(listed)
    clock.advance(dt.timedelta(days=31))
    whole.forget()
    assert (await program.get("/api/calls")).status_code == 401, "its month is over"
    boss = await whole.logged_in("li")
    wish["label"] = "报表"
    token = (await boss.post("/api/account/tokens", json=wish)).json()["token"]
    program = whole.browser(token=token)
    newest = (await boss.get("/api/account")).json()["tokens"][0]["id"]
    assert (await program.get("/api/calls")).status_code == 200
    stranger = await whole.logged_in("wang")
    assert (await stranger.post(f"/api/account/tokens/{newest}/revoke")).status_code == 404
    assert (await boss.post(f"/api/account/tokens/{newest}/revoke")).status_code == 200
    assert (await program.get("/api/calls")).status_code == 401


@pytest.mark.parametrize(
    "wish",
    [
        {"label": "x", "scopes": ["users"]},  # a supervisor manages no users
        {"label": "x", "scopes": ["cases"], "role": "agent"},  # an agent sees no list of cases
        {"label": "  "},
        {"label": "x", "days": 0},
        {"label": "x", "days": 4000},
        {"label": "x", "role": "emperor"},
    ],
)
async def test_a_token_never_does_more_than_its_owner(whole: Whole, wish: dict[str, object]) -> None:
    boss = await whole.logged_in("li")
    assert (await boss.post("/api/account/tokens", json=wish)).status_code == 422


async def test_a_token_of_another_role_is_held_to_both(whole: Whole) -> None:
    admin, boss = await whole.logged_in("wang"), await whole.logged_in("li")
    token = (await admin.post("/api/account/tokens", json={"label": "审计", "role": "auditor"})).json()["token"]
    mine = (await whole.browser(token=token).get("/api/account")).json()
    assert mine["role"] == "auditor" and "access" in mine["permissions"] and "users" not in mine["permissions"]
    token = (await boss.post("/api/account/tokens", json={"label": "审计", "role": "auditor"})).json()["token"]
    mine = (await whole.browser(token=token).get("/api/account")).json()
    assert mine["permissions"] == ["calls", "reports", "scripts"], "a supervisor reads no log of operations"


async def test_administrators_unlock_log_out_and_disable(whole: Whole, store: Store) -> None:
    admin, boss = await whole.logged_in("wang"), await whole.logged_in("li")
    for _ in range(5):
        await store.lockouts.attempt("password", "li", NOON)
    (row,) = [one for one in (await admin.get("/api/people/users")).json() if one["username"] == "li"]
    assert row["locked_until"]
    assert (await admin.post("/api/people/users/li/unlock")).status_code == 200
    assert len((await admin.get("/api/people/users/li/sessions")).json()) == 1
    assert (await admin.post("/api/people/users/li/log-out")).status_code == 200
    assert (await boss.get("/api/account")).status_code == 401
    token = (await (await whole.logged_in("li")).post("/api/account/tokens", json={"label": "x"})).json()["token"]
    program = whole.browser(token=token)
    assert (await program.get("/api/calls")).status_code == 200
    assert (await admin.post("/api/people/users/li/disable")).status_code == 200
    assert (await program.get("/api/calls")).status_code == 401
    assert (await admin.post("/api/people/users/nobody/unlock")).status_code == 404
    assert (await admin.post("/api/people/users/li/promote")).status_code == 404


async def test_rates_are_limited_and_say_when_to_come_back(store: Store, quick_passwords: None) -> None:
    await store.users.create("wang", Role.ADMIN, NOON, password=PASSWORD)
    whole = Whole(store, Door(behind_proxy=True, logins_per_minute=3, api_per_minute=20, exports_per_minute=2))
    admin = await whole.logged_in("wang", "192.0.2.1")
    guesser = whole.browser("198.51.100.66")
    said = [(await guesser.post("/login", data={"username": f"u{n}", "password": "x"})).status_code for n in range(4)]
    assert said == [401, 401, 401, 429]
    late = await guesser.post("/login", data={"username": "wang", "password": PASSWORD})
    assert late.status_code == 429 and 1 <= int(late.headers["retry-after"]) <= 20
    assert (await guesser.get("/login")).status_code == 200
    said = [(await admin.get("/api/cases/export?format=csv")).status_code for _ in range(3)]
    assert said[-1] == 429 and 429 not in said[:2]
    calls = [await admin.get("/api/account") for _ in range(20)]
    assert calls[0].status_code == 200 and calls[-1].status_code == 429 and calls[-1].headers["retry-after"]


async def _in(whole: Whole, browser: httpx.AsyncClient) -> bool:
    whole.forget()
    return (await browser.get("/api/account")).status_code == 200
