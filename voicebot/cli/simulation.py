"""`voicebot script simulate`: rows as JSON Lines, or figures as tables, and the comparison with a baseline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from voicebot.cli.terminal import fail, print_row
from voicebot.dialog.loader import ScriptError, load_script
from voicebot.dialog.script import Script
from voicebot.dialog.simulator_baseline import BaselineError, baseline_of, lost, read_baseline, worse, write_baseline
from voicebot.dialog.simulator_crowd import crowd, shipped_personas
from voicebot.dialog.simulator_figures import by_kind, figures, funnel, verdict, worst_first
from voicebot.pipeline.rehearsal import Rehearsal

Row = Mapping[str, Any]
OneRow = Callable[[int, str, Callable[[dict[str, Any]], Row]], Row]
"""(line number, line, work) to the answer of `work`, or a row with `error`."""
_WORST = 5
_BY_PHONE = 8
_KINDS = {"ability": "能力", "willingness": "意愿", "emotion": "情绪", "phone": "通话习惯", "line": "线路"}
_FIGURES = {
    "calls": "通话数", "errors": "无法模拟", "right_ending": "结局正确率", "right_handoff": "转人工正确率",
    "right_promise": "承诺日期和金额正确率", "disclosed_before_verified": "核实身份前透露",
    "verified_strangers": "误认他人为本人", "calls_with_forbidden_speech": "有禁语的通话", "verified": "核实身份率",
    "promises": "承诺率", "handoffs": "转人工率", "mean_seconds": "平均时长（秒）", "mean_turns": "平均轮次",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Simulation:
    """What was asked for on the command line; `lines` of JSON, or None for the shipped personas."""

    script: Path
    lines: Iterable[str] | None
    seed: int
    count: int | None
    as_json: bool
    against: Path | None
    save: Path | None
    audio: bool


def run(wanted: Simulation, one_row: OneRow) -> int:
    """Simulate, print, compare; the exit code is 1 when a persona could not be simulated or the script got worse."""
    try:
        script = load_script(wanted.script)
        before = read_baseline(wanted.against) if wanted.against else None
    except (ScriptError, BaselineError) as error:
        fail(str(error))
    began = time.monotonic()
    rows, personas = [], []
    for row, persona in _by_phone(wanted, one_row) if wanted.audio else _calls(wanted, script, one_row):
        if wanted.as_json:
            print_row(row)
        rows.append(row)
        personas.append(persona)
    if not wanted.as_json:
        show(rows, personas, Console(), time.monotonic() - began)
    now = baseline_of(script, rows, personas)
    if wanted.save:
        write_baseline(wanted.save, now)
    complaints = worse(now, before) if before else []
    for sentence in complaints:
        typer.echo(f"变差：{sentence}", err=True)
    if before and (missed := lost(now, before)):
        typer.echo(f"以前符合预期、现在不符合：{'、'.join(missed)}", err=True)
    return 1 if complaints or any("error" in row for row in rows) else 0


def _calls(wanted: Simulation, script: Script, one_row: OneRow) -> Iterator[tuple[Row, Row]]:
    """Each row with its persona, as they come."""
    rehearsal = Rehearsal()
    if wanted.lines is not None and wanted.count is None:
        for number, line in enumerate(wanted.lines, 1):
            if line.strip():
                yield _called(script, rehearsal, one_row, wanted.seed, number, line)
        return
    people = _people(wanted, one_row)
    yield from zip(rehearsal.calls(script, people, wanted.seed), people, strict=True)


def _people(wanted: Simulation, one_row: OneRow) -> list[Row]:
    """The personas that were asked for, as many as were asked for."""
    personas: Sequence[Row] = shipped_personas()
    if wanted.lines is not None:
        read = [one_row(number, line, lambda row: row) for number, line in enumerate(wanted.lines, 1) if line.strip()]
        personas = [persona for persona in read if "answers" in persona]
        if not personas:
            fail("there is no persona in this file")
    return list(crowd(personas, wanted.count or len(personas), wanted.seed))


def _by_phone(wanted: Simulation, one_row: OneRow) -> Iterator[tuple[Row, Row]]:
    """As telephone calls: as many as were asked for, eight of the shipped personas when nothing was said."""
    from voicebot.demo.by_phone import NoCalls, ring

    people = _people(wanted, one_row)
    if wanted.lines is None and wanted.count is None:
        people = people[:: max(1, len(people) // _BY_PHONE)][:_BY_PHONE]
    try:
        yield from zip(ring(wanted.script, people, wanted.seed), people, strict=True)
    except (NoCalls, ValueError) as error:
        fail(str(error))


def _called(
    script: Script, rehearsal: Rehearsal, one_row: OneRow, seed: int, number: int, line: str
) -> tuple[Row, Row]:
    personas: list[Row] = []

    def call(persona: dict[str, Any]) -> Row:
        personas.append(persona)
        return rehearsal.call(script, persona, seed)

    row = one_row(number, line, call)
    return row, personas[0] if personas else {}


def show(rows: Sequence[Row], personas: Sequence[Row], console: Console, seconds: float) -> None:
    """Figures, endings, funnel and the worst calls, for people to read."""
    counted = figures(rows, personas)
    console.print(_two("模拟结果", ("指标", "数值"), {name: _text(counted[key]) for key, name in _FIGURES.items()}))
    if counted["forbidden_speech"]:
        console.print(_two("禁语", ("规则", "次数"), counted["forbidden_speech"]))
    console.print(_two("结局分布", ("结局", "通话"), counted["dispositions"]))
    for key, name in _KINDS.items():
        if any(persona.get(key) for persona in personas):
            console.print(_kinds(name, by_kind(rows, personas, key)))
    console.print(_two("漏斗：进入各节点的通话", ("节点", "通话"), funnel(rows)["nodes"]))
    _worst(rows, personas, console)
    console.print(f"{len(rows)} 通，用时 {seconds:.1f} 秒，每分钟 {len(rows) / max(seconds, 0.001) * 60:,.0f} 通")


def _worst(rows: Sequence[Row], personas: Sequence[Row], console: Console) -> None:
    console.print("[bold]最差的通话[/]")
    for row, persona in worst_first(rows, personas)[:_WORST]:
        if "error" in row:
            console.print(f"[red]{row['id']}[/] {row['error']}", markup=True)
            continue
        expect = persona.get("expect") or {}
        wanted = f"，应为 {expect['disposition']}" if verdict(row, persona).ending is False else ""
        console.print(
            f"[bold]{row['id']}[/] {persona.get('situation', '')}：{row['disposition']}{wanted}", soft_wrap=True
        )
        for each in row["law"]:
            console.print(f"  [red]{'、'.join(each['rules'])}[/] {each['text']}")
        for turn in row["turns"]:
            console.print(
                f"  {'机器人' if turn['speaker'] == 'bot' else '对方　'} {turn['text']}", style="dim", soft_wrap=True
            )


def _two(title: str, heads: tuple[str, str], values: Mapping[str, object]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(heads[0])
    table.add_column(heads[1], justify="right")
    for name, value in values.items():
        table.add_row(name, str(value))
    return table


def _kinds(name: str, kinds: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(title=f"按{name}", title_justify="left")
    for head in (name, "通话", "承诺率", "结局正确率"):
        table.add_column(head, justify="left" if head == name else "right")
    for kind, values in kinds.items():
        table.add_row(kind, str(values["calls"]), _text(values["promises"]), _text(values["right_ending"]))
    return table


def _text(value: object) -> str:
    if value is None:
        return "—"
    return f"{value:.1%}" if isinstance(value, float) and value <= 1 else str(value)
