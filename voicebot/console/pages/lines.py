"""/lines - the trunks with their state, use and last trouble; workers and controls of all machines."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from urllib.parse import quote

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.line_view import ControlView, LineView, TrunkView, WorkerView
from voicebot.console.markup import tag
from voicebot.console.shell import Console, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.fleet import SKEW_STOPS_S, SKEW_WARNS_S
from voicebot.store import DatabaseError

REDRAW_S = 2.0
_TONES = {"up": "good", "trial": "warn", "paused": "warn", "unregistered": "bad", "down": "bad"}
_WORKER_TONES = {"up": "good", "draining": "warn", "drained": "good", "left": "", "gone": "bad"}
_CONTROL_TONES = {"leads": "good", "stands_by": "", "silent": "bad"}
_REGISTRATION_TONES = {"done": "good", "waiting": "warn", "failed": "bad"}


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/lines", response_timeout=10)
    async def lines(request: Request) -> None:
        visit = visit_of(request)
        words = visit.words
        with shell(console, visit, "/lines", words("lines.title")):
            markup(heading(words("lines.title"), words("lines.lead")))
            drawn = markup(lines_markup(words, await console.data.fleet.view()))

            async def redraw() -> None:
                with contextlib.suppress(DatabaseError):  # what was seen last stays
                    drawn.content = lines_markup(words, await console.data.fleet.view())

            ui.timer(REDRAW_S, redraw)


def lines_markup(words: Words, view: LineView) -> Markup:
    """The page's content."""
    if not view.workers:
        nothing = empty("alert", words("lines.none"), words("lines.none.lead"))
        return tag("section", nothing, cls="panel")
    return tag("div", _trunks(words, view.trunks), _workers(words, view.workers), _controls(words, view.controls),
               cls="stack")  # fmt: skip


def _trunks(words: Words, trunks: Sequence[TrunkView]) -> Markup:
    if not trunks:
        nothing = empty("calls", words("lines.trunks.none"), words("lines.trunks.none.lead"), small=True)
        return panel("path", words("lines.trunks"), nothing, inset=False)
    names = (
        ("lines.trunk", ""),
        ("col.state", ""),
        ("lines.used", "right"),
        ("lines.rate", "right hide-phone"),
        ("lines.answered", "right"),
        ("lines.failure", "hide-phone"),
    )
    heads = [tag("th", words(name), cls=cls) for name, cls in names]
    body = [_trunk(words, trunk) for trunk in trunks]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *body), cls="rows")
    return panel("path", words("lines.trunks"), tag("div", table, cls="scroll"), inset=False)


def _trunk(words: Words, trunk: TrunkView) -> Markup:
    order = words("lines.order", priority=trunk.priority, weight=trunk.weight)
    rate = trunk.answer_rate
    placed = words("lines.tried", tried=trunk.tried, answered=trunk.answered)
    inbound = words("lines.inbound", count=trunk.inbound)
    return tag(
        "tr",
        tag("td", tag("b", trunk.name), tag("span", trunk.address, cls="sub num"), tag("span", order, cls="sub")),
        tag("td", tag("div", *_state(words, trunk), cls="chips")),
        tag("td", tag("b", f"{trunk.used}/{trunk.channels}"), tag("span", inbound, cls="sub"), cls="num right"),
        tag("td", f"{trunk.per_second:.1f}/{trunk.most_per_second:g}", cls="num right hide-phone"),
        tag("td", "—" if rate is None else f"{rate:.0%}", tag("span", placed, cls="sub"), cls="num right"),
        tag("td", *_failure(words, trunk), cls="hide-phone"),
    )


def _state(words: Words, trunk: TrunkView) -> list[Markup]:
    state = words(f"lines.{trunk.state}", seconds=trunk.paused_s)
    chips = [tag("span", state, cls=f"chip dot {_TONES.get(trunk.state, 'bad')}")]
    if trunk.registration != "not_needed":
        tone = _REGISTRATION_TONES.get(trunk.registration, "")
        chips.append(tag("span", words(f"lines.registration.{trunk.registration}"), cls=f"chip {tone}"))
    return chips


def _failure(words: Words, trunk: TrunkView) -> list[Markup | str]:
    if not trunk.last_failure:
        return ["—"]
    below = " · ".join((words.moment(trunk.last_failure_at), words("lines.failed", count=trunk.failed)))
    return [trunk.last_failure, tag("span", below, cls="sub num")]


