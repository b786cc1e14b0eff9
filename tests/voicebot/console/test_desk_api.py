"""Desk, wall and people over HTTP: what agents may do with their own calls and cases, and nobody else's."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest

from tests.voicebot.console import day, floor_day
from tests.voicebot.console.served import Served, serving
from voicebot.store import Store

DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def floor(postgres: str) -> Iterator[Served]:
    with serving(postgres, past_calls=2, people=True) as served:
        yield served


@pytest.fixture(scope="module")
def enter(floor: Served) -> Iterator[Callable[[str], httpx.Client]]:
    clients: dict[str, httpx.Client] = {}

    def client_of(username: str) -> httpx.Client:
        if username not in clients:
            clients[username] = httpx.Client(base_url=floor.url, timeout=60)
            form = {"username": username, "password": day.PASSWORD}
            assert clients[username].post("/login", data=form).status_code == 303
        return clients[username]

    yield client_of
    for client in clients.values():
        client.close()


@pytest.fixture
def agent(enter: Callable[[str], httpx.Client]) -> httpx.Client:
    return enter("zhou")


@pytest.fixture
def chief(enter: Callable[[str], httpx.Client]) -> httpx.Client:
    return enter("chen")


def in_store(floor: Served, work: Callable[[Store], Awaitable[Any]]) -> Any:
    """Do something in the console's database; in a thread, whatever loop runs here."""
    found: list[Any] = []

    async def run() -> None:
        async with Store.from_url(floor.database) as store:
            found.append(await work(store))

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join()
    return found[0]


def commands(floor: Served, verb: str) -> list[tuple[str, dict[str, Any]]]:
    with psycopg.connect(floor.database) as connection:
        rows = connection.execute("SELECT call_id, payload FROM commands WHERE verb = %s ORDER BY id", [verb])
        return [(call_id, payload) for call_id, payload in rows]


@pytest.fixture(scope="module")
def talking(floor: Served) -> str:
    """A call that the agent a1 is in."""
    call_id: str = in_store(floor, lambda store: floor_day.hand_over(store, day.morning()))
    return call_id


def test_the_desk_shows_my_call_and_what_to_say(agent: httpx.Client, talking: str) -> None:
    desk = agent.get("/api/desk").json()
    assert desk["agent"]["id"] == "a1" and desk["agent"]["presence"] == "busy"
    assert desk["call"]["call_id"] == talking and desk["call"]["verified"] is True
    assert desk["call"]["intents"][0] == "pay_installment"
    assert "周敏" in desk["call"]["first_sentence"] and desk["call"]["taboos"][0]["grave"]
    assert talking in desk["unwritten"]
    assert "13800138" not in json.dumps(desk)


def test_pages_come_whole(
    agent: httpx.Client, chief: httpx.Client, enter: Callable[[str], httpx.Client], talking: str
) -> None:
    """What the first answer lacks would flash in later."""
    desk = agent.get("/desk").text
    for part in ("call-head joined", f"calls/{talking}/hang_up", "mood-path", "data-wrap", "cases/pull", "taboos"):
        assert part in desk, part
    assert f"/api/floor/calls/{talking}/supervise" in chief.get("/wall").text
    assert "/api/desk/calls" not in enter("lin").get("/desk").text
    assert "a1" in enter("demo").get("/people").text


@pytest.mark.parametrize(
    ("verb", "sent", "payload"),
    [
        ("accept", "accept", {"agent": "a1"}),
        ("decline", "decline", {"agent": "a1"}),
        ("hold", "agent_hold", {"on": True}),
        ("resume", "agent_hold", {"on": False}),
        ("three_way", "three_way", {"agent": "a1"}),
        ("end_consult", "end_consult", {"agent": "a1"}),
        ("hang_up", "hang_up", {"agent": "a1"}),
    ],
)
def test_buttons_become_commands(
    agent: httpx.Client, floor: Served, talking: str, verb: str, sent: str, payload: dict[str, object]
) -> None:
    assert agent.post(f"/api/desk/calls/{talking}/{verb}").status_code == 200
    assert commands(floor, sent)[-1] == (talking, payload)


