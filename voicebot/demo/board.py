"""Board: what a person sees of the demonstration in the terminal, while it runs and at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console, Group
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from voicebot.demo.persona import Persona
from voicebot.demo.results import DemoCall
from voicebot.domain.journal import FactKind
from voicebot.domain.outcome import Disposition
from voicebot.domain.records import CallRecord, LiveFact

NAMES = {
    Disposition.PROMISE_TO_PAY: "承诺还款",
    Disposition.PARTIAL_PROMISE: "部分承诺",
    Disposition.ALREADY_PAID: "称已还款",
    Disposition.HARDSHIP: "经济困难",
    Disposition.DISPUTE: "有异议",
    Disposition.REFUSAL: "拒绝还款",
    Disposition.CALLBACK: "约定回拨",
    Disposition.WRONG_NUMBER: "号码错误",
    Disposition.THIRD_PARTY: "第三人接听",
    Disposition.DO_NOT_CALL: "要求勿扰",
    Disposition.COMPLAINT: "投诉",
    Disposition.HUMAN_REQUESTED: "要求人工",
    Disposition.VULNERABLE: "需要关怀",
    Disposition.VOICEMAIL: "语音信箱",
    Disposition.NO_INPUT: "无人说话",
    Disposition.ABUSIVE: "辱骂",
    Disposition.NO_ANSWER: "无人接听",
    Disposition.BUSY: "忙线",
    Disposition.REJECTED: "拒接",
    Disposition.UNREACHABLE: "无法接通",
    Disposition.FAILED: "失败",
}
_WAITING = {
    FactKind.DIALLED: "拨号",
    FactKind.RINGING: "振铃",
    FactKind.EARLY_MEDIA: "听提示音",
    FactKind.ANSWERED: "接通",
}


class Board:
    """Rows of calls, each with its last sentence; renders itself for rich.Live."""

    def __init__(self, total: int) -> None:
        self._rows: dict[str, tuple[str, str, str]] = {}
        self._ended: set[str] = set()
        self._progress = Progress(
            TextColumn("[bold]已结束"), BarColumn(bar_width=40), MofNCompleteColumn(), TimeElapsedColumn()
        )
        self._task = self._progress.add_task("calls", total=total)

    def begin(self, call_id: str, persona: Persona) -> None:
        self._rows.setdefault(call_id, (f"{persona.name} · {persona.who}", "拨号", ""))

    def fact(self, live: LiveFact) -> None:
        if live.call_id not in self._rows or live.call_id in self._ended:
            return
        who, state, line = self._rows[live.call_id]
        data, kind = live.fact.data, live.fact.kind
        if kind in _WAITING:
            state = _WAITING[kind]
        elif kind is FactKind.SAYING:
            line = f"[green]机器人[/] {data['text']}"
        elif kind in (FactKind.HEARD, FactKind.HEARING):
            line = f"[yellow]对方[/] {data['text']}"
        elif kind is FactKind.JOINED:
            state = "[magenta]人工通话"
        elif kind is FactKind.DISPOSITION:
            state = NAMES[Disposition(str(data["disposition"]))]
        self._rows[live.call_id] = (who, state, line)

    def end(self, record: CallRecord) -> None:
        """The call is over and written down."""
        who, _, _ = self._rows[record.id]
        outcome = NAMES[Disposition(record.disposition)] if record.disposition else "结束"
        self._rows[record.id] = (who, f"[bold]{outcome}[/]", "[dim]已挂断[/]")
        self._ended.add(record.id)
        self._progress.update(self._task, completed=len(self._ended))

    def __rich__(self) -> Panel:
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(width=30, no_wrap=True)
        table.add_column(width=10, no_wrap=True)
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for row in self._rows.values():
            table.add_row(*(Text.from_markup(cell) for cell in row))
        return Panel(Group(table, Text(), self._progress), title="voicebot", border_style="cyan")


def show_results(calls: Sequence[DemoCall], console: Console, latencies_ms: Sequence[float]) -> None:
    """The table at the end, with every difference from what the personas meant."""
    table = Table(title="演示结果", header_style="bold", title_style="bold")
    for heading in ("对象", "应有结果", "实际结果", "承诺", "转人工", "时长", "证据"):
        table.add_column(heading, justify="right" if heading == "时长" else "left")
    for call in calls:
        actual = NAMES[Disposition(call.disposition)]
        table.add_row(
            f"{call.persona.name}  {call.persona.who}",
            NAMES[call.persona.expected],
            f"[green]✔ {actual}[/]" if call.as_expected else f"[red]✘ {actual}[/]",
            _promise(call.promise),
            _handoff(call),
            f"{call.duration_s:.0f} 秒",
            "[green]✔ 有效[/]" if call.verified else f"[red]✘ {'; '.join(call.failures)}[/]",
        )
    console.print(table)
    good = sum(call.as_expected for call in calls)
    leaks = sum(call.leaked for call in calls)
    console.print(
        f"符合预期 {good}/{len(calls)} · 证据有效 {sum(call.verified for call in calls)}/{len(calls)}"
        f" · 核实身份前提及欠款 {leaks} 次 · 转人工 {sum(call.handoff for call in calls)} 通{_latency(latencies_ms)}"
    )


def _handoff(call: DemoCall) -> str:
    if call.handoff:
        return "[green]✔ 已接通[/]" if call.persona.expected_handoff else "[yellow]已接通[/]"
    return "[red]✘ 未接通[/]" if call.persona.expected_handoff else ""


def _promise(promise: Mapping[str, object] | None) -> str:
    if promise is None:
        return ""
    amount = promise["amount_fen"]
    return f"{promise['date']}  {amount / 100:,.2f} 元" if isinstance(amount, int) else ""


def _latency(latencies_ms: Sequence[float]) -> str:
    if not latencies_ms:
        return ""
    return f" · 应答延迟中位数 {sorted(latencies_ms)[len(latencies_ms) // 2]:.0f} 毫秒"
