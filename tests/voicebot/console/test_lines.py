"""The page of lines: what the files of the lines say, over all of them, in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from voicebot.console.line_api import line_routes
from voicebot.console.line_view import line_view
from voicebot.console.line_words import LINE_TEXTS
from voicebot.console.pages.lines import lines_markup
from voicebot.console.settings import ConsoleSettings
from voicebot.console.words import Words
from voicebot.telemetry.process_figures import LineFigures, write_figures
from voicebot.telephony.leg import Ended
from voicebot.telephony.trunk import Trunk
from voicebot.telephony.trunk_choice import Registered
from voicebot.telephony.trunk_desk import TrunkDesk
from voicebot.telephony.trunk_figures import trunk_figures


class Line:
    """One line whose trunks the test uses, on a clock of its own."""

    def __init__(self, *trunks: Trunk) -> None:
        self.now = 100.0
        self.desk = TrunkDesk(trunks, lambda: self.now, lambda: 0.0)

    def write(self, home: Path, worker: int, **more: object) -> None:
        trunks = tuple(asdict(one) for one in trunk_figures(self.desk, lambda: self.now, lambda: 1_800_000_000.0))
        late = (("0.02", 90), ("0.04", 98), ("+Inf", 100))
        write_figures(home, worker, LineFigures(late, 0.1, True, 0.012, 0, trunks=trunks, **more))  # type: ignore[arg-type]


CARRIER = Trunk("carrier", "192.0.2.1", max_calls=5, calls_per_second=2.0)


def test_a_trunk_is_shown_over_all_lines(tmp_path: Path) -> None:
    first, second = Line(CARRIER), Line(CARRIER)
    for line in (first, second):
        line.desk.sent(CARRIER)
        line.desk.rang(CARRIER, answered=True)
        line.desk.sent(CARRIER)
        line.desk.received(CARRIER)
    second.desk.over(CARRIER, Ended("remote", 503, "Service Unavailable", None, 30), rung=False)
    first.write(tmp_path, 0, calls=2)
    second.write(tmp_path, 1, admits=False, overloads=3)
    view = line_view(tmp_path)
    (trunk,) = view.trunks
    assert (trunk.used, trunk.channels, trunk.tried, trunk.answered, trunk.failed, trunk.inbound) == (5, 10, 4, 2, 1, 2)
    assert trunk.state == "up", "one line can still use it"
    assert (trunk.answer_rate, trunk.per_second, trunk.most_per_second) == (0.5, pytest.approx(0.4), 4.0)
    assert trunk.last_failure == "503 Service Unavailable"
    assert trunk.last_failure_at == dt.datetime.fromtimestamp(1_800_000_000, dt.UTC)
    assert [(worker.admits, worker.overloads, worker.late_share) for worker in view.workers] == [
        (True, 0, pytest.approx(0.02)),
        (False, 3, pytest.approx(0.02)),
    ]
    shown = lines_markup(Words("zh"), view)
    assert all(text in shown for text in ("carrier", "5/10", "50%", "503 Service Unavailable", "过载 3 次", "正常"))


def test_states_in_words(tmp_path: Path) -> None:
    trunks = [Trunk(name, "192.0.2.1") for name in ("down", "paused", "unregistered")]
    line = Line(*trunks)
    for _ in range(2):
        line.desk.probed(trunks[0], False)
    line.desk.over(trunks[1], Ended("remote", 503, "Busy", None, 60), rung=False)
    line.desk.registered(trunks[2], Registered.FAILED, "403 Forbidden")
    line.write(tmp_path, 0)
    view = line_view(tmp_path)
    assert [trunk.state for trunk in view.trunks] == ["down", "paused", "unregistered"]
    shown = lines_markup(Words("zh"), view)
    assert all(text in shown for text in ("无响应", "暂停 60 秒", "未注册", "注册失败", "REGISTER: 403 Forbidden"))


def test_what_a_carrier_says_is_not_taken_for_markup(tmp_path: Path) -> None:
    line = Line(CARRIER)
    line.desk.over(CARRIER, Ended("remote", 500, "<script>alert(1)</script>"), rung=False)
    line.write(tmp_path, 0)
    assert "<script>" not in lines_markup(Words("zh"), line_view(tmp_path))


def test_nothing_to_show(tmp_path: Path) -> None:
    for home in (None, tmp_path):
        assert "没有线路数据" in lines_markup(Words("zh"), line_view(home))
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "line-0.json").write_text('{"late": 3, "trunks": [1, {"name": "x", "state": 7}]}')
    view = line_view(tmp_path)
    assert [trunk.name for trunk in view.trunks] == ["x"] and lines_markup(Words("en"), view)


def test_every_text_has_both_languages() -> None:
    assert all(len(pair) == 2 and all(pair) for pair in LINE_TEXTS.values())


async def test_programs_read_the_same(tmp_path: Path) -> None:
    line = Line(CARRIER)
    line.desk.sent(CARRIER)
    line.desk.rang(CARRIER, answered=True)
    line.write(tmp_path, 0, calls=1)
    app = FastAPI()
    app.include_router(line_routes(ConsoleSettings(home=tmp_path)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
        said = (await client.get("/api/lines")).json()
    assert said["workers"][0]["calls"] == 1
    assert (said["trunks"][0]["name"], said["trunks"][0]["answer_rate"]) == ("carrier", 1.0)