@pytest.mark.parametrize("verb", ["consult", "transfer"])
def test_a_target_is_needed_where_somebody_is_rung(
    agent: httpx.Client, floor: Served, talking: str, verb: str
) -> None:
    path = f"/api/desk/calls/{talking}/{verb}"
    assert agent.post(path).status_code == 422
    assert agent.post(path, json={"target": " a2 "}).status_code == 200
    assert commands(floor, verb)[-1] == (talking, {"agent": "a1", "target": "a2"})


@pytest.mark.parametrize("target", ["01012345678", "sip:anybody@192.0.2.9", "+44870"])
def test_agents_ring_nobody_outside(agent: httpx.Client, floor: Served, talking: str, target: str) -> None:
    before = commands(floor, "transfer")
    refused = agent.post(f"/api/desk/calls/{talking}/transfer", json={"target": target})
    assert refused.status_code == 403 and "VOICEBOT_TRANSFER_TARGETS" in refused.json()["detail"]
    assert commands(floor, "transfer") == before


def test_nobody_commands_a_call_of_others(
    agent: httpx.Client, enter: Callable[[str], httpx.Client], talking: str
) -> None:
    other = enter("lin")
    assert other.post(f"/api/desk/calls/{talking}/hang_up").status_code == 409
    assert other.post(f"/api/desk/calls/{talking}/wrap-up", json={"code": "refusal"}).status_code == 409
    assert agent.post("/api/desk/calls/live-3/hang_up").status_code == 409
    assert agent.post(f"/api/desk/calls/{talking}/explode").status_code == 404
    assert enter("demo").post(f"/api/desk/calls/{talking}/hang_up").status_code == 409  # no agent of their own


def terms(**more: object) -> dict[str, object]:
    first = (day.morning().date() + 9 * DAY).isoformat()
    return {"case_id": "XH20260004", "agreement": "plan", "date": first, "count": 3, **more}


def test_the_calculator_shows_every_part_and_who_may_approve(
    agent: httpx.Client, enter: Callable[[str], httpx.Client]
) -> None:
    plan = agent.post("/api/desk/plan", json=terms(first_fen=300_000)).json()
    assert plan["allowed"] is True and plan["approver"] == "agent"
    assert [part["amount_fen"] for part in plan["parts"]] == [300_000, 201_000, 201_000]
    assert plan["total"] == "¥7,020"
    outside = agent.post("/api/desk/plan", json=terms(count=7)).json()
    assert outside["allowed"] is False and outside["approver"] == "supervisor"
    assert "最多 6 期" in outside["why"] and "主管" in outside["why"]
    assert enter("chen").post("/api/desk/plan", json=terms(count=7)).json()["allowed"] is True
    assert agent.post("/api/desk/plan", json=terms(date="2020-01-01")).status_code == 422
    assert agent.post("/api/desk/plan", json=terms(agreement="none")).status_code == 422
    assert agent.post("/api/desk/plan", json=terms(case_id="nobody")).status_code == 404


def test_a_wrap_up_is_written_once_and_within_authority(agent: httpx.Client, floor: Served, talking: str) -> None:
    path = f"/api/desk/calls/{talking}/wrap-up"
    entered = {**terms(), "code": "promise_to_pay", "notes": " 每月工资发后还 "}
    assert agent.post(path, json={**entered, "count": 9}).status_code == 403
    assert "主管" in agent.post(path, json={**entered, "count": 9}).json()["detail"]
    assert in_store(floor, lambda store: store.wrapups.of_call(talking)) == []
    at = (day.morning() + DAY).strftime("%Y-%m-%dT10:00")
    booked = {**entered, "callback_at": at, "callback_reason": "确认入账"}
    assert agent.post(path, json=booked).json() == {"written": True}
    assert agent.post(path, json=booked).json() == {"written": False}
    (written,) = in_store(floor, lambda store: store.wrapups.of_call(talking))
    assert written.notes == "每月工资发后还" and [part.amount_fen for part in written.parts] == [234_000] * 3
    mine = [one for one in agent.get("/api/desk/callbacks").json() if one["reason"] == "确认入账"]
    assert len(mine) == 1 and mine[0]["mine"] and mine[0]["at"].endswith(("T02:00:00Z", "T10:00:00+08:00"))
    assert talking not in agent.get("/api/desk").json()["unwritten"]


