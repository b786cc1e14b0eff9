"""Every route has a row in the table of access, and the running console obeys the table."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPConnection
from typing import cast

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from voicebot.console.access import TABLE, Open, rule_for
from voicebot.console.gate import Gate
from voicebot.console.sessions import Sessions

SAMPLES = {
    "GET": [
        "/", "/calls", "/calls/call-0000", "/cases", "/cases/XH20260000", "/campaigns", "/api/calls",
        "/api/calls/call-0000", "/api/calls/call-0000/audio", "/api/calls/call-0000/peaks",
        "/api/calls/call-0000/bundle", "/api/cases", "/api/cases/XH20260000", "/api/cases/XH20260000/payments",
        "/api/cases/export", "/api/cases/imports", "/api/cases/imports/none/preview", "/cases/import",
        "/api/campaigns", "/api/openapi.json",
        "/assets/console.css", "/desk", "/desk/cases/XH20260000", "/wall", "/people", "/api/desk", "/api/desk/cases",
        "/api/desk/callbacks", "/api/desk/figures", "/api/desk/knowledge", "/api/desk/cases/x/permission",
        "/api/floor", "/api/people/users", "/scripts", "/scripts/nobody", "/scripts/help/yaml", "/api/scripts",
        "/segments", "/segments/month-two", "/strategies", "/strategies/steady", "/api/segments", "/api/backtest",
        "/api/segments/month-two/portrait", "/api/policies/strategies/steady", "/api/cases/x/risk",
        "/api/campaigns/nobody/what-if",
    ],
    "POST": [
        "/api/desk/presence", "/api/desk/plan", "/api/desk/calls/nobody/accept", "/api/desk/calls/nobody/wrap-up",
        "/api/desk/cases/pull", "/api/desk/cases/nobody/ring", "/api/desk/callbacks/1/take",
        "/api/floor/calls/nobody/supervise", "/api/floor/calls/nobody/fetch-person", "/api/floor/agents/x/presence",
        "/api/floor/alerts/1/acknowledge", "/api/people/users", "/api/people/agents", "/api/people/users/nobody/link",
        "/api/cases/import", "/api/cases/imports", "/api/cases/imports/none/run", "/api/cases/imports/none/plan",
        "/api/cases/imports/none/mend", "/api/cases/none/status", "/api/cases/none/notes", "/api/payments",
        "/api/payments/import", "/api/calls/nobody/verify", "/api/calls/nobody/hangup", "/api/campaigns/nobody/start",
        "/api/campaigns/nobody/stop", "/api/campaigns", "/api/scripts", "/api/scripts/nobody/draft",
        "/api/scripts/nobody/1/review", "/api/scripts/nobody/1/publish", "/api/scripts/nobody/split",
        "/api/campaigns/what-if", "/api/segments/nobody/share-out", "/api/policies/strategies/x",
        "/api/policies/strategies/x/check",
    ],
}  # fmt: skip
REQUESTS = [(method, path) for method, paths in SAMPLES.items() for path in paths]
REVIEWER = {"calls", "listen", "evidence", "reports", "scripts", "publish_scripts"}


def test_what_is_not_listed_is_for_nobody() -> None:
    assert rule_for("GET", "/api/users") is None
    assert rule_for("DELETE", "/api/calls/x") is None
    assert rule_for("GET", "/calls/x/y") is None
    assert rule_for("GET", "/healthz/../api/calls") is None
    assert rule_for("HEAD", "/login") is Open.EVERYBODY


def test_only_these_paths_are_open_and_most_want_a_secret_of_their_own() -> None:
    opened = {path for _, path, rule in TABLE if rule in (Open.EVERYBODY, Open.THIS_MACHINE)}
    signed = {"/api/messages/receipts", "/api/messages/wechat"}
    steps = {"/login/code", "/login/sso(/back)?"}
    assert opened == {"/login", "/setup", "/password", "/healthz", "/metrics"} | signed | steps


@pytest.mark.parametrize(("method", "path"), REQUESTS)
def test_strangers_get_nothing(stranger: httpx.Client, method: str, path: str) -> None:
    answer = stranger.request(method, path)
    if path.startswith("/api/"):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    else:
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login")
    assert "张伟" not in answer.text


@pytest.mark.parametrize(("method", "path"), REQUESTS)
def test_permissions_are_asked_for(log_in: Callable[[str], httpx.Client], method: str, path: str) -> None:
    rule = rule_for(method, path)
    for user, granted in (("demo", None), ("qa", REVIEWER)):
        answer = log_in(user).request(method, path)
        allowed = granted is None or isinstance(rule, Open) or rule in granted
        assert (answer.status_code == 403) is not allowed, (user, path, answer.status_code)
        assert answer.status_code not in (401, 500)


@pytest.mark.parametrize("path", ["/_nicegui/3.18.0/static/nicegui.css", "/_nicegui_ws/socket.io/?EIO=4"])
def test_the_framework_is_behind_the_gate_too(stranger: httpx.Client, path: str) -> None:
    assert stranger.get(path).status_code == 303


def test_headers_of_every_answer(stranger: httpx.Client, admin: httpx.Client) -> None:
    for answer in (stranger.get("/login"), stranger.get("/api/calls"), admin.get("/calls")):
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


def test_posts_from_foreign_sites_are_refused(admin: httpx.Client) -> None:
    path = "/api/campaigns/M2-11/start"
    assert admin.post(path, headers={"Origin": "http://evil.example"}).status_code == 403
    assert admin.post(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert admin.post(path, headers={"Origin": "null"}).status_code == 403


def test_health_and_metrics(stranger: httpx.Client) -> None:
    assert stranger.get("/healthz").json() == {"status": "ok"}
    metrics = stranger.get("/metrics")
    assert metrics.status_code == 200
    assert "voicebot_calls_running" in metrics.text
    assert stranger.get("/metrics", headers={"X-Forwarded-For": "10.0.0.9"}).status_code == 401


def test_a_token_opens_the_api_and_a_wrong_one_does_not(stranger: httpx.Client, console: object) -> None:
    token = getattr(console, "token")  # noqa: B009
    right = {"Authorization": f"Bearer {token}"}
    assert stranger.get("/api/calls", headers=right).status_code == 200
    assert stranger.get("/api/calls", headers={"Authorization": f"Bearer {token}x"}).status_code == 401
    assert stranger.get("/api/calls", headers={"Cookie": "voicebot_session=forged"}).status_code == 401


def test_bodies_are_bounded(stranger: httpx.Client, admin: httpx.Client) -> None:
    assert stranger.post("/login", content=b"x" * 20_000).status_code == 413
    assert stranger.post("/login", content=iter([b"username=a"])).status_code == 411
    wire = HTTPConnection(str(admin.base_url.host), admin.base_url.port)
    wire.putrequest("POST", "/api/cases/import")
    wire.putheader("Content-Length", str(25 * 1024 * 1024))
    wire.endheaders()
    assert wire.getresponse().status == 413
    wire.close()


async def test_a_length_beside_chunks_bounds_nothing_and_is_refused() -> None:
    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("the body was read")

    gate = Gate(inner, cast(Sessions, None))
    headers = {"Content-Length": "5", "Transfer-Encoding": "chunked"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://console") as client:
        assert (await client.post("/login", content=b"x" * 20_000, headers=headers)).status_code == 411


async def test_without_a_database_everybody_is_told_so() -> None:
    class Away:
        async def account(self, cookie: str | None, bearer: str | None) -> None:
            raise ConnectionError("no database")

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        raise ConnectionError("no database")

    gate = Gate(inner, cast(Sessions, Away()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://console") as client:
        for path in ("/api/calls", "/calls", "/login"):
            answer = await client.get(path)
            assert answer.status_code == 503 and "database" in answer.json()["detail"]
            assert answer.headers["x-content-type-options"] == "nosniff"
