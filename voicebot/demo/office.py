"""Office: the desk work of a demonstration, as tables: what the file held, its segments, and what follows the calls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from voicebot.cases.importer import ImportReport
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.segment import Ladder, Portrait
from voicebot.domain.ticket import TicketKind
from voicebot.store.store import Store

TICKETS = {
    TicketKind.HARDSHIP: "困难协商",
    TicketKind.DISPUTE: "争议核实",
    TicketKind.COMPLAINT: "投诉处理",
    TicketKind.FRAUD: "冒名核查",
    TicketKind.VULNERABLE: "特殊关怀",
    TicketKind.DANGER: "紧急关怀",
    TicketKind.BROKEN_PROMISE: "失约跟进",
    TicketKind.WRONG_NUMBER: "号码核实",
}
PROMISE = "承诺还款"
BAR = 24
"""Columns of the longest bar."""


def show_import(report: ImportReport, file: str, console: Console) -> None:
    """What was taken, and every row that was not, with what to do about it."""
    console.print(
        f"[bold]① 导入[/] {file}：新案件 [green]{report.imported}[/] · 重复 {report.duplicates}"
        f" · 退回 [yellow]{len(report.rejected)}[/]"
    )
    for rejection in report.rejected:
        console.print(f"   [yellow]第 {rejection.row} 行[/] {rejection.column} {rejection.value!r}：{rejection.reason}")


def show_segments(portrait: Portrait, ladder: Ladder, console: Console) -> None:
    """How many cases lie in each stage, drawn."""
    titles = {stage.id: stage.title for stage in ladder.stages}
    console.print(f"[bold]② 分群[/] {portrait.cases} 个案件，共 {_yuan(portrait.amount_fen)} 元")
    most = max((share.cases for share in portrait.by_stage), default=1)
    for share in portrait.by_stage:
        if share.cases:
            bar = "█" * max(1, share.cases * BAR // most)
            console.print(
                f"   {share.id:<4}{titles[share.id]}  [cyan]{bar}[/] {share.cases} 个，{_yuan(share.amount_fen)} 元"
            )
    console.print("[bold]③ 拨打[/]")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What is to be done about a case after its call."""

    name: str
    what: str
    when: dt.date | dt.datetime | None
    detail: str = ""


async def follow_ups(store: Store, names: dict[str, str]) -> list[FollowUp]:
    """Promises, callbacks, tickets and messages that the calls left, by the names of the cases."""
    found: list[FollowUp] = []
    for case_id, name in names.items():
        for promise in await store.promises.of_case(case_id):
            found.append(FollowUp(name, PROMISE, promise.date, f"{_yuan(promise.amount_fen)} 元"))
        for ticket in await store.tickets.of_case(case_id):
            found.append(FollowUp(name, "工单", ticket.deadline, TICKETS[ticket.kind]))
        for message in await store.outbox.of_case(case_id):
            found.append(FollowUp(name, "消息", message.not_before, message.kind))
    for callback in await store.promises.callbacks():
        if callback.case_id in names:
            found.append(FollowUp(names[callback.case_id], "回电", callback.at, callback.reason))
    return sorted(found, key=lambda one: (one.name, one.what))


def show_follow_ups(found: Sequence[FollowUp], console: Console) -> None:
    """The work that is left, a line each."""
    console.print(f"\n[bold]④ 跟进[/] {len(found)} 项")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for one in found:
        when = one.when.astimezone(SHANGHAI) if isinstance(one.when, dt.datetime) else one.when
        shown = "" if when is None else f"{when:%m-%d %H:%M}" if isinstance(when, dt.datetime) else f"{when:%m-%d}"
        table.add_row("  ", one.name, f"[cyan]{one.what}[/]", shown, one.detail)
    console.print(table)


def _yuan(fen: int) -> str:
    return f"{fen / 100:,.2f}"