def test_cases_are_pulled_rung_and_given_back(agent: httpx.Client, enter: Callable[[str], httpx.Client]) -> None:
    other = enter("lin")
    pulled = agent.post("/api/desk/cases/pull").json()["case_id"]
    assert other.post(f"/api/desk/cases/{pulled}/pull").status_code == 409
    assert pulled in [case["case_id"] for case in agent.get("/api/desk/cases").json()]
    assert other.post(f"/api/desk/cases/{pulled}/ring").status_code == 409
    assert other.get(f"/api/desk/cases/{pulled}/permission").status_code == 409
    assert "promise-sum" in agent.get(f"/desk/cases/{pulled}").text
    assert "promise-sum" not in other.get(f"/desk/cases/{pulled}").text
    assert agent.post("/api/desk/plan", json=terms(case_id=pulled)).status_code == 200
    assert other.post("/api/desk/plan", json=terms(case_id=pulled)).status_code == 404, "no sums of others' cases"
    assert other.post(f"/api/desk/cases/{pulled}/give-back").status_code == 409
    assert agent.post(f"/api/desk/cases/{pulled}/give-back").status_code == 200
    assert other.post(f"/api/desk/cases/{pulled}/pull").status_code == 200


def test_ringing_asks_the_rulebook(enter: Callable[[str], httpx.Client], floor: Served) -> None:
    other = enter("lin")
    other.post("/api/desk/presence", json={"presence": "ready"})
    case = next(case["case_id"] for case in other.get("/api/desk/cases").json())
    verdict = other.get(f"/api/desk/cases/{case}/permission").json()
    answer = other.post(f"/api/desk/cases/{case}/ring")
    if verdict["allowed"]:
        worker, order = commands(floor, "dial")[-1]
        assert answer.status_code == 200 and worker.startswith("@")
        assert order["agent_id"] == "a2" and order["call_id"] == answer.json()["call_id"]
        assert other.post(f"/api/desk/cases/{case}/ring").status_code == 409
    else:  # the law's night: the rule and the time are named
        assert answer.status_code == 409
        assert verdict["rule"] in answer.json()["detail"] and "可以再试" in answer.json()["detail"]
        assert commands(floor, "dial") == []
    assert other.get("/api/desk/cases/nobody/permission").status_code == 404


def test_callbacks_are_taken_and_done_once(agent: httpx.Client, enter: Callable[[str], httpx.Client]) -> None:
    free = next(one for one in agent.get("/api/desk/callbacks").json() if not one["mine"])
    assert free["number_masked"].count("*") >= 3
    path = f"/api/desk/callbacks/{free['id']}"
    assert enter("lin").post(f"{path}/done").status_code == 409
    assert agent.post(f"{path}/take").status_code == 200
    assert enter("lin").post(f"{path}/take").status_code == 409
    assert [agent.post(f"{path}/done").status_code for _ in range(2)] == [200, 409]


def test_presence_says_why(agent: httpx.Client) -> None:
    assert agent.post("/api/desk/presence", json={"presence": "away", "note": "用餐"}).status_code == 200
    shown = agent.get("/api/desk").json()["agent"]
    assert (shown["presence"], shown["note"]) == ("away", "用餐")
    assert agent.post("/api/desk/presence", json={"presence": "busy"}).status_code == 422


def test_knowledge_is_found_by_word(agent: httpx.Client) -> None:
    found = agent.get("/api/desk/knowledge", params={"text": "征信"}).json()
    assert found[0]["id"] == "credit" and found[0]["never"]
    assert agent.get("/api/desk/knowledge", params={"text": "没有这个词"}).json() == []


