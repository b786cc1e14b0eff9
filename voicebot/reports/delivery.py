"""Delivery: reports go out by e-mail when their day, week or month is over, once each."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from typing import Protocol

import structlog

from voicebot.domain.clock import Clock
from voicebot.domain.report import Period, ReportFilter
from voicebot.domain.report_plan import ReportPlan
from voicebot.messages.channel import GatewayAway, Undeliverable
from voicebot.messages.email import Attachment
from voicebot.reports.book import Book, read_book
from voicebot.reports.figures import FIGURES
from voicebot.reports.paper import paper
from voicebot.reports.reading import shown
from voicebot.reports.spreadsheet import spreadsheet
from voicebot.reports.titles import title
from voicebot.store.database import is_away
from voicebot.store.store import Store

log = structlog.get_logger(__name__)

LOOK_S = 60.0
AGAIN = dt.timedelta(minutes=15)
"""How long after a failure it is tried again."""
_SHAPES = {Period.DAY: Period.DAY, Period.WEEK: Period.DAY, Period.MONTH: Period.WEEK}
"""By what the trend of a report is drawn."""
_TOLD = ("connect", "human_contact", "rpc_debtors", "promise_rate", "kept", "recovery", "complaint_rate",
         "violation_rate", "coverage")  # fmt: skip
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Mail(Protocol):
    """The e-mail channel of voicebot/messages, or another one."""

    async def send_document(
        self, to: str, subject: str, text: str, attachments: Sequence[Attachment] = (), *, key: str, foot: str = ""
    ) -> str: ...


class Delivery:
    """Looks for reports that are due every minute; one that fails is tried again and says why on the page."""

    def __init__(self, store: Store, mail: Mail, clock: Clock) -> None:
        self._store = store
        self._mail = mail
        self._clock = clock

    async def run(self) -> None:
        while True:
            try:
                await self.send_due()
            except Exception as error:
                if not is_away(error):
                    log.exception("reports could not be sent")
            await asyncio.sleep(LOOK_S)

    async def send_due(self) -> int:
        """Send what is due; how many reports went out to everybody."""
        sent = 0
        for plan in await self._store.report_plans.all():
            now = self._clock.now()
            due = plan.due(now)
            if due is None or (plan.failures and plan.tried_at and now - plan.tried_at < AGAIN):
                continue
            try:
                await self._send(plan, *due)
            except (GatewayAway, Undeliverable) as error:
                log.warning("a report was not sent", plan=plan.id, reason=str(error))
                await self._store.report_plans.failed(plan.id, str(error), now)
                continue
            await self._store.report_plans.sent(plan.id, due[1], now)
            log.info("report sent", plan=plan.id, until=due[1].isoformat(), recipients=len(plan.recipients))
            sent += 1
        return sent

    async def _send(self, plan: ReportPlan, first: dt.date, last: dt.date) -> None:
        book = await read_book(self._store, ReportFilter(first, last, plan.filters), _SHAPES[plan.period])
        files = await asyncio.to_thread(attachments, book, plan.formats)
        subject = f"{plan.name}　{first} – {last}" if first != last else f"{plan.name}　{first}"
        for index, to in enumerate(plan.recipients):
            # The same key makes the same Message-ID: somebody who had it already gets no second one that looks new.
            key = f"report-{plan.id}-{last:%Y%m%d}-{index}"
            await self._mail.send_document(to, subject, told(book), files, key=key)


def attachments(book: Book, formats: Sequence[str]) -> list[Attachment]:
    """The report as files, in the formats wanted."""
    name = f"voicebot-{book.wanted.since}-{book.wanted.until}"
    found = []
    if "xlsx" in formats:
        found.append(Attachment(f"{name}.xlsx", _XLSX, spreadsheet(book)))
    if "pdf" in formats:
        found.append(Attachment(f"{name}.pdf", "application/pdf", paper(book)))
    return found


def told(book: Book) -> str:
    """The text of the e-mail: the figures that matter most, with their parts."""
    lines = [f"{title('report')}  {book.wanted.since} – {book.wanted.until}", ""]
    for name in _TOLD:
        figure, ratio = FIGURES[name], book.figures[name]
        lines.append(f"{figure.zh}：{shown(figure, ratio)}（{ratio.numerator:,} / {ratio.denominator:,}）")
    return "\n".join(lines)
