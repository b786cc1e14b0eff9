"""Every route × every role: the table, the database's permissions and the running gate say the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from nicegui import core
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from tests.voicebot.console.routes import all_routes, changing_routes
from voicebot.console.access import TABLE, Open, rule_for
from voicebot.console.access_document import access_document
from voicebot.console.gate import Gate
from voicebot.console.limits import Limits
from voicebot.console.queries import Account
from voicebot.domain.records import Role

ROOT = Path(__file__).resolve().parents[3]


class Said:
    """An account that a test made up, in the place of whoever holds a cookie."""

    def __init__(self, account: Account | None) -> None:
        self.who = account

    async def account(self, cookie: str | None, bearer: str | None, touch: bool = True) -> Account | None:
        return self.who


async def _reached(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def permissions(postgres: str) -> dict[str, frozenset[str]]:
    """What the migrations grant to each role."""
    with psycopg.connect(postgres) as connection:
        rows = connection.execute("SELECT role, permission FROM permissions").fetchall()
    return {role.value: frozenset(may for name, may in rows if name == role.value) for role in Role}


def browser(account: Account | None, **more: str) -> httpx.AsyncClient:
    gate = Gate(_reached, Said(account), Limits(10**6, 10**6, 10**6))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="https://console.example", headers=more)


def test_no_route_without_a_row_and_no_row_without_a_route() -> None:
    routes = all_routes()
    assert len(routes) > 150
    assert [(method, path) for method, path in routes if rule_for(method, path) is None] == []
    assert any(isinstance(route, Mount) and route.app is core.app for route in _app_routes())
    reached = {rule_for(method, path) for method, path in routes}
    asked = {rule for _, _, rule in TABLE}
    assert asked == reached, "a permission that opens nothing, or a row of something that is gone"


def _app_routes() -> Iterator[object]:
    from typing import cast

    from voicebot.console.queries import ConsoleData
    from voicebot.console.server import build_app
    from voicebot.console.settings import ConsoleSettings

    yield from build_app(cast(ConsoleData, None), ConsoleSettings()).routes


def test_all_seven_roles_may_something_and_every_permission_is_somebody_s(
    permissions: dict[str, frozenset[str]],
) -> None:
    assert {role.value for role in Role} == {
        "operator", "agent", "reviewer", "designer", "supervisor", "auditor", "admin",
    }  # fmt: skip
    assert all(permissions[role] for role in Role)
    asked = {rule for _, _, rule in TABLE if not isinstance(rule, Open)}
    given = frozenset().union(*permissions.values())
    assert asked - given == set(), "a permission that no role has"
    assert given - asked == {"names"}, "a permission that no route asks for"
    assert permissions["admin"] == given - {"appeal"}
    listeners = {role for role, may in permissions.items() if may & {"listen", "evidence"}}
    assert all("names" in permissions[role] for role in listeners), "who hears a call hears the name"


@pytest.mark.parametrize("role", [role.value for role in Role])
async def test_every_route_for_every_role(role: str, permissions: dict[str, frozenset[str]]) -> None:
    may = permissions[role]
    async with browser(Account("one", role, "", may, session_id="s")) as client:
        for method, path in all_routes():
            rule = rule_for(method, path)
            answer = await client.request(method, path)
            allowed = isinstance(rule, Open) or rule in may
            assert (answer.status_code == 299) is allowed, (role, method, path, answer.status_code)
            assert allowed or answer.status_code == 403


async def test_every_route_for_strangers_programs_and_who_must_enrol(permissions: dict[str, frozenset[str]]) -> None:
    stranger = browser(None, **{"X-Forwarded-For": "203.0.113.9"})
    program = browser(Account("one", "admin", "", permissions["admin"], token_id="t"))
    enrolling = browser(Account("one", "admin", "", frozenset(), session_id="s", enrolling=True))
    for method, path in all_routes():
        rule = rule_for(method, path)
        answer = await stranger.request(method, path)
        assert (answer.status_code == 299) is (rule is Open.EVERYBODY), (method, path)
        assert answer.status_code in (299, 303, 401)
        answer = await program.request(method, path)
        closed = rule in (Open.PERSON, Open.ENROLLING) or rule == "appeal"
        assert (answer.status_code == 299) is not closed, (method, path, answer.status_code)
        answer = await enrolling.request(method, path, headers={"X-Forwarded-For": "203.0.113.9"})
        assert (answer.status_code == 299) is (rule in (Open.EVERYBODY, Open.ENROLLING)), (method, path)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://console.example.evil.example"},
        {"Origin": "http://console.example:8080"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
async def test_no_foreign_site_changes_anything(headers: dict[str, str]) -> None:
    everything = frozenset(rule for _, _, rule in TABLE if isinstance(rule, str))
    changing = changing_routes()
    assert len(changing) > 60
    async with browser(Account("one", "admin", "", everything, session_id="s")) as client:
        for method, path in changing:
            assert (await client.request(method, path, headers=headers)).status_code == 403, (method, path)
            own = {"Origin": "https://console.example", "Sec-Fetch-Site": "same-origin"}
            assert (await client.request(method, path, headers=own)).status_code == 299, (method, path)


def test_nothing_is_changed_by_a_get() -> None:
    verbs = ("end", "revoke", "remove", "start", "stop", "disable", "enable", "publish", "hangup", "redact", "logout")
    said = [path for method, path in all_routes() if method == "GET" and path.rsplit("/", 1)[-1] in verbs]
    assert said == []


def test_the_document_says_what_the_table_says(permissions: dict[str, frozenset[str]]) -> None:
    written = (ROOT / "docs" / "reference" / "access.md").read_text(encoding="utf-8")
    assert written == access_document(permissions), "write it again: voicebot people access > docs/reference/access.md"
