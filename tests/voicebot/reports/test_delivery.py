"""Reports go out once their period is over, once, with their files; what fails is tried again."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Sequence

import pytest
from openpyxl import load_workbook

from voicebot.domain.clock import SHANGHAI, FixedClock
from voicebot.domain.counted import CallSetting
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.report import Period, ReportFilter
from voicebot.domain.report_plan import ReportPlan, last_period
from voicebot.messages.channel import GatewayAway
from voicebot.messages.email import Attachment
from voicebot.reports.book import as_json, read_book
from voicebot.reports.counting import count_call
from voicebot.reports.delivery import Delivery, attachments
from voicebot.reports.paper import embeds
from voicebot.store import Store

MONDAY = dt.datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
PLAN = ReportPlan(0, "周报", Period.WEEK, ("xlsx", "pdf"), ("a@example.org", "b@example.org"), 8, "demo")


class Post:
    """A mail server that notes what it is given, or is away."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str, tuple[Attachment, ...], str]] = []
        self.away = False

    async def send_document(
        self, to: str, subject: str, text: str, attachments: Sequence[Attachment] = (), *, key: str, foot: str = ""
    ) -> str:
        if self.away:
            raise GatewayAway("the mail server does not answer")
        self.sent.append((to, subject, text, tuple(attachments), key))
        return key


def counted(index: int, day: int) -> CallSetting:
    at = dt.datetime(2026, 11, day, 10, index, tzinfo=SHANGHAI)
    return CallSetting(f"c{index}", "outbound", at, "reminder", region="广东", age=30, overdue_days=3, checked=True)


async def week(store: Store) -> None:
    told = ((FactKind.ANSWERED, {}), (FactKind.HEARD, {}), (FactKind.DECIDED, {"from_node": "a", "to_node": "debt"}))
    facts = [Fact(seq, MONDAY.isoformat(), 900 * seq, kind, data) for seq, (kind, data) in enumerate(told)]
    await store.report_calls.put([count_call(counted(index, 16 + index), facts) for index in range(4)])


async def test_a_weekly_report_goes_to_everybody_once(store: Store) -> None:
    await week(store)
    await store.report_plans.add(PLAN, MONDAY)
    post = Post()
    delivery = Delivery(store, post, FixedClock(MONDAY))
    assert await delivery.send_due() == 1
    assert [sent[0] for sent in post.sent] == ["a@example.org", "b@example.org"]
    _, subject, text, files, key = post.sent[0]
    assert "2026-11-16" in subject and "2026-11-22" in subject
    assert "接通率：100.0%（4 / 4）" in text
    assert [file.name.rpartition(".")[2] for file in files] == ["xlsx", "pdf"]
    assert key != post.sent[1][4]
    assert await delivery.send_due() == 0


async def test_a_server_that_is_away_is_tried_again_later(store: Store) -> None:
    await store.report_plans.add(PLAN, MONDAY)
    post, clock = Post(), FixedClock(MONDAY)
    post.away = True
    delivery = Delivery(store, post, clock)
    assert await delivery.send_due() == 0
    (plan,) = await store.report_plans.all()
    assert (plan.failures, plan.sent_for) == (1, None)
    post.away = False
    assert await delivery.send_due() == 0, "not at once"
    clock.advance(dt.timedelta(minutes=16))
    assert await delivery.send_due() == 1
    (plan,) = await store.report_plans.all()
    assert (plan.failures, plan.why, plan.sent_for) == (0, "", dt.date(2026, 11, 22))


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [(Period.DAY, (2026, 11, 22), (2026, 11, 22)), (Period.WEEK, (2026, 11, 16), (2026, 11, 22)),
     (Period.MONTH, (2026, 10, 1), (2026, 10, 31))],
)  # fmt: skip
def test_the_period_before_today(period: Period, first: tuple[int, int, int], last: tuple[int, int, int]) -> None:
    assert last_period(period, MONDAY.date()) == (dt.date(*first), dt.date(*last))


def test_nothing_is_due_before_its_hour() -> None:
    assert PLAN.due(MONDAY.replace(hour=7)) is None
    assert PLAN.due(MONDAY.replace(hour=8)) == (dt.date(2026, 11, 16), dt.date(2026, 11, 22))
    assert PLAN.due(MONDAY + dt.timedelta(days=2, hours=-6)) is not None, "late is better than never"


async def test_the_files_hold_the_figures(store: Store) -> None:
    await week(store)
    book = await read_book(store, ReportFilter(dt.date(2026, 11, 16), dt.date(2026, 11, 22)))
    xlsx, pdf = attachments(book, ("xlsx", "pdf"))
    workbook = load_workbook(io.BytesIO(xlsx.data))
    sheet = workbook["指标"]
    row = next(row for row in sheet.iter_rows(values_only=True) if row[0] == "接通率")
    assert row[2:5] == (1.0, 4, 4)
    with zipfile.ZipFile(io.BytesIO(xlsx.data)) as archive:
        assert sum("charts/chart" in name for name in archive.namelist()) >= 3
    assert pdf.data.startswith(b"%PDF-")
    assert (b"/FontFile2" in pdf.data) is embeds(), "Chinese is left to whatever font the reader has"
    assert attachments(book, ("pdf",))[0].data == pdf.data, "the same report is the same file"
    told = as_json(book)
    assert told["figures"]["connect"]["numerator"] == 4  # type: ignore[index]
