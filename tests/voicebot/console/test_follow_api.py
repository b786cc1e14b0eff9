"""Promises, tickets, messages and webhooks over HTTP; and what gateways may tell us."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.voicebot.console import day, follow_day
from tests.voicebot.console.served import Served, serving
from voicebot.console.follow_api import _elements
from voicebot.console.follow_words import FOLLOW_TEXTS
from voicebot.domain.message import MessageState
from voicebot.domain.ticket import Decision, TicketKind


@pytest.fixture(scope="module")
def served(postgres: str) -> Iterator[Served]:
    with serving(postgres, past_calls=1, follow=True) as served:
        yield served


@pytest.fixture(scope="module")
def enter(served: Served) -> Iterator[Callable[[str], httpx.Client]]:
    clients: dict[str, httpx.Client] = {}

    def client_of(username: str) -> httpx.Client:
        if username not in clients:
            clients[username] = httpx.Client(base_url=served.url, timeout=60)
            form = {"username": username, "password": day.PASSWORD}
            assert clients[username].post("/login", data=form).status_code == 303
        return clients[username]

    yield client_of
    for client in clients.values():
        client.close()


def signed(body: bytes, secret: str = follow_day.SECRET, late: int = 0) -> dict[str, str]:
    stamp = str(int(time.time()) - late)
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"X-Voicebot-Timestamp": stamp, "X-Voicebot-Signature": f"sha256={digest}"}


def test_a_month_adds_up_and_no_other_exists(enter: Callable[[str], httpx.Client]) -> None:
    days = enter("demo").get("/api/promises").json()
    assert len(days) in (28, 29, 30, 31)
    promises = [promise for each in days for promise in each["promises"]]
    assert len(promises) >= 8
    for each in days:
        assert each["promised_fen"] == sum(promise["amount_fen"] for promise in each["promises"])
        assert each["broken_fen"] + each["paid_fen"] <= each["promised_fen"]
    for wrong in ("2026-13", "0001-01"):
        assert enter("demo").get(f"/api/promises?month={wrong}").status_code == 422
    assert enter("demo").get("/promises?month=nonsense&day=x").status_code == 200


def test_an_agent_works_on_their_own_tickets_alone(enter: Callable[[str], httpx.Client]) -> None:
    every = enter("sun").get("/api/tickets").json()
    mine = enter("amy").get("/api/tickets").json()
    assert {ticket["owner"] for ticket in mine} == {"amy"} and len(every) > len(mine)
    other = next(ticket["id"] for ticket in every if ticket["owner"] == "sun")
    assert enter("amy").get(f"/api/tickets/{other}").status_code == 403
    assert enter("amy").get(f"/tickets/{other}").status_code == 403
    assert enter("amy").post(f"/api/tickets/{other}/close", json={"decision": "resume", "text": "x"}).status_code == 403
    assert enter("qa").get("/api/tickets").status_code == 403


def test_a_ticket_is_noted_handed_over_and_closed_with_a_reason(enter: Callable[[str], httpx.Client]) -> None:
    amy = enter("amy")
    ticket = next(one for one in amy.get("/api/tickets").json() if one["kind"] == "hardship")
    base = f"/api/tickets/{ticket['id']}"
    assert amy.post(f"{base}/notes", json={"text": "已回电，客户下月复工"}).status_code == 200
    assert amy.post(f"{base}/close", json={"decision": "resume", "text": " "}).status_code == 422
    past = {"decision": "rest", "text": "等复工", "rest_until": "2020-01-01"}
    assert amy.post(f"{base}/close", json=past).status_code == 422
    assert amy.post(f"{base}/owner", json={"owner": "nobody"}).status_code == 422
    case = f"/api/cases/{ticket['case_id']}"
    assert amy.post(f"{base}/close", json={"decision": "resume", "text": "已约定", "rest_until": ""}).status_code == 200
    assert amy.post(f"{base}/close", json={"decision": "resume", "text": "again"}).status_code == 422
    after = enter("demo").get(base).json()
    assert (after["state"], after["decision"]) == ("closed", "resume")
    assert [note["text"] for note in after["notes"]][1:] == ["已回电，客户下月复工", "已约定"]
    assert enter("demo").get(case).status_code == 200
    assert enter("demo").get("/api/tickets/999999").status_code == 404


def test_a_gateway_reports_signed_and_nobody_else(served: Served, enter: Callable[[str], httpx.Client]) -> None:
    sent = next(one for one in enter("demo").get("/api/messages").json() if one["state"] == "sent")
    body = json.dumps({"key": f"voicebot-{sent['id']}", "state": "delivered"}).encode()
    url = f"{served.url}/api/messages/receipts"
    for headers in ({}, signed(body, "another secret of 32 characters!"), signed(body, late=600)):
        assert httpx.post(url, timeout=60, content=body, headers=headers).status_code == 401
    assert httpx.post(url, timeout=60, content=body, headers=signed(body)).json() == {"known": True, "stopped": False}
    after = next(one for one in enter("demo").get("/api/messages").json() if one["id"] == sent["id"])
    assert after["state"] == "delivered" and "***" in after["to_masked"]
    for wrong in (b"", b"[]", b'{"key": "voicebot-1"}', b'{"key": "x", "state": "read"}'):
        assert httpx.post(url, timeout=60, content=wrong, headers=signed(wrong)).status_code == 422
    unknown = b'{"id": "nobody", "state": "failed"}'
    assert httpx.post(url, timeout=60, content=unknown, headers=signed(unknown)).json()["known"] is False


def test_who_answers_stop_is_left_alone_and_who_answers_else_is_not(served: Served) -> None:
    url = f"{served.url}/api/messages/receipts"
    for text, stopped in (("退订", True), ("td", True), ("T。", True), ("Thanks", False), ("好的", False)):
        body = json.dumps({"from": "+8613800000777", "text": text}).encode()
        assert httpx.post(url, timeout=60, content=body, headers=signed(body)).json()["stopped"] is stopped, text


def test_wechat_is_known_by_its_token(served: Served) -> None:
    url, nonce = f"{served.url}/api/messages/wechat", {"timestamp": "1795488600", "nonce": "n"}
    digest = hashlib.sha1("".join(sorted(("a token for tests", *nonce.values()))).encode()).hexdigest()
    good = {**nonce, "signature": digest}
    assert httpx.get(url, timeout=60, params={**good, "echostr": "hello"}).text == "hello"
    assert httpx.get(url, timeout=60, params={**nonce, "signature": "0" * 40, "echostr": "hello"}).status_code == 401
    event = "<xml><FromUserName><![CDATA[openid-9]]></FromUserName><Event><![CDATA[unsubscribe]]></Event></xml>"
    assert httpx.post(url, timeout=60, params=good, content=event.encode()).text == "success"
    assert httpx.post(url, timeout=60, params=good, content=b"\xff<xml>").text == "success"


def test_the_events_of_wechat_are_read_flat() -> None:
    told = _elements(b"<xml><MsgID>200163836</MsgID><Status><![CDATA[failed:user block]]></Status></xml>")
    assert told == {"MsgID": "200163836", "Status": "failed:user block"}


def test_webhooks_are_for_administrators_and_keep_their_secret(enter: Callable[[str], httpx.Client]) -> None:
    demo = enter("demo")
    wanted = {"name": "bank", "url": "http://127.0.0.1:9/x", "events": "payment.received, promise.kept"}
    assert enter("sun").post("/api/webhooks", json=wanted).status_code == 403
    made = demo.post("/api/webhooks", json=wanted)
    assert made.status_code == 201 and len(made.json()["secret"]) >= 32
    changed = demo.post("/api/webhooks", json={**wanted, "events": ["complaint"]}).json()
    assert changed["secret"] == made.json()["secret"]
    listed = {hook["name"]: hook for hook in demo.get("/api/webhooks").json()}
    assert listed["bank"]["events"] == ["complaint"] and listed["bank"]["secret"] is None
    for wrong in ({"url": "ftp://x"}, {"events": ["lunch"]}, {"secret": "short"}, {"name": "a b"}):
        assert demo.post("/api/webhooks", json={**wanted, **wrong}).status_code == 422
    assert demo.post("/api/webhooks/bank/test").status_code == 200
    dead = demo.get("/api/webhooks/deliveries?state=dead").json()
    assert [one["event"] for one in dead] == ["complaint"]
    assert demo.post("/api/webhooks/crm/replay").json() == {"count": 1}
    assert demo.post("/api/webhooks/nobody/replay").status_code == 404
    assert demo.post("/api/webhooks/bank/remove").status_code == 200


@pytest.mark.parametrize("path", ["/promises", "/tickets", "/tickets/1", "/messages", "/tickets?state=closed"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_open_in_both_languages(enter: Callable[[str], httpx.Client], path: str, language: str) -> None:
    enter("demo").cookies.set("voicebot_lang", language)
    answer = enter("demo").get(path)
    assert answer.status_code == 200 and "<title>" in answer.text


def test_every_state_and_kind_has_words() -> None:
    assert all(len(pair) == 2 and all(pair) for pair in FOLLOW_TEXTS.values())
    wanted = [f"message.{state.value}" for state in MessageState] + [f"ticket.{kind.value}" for kind in TicketKind]
    assert set(wanted) | {f"decision.{one.value}" for one in Decision} <= set(FOLLOW_TEXTS)
