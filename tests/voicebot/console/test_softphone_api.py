"""The browser telephone's routes: each account reaches the telephone of its own agent, and hears its news."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from voicebot.console.gate import ACCOUNT
from voicebot.console.queries import Account
from voicebot.console.softphone_api import _events, softphone_routes
from voicebot.console.softphone_panel import TEXTS, voice_phone
from voicebot.console.words import Words
from voicebot.domain.ice import IceServer
from voicebot.softphone.link import ConsoleEnd, GatewayEnd
from voicebot.softphone.phone import StaleError

PAGE = {"session": "page-0001"}
SERVERS = (IceServer("stun:stun.example.com:3478"), IceServer("turn:192.0.2.1:3478", "wang", "s3cret"))


class Stage:
    """The routes, a gateway that notes what it is asked, and whoever is logged in."""

    def __init__(self, folder: Path) -> None:
        self.who = Account("wang", "agent", agent_id="a1")
        self.asked: list[tuple[str, str, str, dict[str, Any]]] = []
        self.gateway = GatewayEnd(self._obey)
        self.console = ConsoleEnd(folder / "s.sock")
        self._app = FastAPI()
        self._app.include_router(softphone_routes(self.console, SERVERS))
        transport = httpx.ASGITransport(self._gated)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://console/api/softphone")

    async def _obey(self, verb: str, agent: str, session: str, more: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((verb, agent, session, more))
        if session == "page-stale":
            raise StaleError("another page is this agent's telephone now")
        return {"state": "on", "remote": ""} | ({"sdp": "answer"} if verb == "connect" else {})

    async def _gated(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ACCOUNT] = self.who
        await self._app(scope, receive, send)


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    one = Stage(tmp_path)
    await one.gateway.listen(tmp_path / "s.sock")
    running = asyncio.create_task(one.console.run())
    for _ in range(200):
        if not one.console.connected:
            await asyncio.sleep(0.01)
    yield one
    running.cancel()
    await one.gateway.close()
    await one.client.aclose()


async def test_a_page_reaches_its_own_agents_telephone_whatever_it_says(stage: Stage) -> None:
    answer = await stage.client.post("/connect", json={**PAGE, "sdp": "offer", "agent": "somebody-else"})
    assert answer.json() == {"state": "on", "remote": "", "number": 0, "sdp": "answer"}
    for verb in ("answer", "hangup", "leave", "off"):
        assert (await stage.client.post(f"/{verb}", json=PAGE)).status_code == 200
    await stage.client.post("/keys", json={**PAGE, "digits": "1*#"})
    await stage.client.post("/beat", json={**PAGE, "jitter_ms": 3, "loss": 0.01, "rtt_ms": 20})
    verbs = [(verb, agent) for verb, agent, _, _ in stage.asked]
    assert verbs == [(v, "a1") for v in ("connect", "answer", "hang_up", "leave", "off", "keys", "beat")]
    assert stage.asked[-1][3]["quality"] == {"jitter_ms": 3, "loss": 0.01, "rtt_ms": 20}


async def test_an_account_without_an_agent_has_no_telephone(stage: Stage) -> None:
    stage.who = Account("li", "supervisor")
    settings = await stage.client.get("http://console/api/softphone")
    for answer in (settings, await stage.client.post("/answer", json=PAGE)):
        assert answer.status_code == 403 and "--agent" in answer.json()["detail"]
    assert stage.asked == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/keys", {**PAGE, "digits": "1;2"}),
        ("/keys", {**PAGE, "digits": ""}),
        ("/answer", {}),
        ("/answer", {"session": "x" * 65}),
        ("/connect", {**PAGE, "sdp": "x" * 70_000}),
        ("/beat", {**PAGE, "loss": 2}),
    ],
)
async def test_wrong_words_do_not_reach_the_gateway(stage: Stage, path: str, body: dict[str, object]) -> None:
    assert (await stage.client.post(path, json=body)).status_code == 422
    assert stage.asked == []


async def test_another_page_took_over_and_a_gateway_that_is_gone(stage: Stage) -> None:
    assert (await stage.client.post("/answer", json={"session": "page-stale"})).status_code == 409
    await stage.gateway.close()
    await asyncio.sleep(0.05)
    assert (await stage.client.post("/answer", json=PAGE)).status_code == 503


async def test_servers_are_told_as_the_browser_wants_them(stage: Stage) -> None:
    told = (await stage.client.get("http://console/api/softphone")).json()
    assert told["ice_servers"] == [
        {"urls": "stun:stun.example.com:3478"},
        {"urls": "turn:192.0.2.1:3478", "username": "wang", "credential": "s3cret"},
    ]


async def test_news_come_as_events_and_a_stream_that_breaks_is_a_page_that_left(stage: Stage) -> None:
    stream = _events(stage.console, "a1", "page-0001")
    assert (await anext(stream)).startswith("retry:")
    reading = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.01)
    stage.gateway.tell({"event": "ringing", "agent": "a1", "remote": "sip:客户@x"})
    line = await asyncio.wait_for(reading, 60)
    assert json.loads(line.removeprefix("data: "))["remote"] == "sip:客户@x" and line.endswith("\n\n")
    await stream.aclose()
    assert stage.asked == [("leave", "a1", "page-0001", stage.asked[0][3])]


def test_the_page_says_everything_in_both_languages() -> None:
    assert all(len(pair) == 2 and all(pair) for pair in TEXTS.values())
    assert "HTTPS" in TEXTS["error.insecure"][0]
    assert "data-texts=" in voice_phone(Words("zh")) and "开启电话" in voice_phone(Words("zh"))
    assert "Switch on" in voice_phone(Words("en"))
