"""The page of lines: what workers and controls say of themselves, over all of them, in words."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from voicebot.console.gate import ACCOUNT
from voicebot.console.line_api import line_routes
from voicebot.console.line_view import line_view
from voicebot.console.line_words import LINE_TEXTS
from voicebot.console.pages.lines import lines_markup
from voicebot.console.queries import Account
from voicebot.console.store_data import StoreData
from voicebot.console.words import Words
from voicebot.domain.fleet import Beat, ControlSeen, Joining, WorkerSeen, WorkerState
from voicebot.store import Store
from voicebot.telemetry.process_figures import LineFigures
from voicebot.telephony.leg import Ended
from voicebot.telephony.trunk import Trunk
from voicebot.telephony.trunk_choice import Registered
from voicebot.telephony.trunk_desk import TrunkDesk
from voicebot.telephony.trunk_figures import trunk_figures


def worker(name: str, calls: int, state: str, skew_ms: int, figures: dict[str, object]) -> WorkerSeen:
    return WorkerSeen(
        name=name, machine=name.rpartition("-")[0], state=WorkerState(state), epoch=1, version="1.0", schema="0024",
        sip="192.0.2.7:5060", joined_at=NOON, seen_at=NOON, age_s=0.6, calls=calls, most=40, may_dial=True,
        drain=state == "draining", drain_by="", skew_ms=skew_ms, figures=figures,
    )  # fmt: skip


class Line:
    """One line whose trunks the test uses, on a clock of its own."""

    def __init__(self, *trunks: Trunk) -> None:
        self.now = 100.0
        self.desk = TrunkDesk(trunks, lambda: self.now, lambda: 0.0)

    def seen(
        self, name: str = "berg-0", calls: int = 0, state: str = "up", skew_ms: int = 0, **more: object
    ) -> WorkerSeen:
        trunks = tuple(asdict(one) for one in trunk_figures(self.desk, lambda: self.now, lambda: 1_800_000_000.0))
        late = (("0.02", 90), ("0.04", 98), ("+Inf", 100))
        figures = LineFigures(late, 0.1, True, 0.012, 0, trunks=trunks, **more)  # type: ignore[arg-type]
        return worker(name, calls, state, skew_ms, json.loads(json.dumps(asdict(figures))))


NOON = dt.datetime(2026, 11, 24, 4, tzinfo=dt.UTC)
CARRIER = Trunk("carrier", "192.0.2.1", max_calls=5, calls_per_second=2.0)


def test_a_trunk_is_shown_over_all_lines() -> None:
    first, second = Line(CARRIER), Line(CARRIER)
    for line in (first, second):
        line.desk.sent(CARRIER)
        line.desk.rang(CARRIER, answered=True)
        line.desk.sent(CARRIER)
        line.desk.received(CARRIER)
    second.desk.over(CARRIER, Ended("remote", 503, "Service Unavailable", None, 30), rung=False)
    third = Line(CARRIER)
    third.desk.sent(CARRIER)
    view = line_view([
        first.seen("a-0", 2), second.seen("b-0", admits=False, overloads=3), third.seen("c-0", state="gone"),
    ])  # fmt: skip
    (trunk,) = view.trunks
    assert (trunk.used, trunk.channels, trunk.tried, trunk.answered, trunk.failed, trunk.inbound) == (5, 10, 4, 2, 1, 2)
    assert trunk.state == "up", "one line can still use it"
    assert (trunk.answer_rate, trunk.per_second, trunk.most_per_second) == (0.5, pytest.approx(0.4), 4.0)
    assert trunk.last_failure == "503 Service Unavailable"
    assert trunk.last_failure_at == dt.datetime.fromtimestamp(1_800_000_000, dt.UTC)
    assert [(worker.admits, worker.overloads, worker.late_share) for worker in view.workers] == [
        (True, 0, pytest.approx(0.02)),
        (False, 3, pytest.approx(0.02)),
        (True, 0, pytest.approx(0.02)),
    ]
    shown = lines_markup(Words("zh"), view)
    said = ("carrier", "5/10", "50%", "503 Service Unavailable", "过载 3 次", "正常", "失去联系")
    assert all(text in shown for text in said)


def test_states_in_words() -> None:
    trunks = [Trunk(name, "192.0.2.1") for name in ("down", "paused", "unregistered")]
    line = Line(*trunks)
    for _ in range(2):
        line.desk.probed(trunks[0], False)
    line.desk.over(trunks[1], Ended("remote", 503, "Busy", None, 60), rung=False)
    line.desk.registered(trunks[2], Registered.FAILED, "403 Forbidden")
    view = line_view([line.seen()])
    assert [trunk.state for trunk in view.trunks] == ["down", "paused", "unregistered"]
    shown = lines_markup(Words("zh"), view)
    assert all(text in shown for text in ("无响应", "暂停 60 秒", "未注册", "注册失败", "REGISTER: 403 Forbidden"))


def test_what_a_carrier_says_is_not_taken_for_markup() -> None:
    line = Line(CARRIER)
    line.desk.over(CARRIER, Ended("remote", 500, "<script>alert(1)</script>"), rung=False)
    assert "<script>" not in lines_markup(Words("zh"), line_view([line.seen()]))


def test_nothing_to_show() -> None:
    assert "没有线路数据" in lines_markup(Words("zh"), line_view([]))
    odd = worker("berg-0", 0, "up", 0, {"late": 3, "trunks": [1, {"name": "x", "state": 7}]})
    view = line_view([odd])
    assert [trunk.name for trunk in view.trunks] == ["x"] and lines_markup(Words("en"), view)


@pytest.mark.parametrize(
    ("state", "calls", "skew_ms", "said", "unsaid"),
    [
        ("up", 3, 0, ("运行中", "3/40", "workers/berg-0/drain"), ("时钟",)),
        ("draining", 2, 0, ("排空中", "workers/berg-0/resume"), ("可以停机",)),
        ("draining", 0, 0, ("已排空，可以停机",), ("排空中",)),
        ("gone", 0, 0, ("失去联系",), ("data-post",)),
        ("up", 0, 2500, ("时钟 +2.5 秒", "chip dot warn"), ()),
        ("up", 0, -31_000, ("时钟 -31.0 秒", "chip dot bad"), ()),
    ],
)
def test_a_worker_in_words(
    state: str, calls: int, skew_ms: int, said: tuple[str, ...], unsaid: tuple[str, ...]
) -> None:
    shown = lines_markup(Words("zh"), line_view([Line().seen("berg-0", calls, state, skew_ms)]))
    assert all(text in shown for text in said) and not any(text in shown for text in unsaid)


def test_who_dials_and_who_stands_by() -> None:
    seen = [ControlSeen(name, "1.0", "0024", "h:1", leads, NOON, age, 0)
            for name, leads, age in (("a", True, 0.5), ("b", False, 0.5), ("c", True, 60.0))]  # fmt: skip
    view = line_view([Line().seen()], seen)
    assert [control.role for control in view.controls] == ["leads", "stands_by", "silent"]
    shown = lines_markup(Words("zh"), view)
    assert all(text in shown for text in ("正在拨号", "待命", "失去联系"))


def test_every_text_has_both_languages() -> None:
    assert all(len(pair) == 2 and all(pair) for pair in LINE_TEXTS.values())


async def test_programs_read_the_same_and_drain(store: Store) -> None:
    line = Line(CARRIER)
    line.desk.sent(CARRIER)
    line.desk.rang(CARRIER, answered=True)
    epoch = await store.workers.join(Joining("berg-0", "berg", "h", "l", "1.0", "0024"))
    await store.workers.beat("berg-0", epoch, Beat(1, 40, True, 0, line.seen().figures))
    app = FastAPI()
    app.include_router(line_routes(StoreData(store)))

    @app.middleware("http")
    async def as_operator(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        request.scope[ACCOUNT] = Account("op", "operator")
        return await call_next(request)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
        said = (await client.get("/api/lines")).json()
        assert said["workers"][0]["calls"] == 1
        assert (said["trunks"][0]["name"], said["trunks"][0]["answer_rate"]) == ("carrier", 1.0)
        assert (await client.post("/api/workers/berg/drain")).status_code == 200
        (seen,) = await store.workers.all()
        assert seen.drain and seen.drain_by == "op"
        assert (await client.post("/api/workers/berg-0/resume")).status_code == 200
        assert not (await store.workers.all())[0].drain
        assert (await client.post("/api/workers/nobody/drain")).status_code == 404
