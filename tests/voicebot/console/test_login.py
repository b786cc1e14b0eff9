"""Logging in and out, the lock after five failures, and the first administrator's link."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI

from tests.voicebot.console.day import PASSWORD
from voicebot.console.gate import Gate
from voicebot.console.login import local_path, login_routes
from voicebot.console.second_step import second_step_routes
from voicebot.console.sessions import COOKIE, Sessions, create_admin_link
from voicebot.console.settings import ConsoleSettings
from voicebot.console.store_data import StoreData
from voicebot.domain.clock import SystemClock
from voicebot.domain.login import Way
from voicebot.domain.records import Role
from voicebot.store import Store

SETTINGS = ConsoleSettings(secret="test secret")


def client_of(store: Store) -> httpx.AsyncClient:
    data, app = StoreData(store), FastAPI()
    sessions = Sessions(data, SETTINGS)
    app.include_router(login_routes(data, SETTINGS, sessions, SystemClock()))
    app.include_router(second_step_routes(data, SETTINGS, sessions, SystemClock()))
    app.add_middleware(Gate, sessions=sessions)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console")


def test_login_sets_a_closed_cookie_and_logout_takes_it(stranger: httpx.Client) -> None:
    answer = stranger.post("/login?next=%2Fcalls", data={"username": "demo", "password": PASSWORD})
    assert answer.headers["location"] == "/calls"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    assert stranger.get("/calls").status_code == 200
    assert stranger.post("/logout").headers["location"] == "/login"
    assert stranger.get("/calls").status_code == 303


async def test_five_failures_lock_even_the_right_password(store: Store) -> None:
    await store.users.create("li", Role.OPERATOR, SystemClock().now(), password=PASSWORD)
    async with client_of(store) as client:
        for attempt in range(5):
            answer = await client.post("/login", data={"username": "li", "password": "wrong"})
            assert answer.status_code == (401 if attempt < 4 else 429)
        locked = await client.post("/login", data={"username": "li", "password": PASSWORD})
        assert locked.status_code == 429
        assert 0 < int(locked.headers["retry-after"]) <= 60
        assert "1 分钟" in locked.text
        assert COOKIE not in locked.cookies


async def test_an_unknown_user_gets_the_same_answer_as_a_wrong_password(store: Store) -> None:
    await store.users.create("lisi", Role.OPERATOR, SystemClock().now(), password=PASSWORD)
    async with client_of(store) as client:
        wrong = await client.post("/login", data={"username": "lisi", "password": "no"})
        nobody = await client.post("/login", data={"username": "zhao", "password": "no"})
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.text.replace("lisi", "zhao") == nobody.text


async def test_the_first_link_makes_one_administrator_and_then_none(store: Store) -> None:
    data = StoreData(store)
    link = await create_admin_link(data, SETTINGS)
    assert link and link.startswith("http://127.0.0.1:8080/setup?token=")
    token = parse_qs(urlsplit(link).query)["token"][0]
    fields = {"token": token, "username": "boss", "password": "long enough 1"}
    async with client_of(store) as client:
        assert (await client.get(f"/setup?token={token}")).status_code == 200
        assert (await client.get(f"/setup?token={token}x")).status_code == 410
        assert (await client.post("/setup", data={**fields, "password": "short"})).status_code == 400
        assert (await client.post("/setup", data={**fields, "username": "<b>"})).status_code == 400
        made = await client.post("/setup", data=fields)
        assert made.status_code == 303 and COOKIE in made.cookies
        again = await client.post("/setup", data={**fields, "username": "second"})
        assert again.status_code == 410
    assert await create_admin_link(data, SETTINGS) is None
    assert [(user.username, user.role) for user in await store.users.all()] == [("boss", Role.ADMIN)]


async def test_a_cookie_is_good_until_its_session_ends_and_says_nothing(store: Store) -> None:
    data = StoreData(store)
    sessions = Sessions(data, SETTINGS, remember_s=0)
    account = await data.logins.add_admin("boss", PASSWORD)
    cookie, other = [await sessions.open(account, Way.PASSWORD) for _ in range(2)]
    assert "boss" not in cookie
    found = await sessions.account(cookie, None)
    assert found is not None and (found.username, found.permissions) == ("boss", account.permissions)
    assert await sessions.account(cookie + "x", None) is None
    await sessions.end(found)
    assert await sessions.account(cookie, None) is None and await sessions.account(other, None)
    await store.users.change("boss", disabled=True)
    assert await sessions.account(other, None) is None


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https://evil.example/", "evil", "/\t/evil.example", "", "/a\nb"]
)
def test_next_never_leads_elsewhere(wanted: str) -> None:
    assert local_path(wanted) == "/"


def test_next_keeps_a_path_with_its_query() -> None:
    assert local_path("/calls?text=%E5%BC%A0&page=2") == "/calls?text=%E5%BC%A0&page=2"


def test_what_is_typed_comes_back_escaped(stranger: httpx.Client) -> None:
    answer = stranger.post("/login", data={"username": '"><script>x()</script>', "password": "x"})
    assert "<script>x()" not in answer.text
    assert "&lt;script&gt;x()" in answer.text