def _workers(words: Words, workers: Sequence[WorkerView]) -> Markup:
    names = (("lines.workers", ""), ("col.state", ""), ("lines.calls", "right"), ("", "hide-phone"), ("", ""))
    heads = [tag("th", words(name) if name else "", cls=cls) for name, cls in names]
    rows = [_worker(words, worker) for worker in workers]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), cls="rows")
    return panel("live", words("lines.workers"), tag("div", table, cls="scroll"), inset=False)


def _worker(words: Words, worker: WorkerView) -> Markup:
    machine = words("lines.machine", machine=worker.machine, version=worker.version)
    late = words("lines.late", share=f"{worker.late_share:.2%}")
    below = [words("lines.lag", ms=worker.brain_lag_ms)]
    if worker.overloads:
        below.append(words("lines.overloads", count=worker.overloads))
    calls = tag("b", f"{worker.calls}/{worker.most}")
    return tag(
        "tr",
        tag("td", tag("b", worker.name), tag("span", machine, cls="sub"), cls="num"),
        tag("td", tag("div", *_worker_chips(words, worker), cls="chips")),
        tag("td", calls, tag("span", words("lines.heard", seconds=f"{worker.age_s:.0f}"), cls="sub"), cls="num right"),
        tag("td", late, tag("span", " · ".join(below), cls="sub"), cls="hide-phone"),
        tag("td", _drain_button(words, worker), cls="right"),
        data_worker=worker.name,
    )


def _worker_chips(words: Words, worker: WorkerView) -> list[Markup]:
    state = "drained" if worker.drained and worker.state == "draining" else worker.state
    chips = [tag("span", words(f"lines.worker.{state}"), cls=f"chip dot {_WORKER_TONES.get(state, '')}")]
    if worker.state in ("up", "draining"):
        takes = ("good", "lines.admits") if worker.admits else ("bad", "lines.overloaded")
        brain = ("good", "lines.brain.up") if worker.brain_alive else ("bad", "lines.brain.down")
        chips += [tag("span", words(key), cls=f"chip dot {tone}") for tone, key in (takes, brain)]
        chips += _clock(words, worker.clock_ahead_s)
    return chips


def _clock(words: Words, ahead_s: float) -> list[Markup]:
    """Shown only where it is wrong."""
    if abs(ahead_s) <= SKEW_WARNS_S:
        return []
    tone = "bad" if abs(ahead_s) > SKEW_STOPS_S else "warn"
    return [tag("span", words("lines.clock", seconds=f"{ahead_s:+.1f}"), cls=f"chip dot {tone}")]


def _drain_button(words: Words, worker: WorkerView) -> Markup | None:
    path = f"/api/workers/{quote(worker.name, safe='')}"
    if worker.state == "draining":
        return tag("button", words("lines.resume"), cls="btn small", data_post=f"{path}/resume",
                   data_done=words("lines.resumed"))  # fmt: skip
    if worker.state != "up":
        return None
    return tag(
        "button",
        words("lines.drain"),
        cls="btn small",
        data_post=f"{path}/drain",
        data_confirm=words("lines.drain.ask", name=worker.name),
        data_confirm_lead=words("lines.drain.lead"),
        data_cancel=words("cancel"),
        data_verb=words("lines.drain"),
        data_done=words("lines.drain.done"),
    )


def _controls(words: Words, controls: Sequence[ControlView]) -> Markup | None:
    if not controls:
        return None
    rows = [
        tag(
            "tr",
            tag("td", tag("b", one.name), tag("span", one.version, cls="sub"), cls="num"),
            tag("td", tag("div", *_control_chips(words, one), cls="chips")),
            tag("td", one.http, cls="num hide-phone"),
            tag("td", words("lines.heard", seconds=f"{one.age_s:.0f}"), cls="num right"),
        )
        for one in controls
    ]
    heads = [tag("th", words("lines.control")), tag("th", words("col.state")), tag("th", cls="hide-phone"), tag("th")]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), cls="rows")
    return panel("people", words("lines.controls"), tag("div", table, cls="scroll"), inset=False)


def _control_chips(words: Words, one: ControlView) -> list[Markup]:
    chip = tag("span", words(f"lines.control.{one.role}"), cls=f"chip dot {_CONTROL_TONES[one.role]}")
    return [chip, *_clock(words, one.clock_ahead_s)]