def test_supervisors_join_calls_with_their_own_phone(chief: httpx.Client, floor: Served) -> None:
    for mode in ("listen", "whisper", "barge", "take_over", "leave"):
        assert chief.post("/api/floor/calls/live-3/supervise", json={"mode": mode}).status_code == 200
        assert commands(floor, "supervise")[-1] == ("live-3", {"agent": "s1", "mode": mode})
    assert chief.post("/api/floor/calls/live-3/supervise", json={"mode": "sing"}).status_code == 422
    assert chief.post("/api/floor/calls/call-0000/supervise", json={"mode": "listen"}).status_code == 404
    assert chief.post("/api/floor/calls/live-3/fetch-person", json={"skill": "care"}).status_code == 200
    assert commands(floor, "fetch_person")[-1] == ("live-3", {"reason": "supervisor", "skill": "care"})


def test_alerts_stay_until_they_are_seen(chief: httpx.Client, floor: Served) -> None:
    in_store(floor, lambda store: floor_day.trouble(store, day.morning(), "live-3"))
    shown = chief.get("/api/floor").json()
    assert [alert["kind"] for alert in shown["alerts"]] == ["danger", "gate"]
    assert shown["queue"][0]["urgent"] and {agent["id"] for agent in shown["agents"]} == {"a1", "a2", "a3", "s1"}
    for alert in shown["alerts"]:
        assert chief.post(f"/api/floor/alerts/{alert['id']}/acknowledge").status_code == 200
    assert chief.get("/api/floor").json()["alerts"] == []


def test_a_supervisor_sets_presence_and_an_agent_does_not(chief: httpx.Client, agent: httpx.Client) -> None:
    path = "/api/floor/agents/a3/presence"
    assert agent.post(path, json={"presence": "ready"}).status_code == 403
    assert agent.get("/wall").status_code == 403 and agent.get("/api/floor").status_code == 403
    assert chief.post(path, json={"presence": "away"}).status_code == 200
    assert chief.post("/api/floor/agents/nobody/presence", json={"presence": "away"}).status_code == 404


def test_somebody_new_sits_down_at_a_desk(enter: Callable[[str], httpx.Client], floor: Served) -> None:
    admin = enter("demo")
    seat = {"id": "a9", "name": "新同事", "address": "sip:1009@10.0.0.5", "skills": "general，care", "languages": ""}
    assert admin.post("/api/people/agents", json=seat).status_code == 200
    user = {"username": "xin", "role": "agent", "display_name": "新同事", "agent_id": "a9"}
    assert admin.post("/api/people/users", json={**user, "agent_id": "nobody"}).status_code == 422
    assert admin.post("/api/people/users", json=user).status_code == 200
    url = admin.post("/api/people/users/xin/link").json()["url"]
    with httpx.Client(base_url=floor.url, timeout=60) as stranger:
        token = httpx.URL(url).params["token"]
        assert stranger.get(url).status_code == 200
        assert stranger.post("/password", data={"token": token, "password": "short"}).status_code == 400
        assert stranger.post("/password", data={"token": token, "password": "long-enough-1"}).status_code == 303
        assert stranger.get("/api/desk").json()["agent"]["skills"] == ["general", "care"]
        again = stranger.post("/password", data={"token": token, "password": "other-enough-1"})
        assert again.status_code == 410
    assert admin.post("/api/people/users/xin/disable").status_code == 200
    with httpx.Client(base_url=floor.url, timeout=60) as locked:
        assert locked.post("/login", data={"username": "xin", "password": "long-enough-1"}).status_code == 401


def test_the_last_administrator_cannot_lock_themself_out(enter: Callable[[str], httpx.Client]) -> None:
    admin = enter("demo")
    assert admin.post("/api/people/users/demo/disable").status_code == 409
    assert admin.post("/api/people/users", json={"username": "demo", "role": "agent"}).status_code == 422
    assert admin.post("/api/people/users/nobody/link").status_code == 404
    assert admin.post("/api/people/agents", json={"id": "a b", "name": "x", "address": "sip:1@h"}).status_code == 422
    assert admin.post("/api/people/agents", json={"id": "ab", "name": "x", "address": "no phone"}).status_code == 422
