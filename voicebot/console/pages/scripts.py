"""/scripts - every call script: what is on the air, what is being written, and how it does; and how to begin one."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.icons import icon
from voicebot.console.markup import Attribute, Child, tag
from voicebot.console.script_data import ScriptRow
from voicebot.console.script_panels import state_chip
from voicebot.console.shell import Console, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words

REDRAW_S = 10.0


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/scripts", response_timeout=10)
    async def scripts(request: Request) -> None:
        visit = visit_of(request)
        words = visit.words
        rows = await console.data.library.rows()
        with shell(console, visit, "/scripts", words("scripts.title"), ("scripts.js",)):
            markup(heading(words("scripts.title"), words("scripts.lead")))
            if visit.who.may("write_scripts"):
                markup(new_script(words, rows))
            listed = markup(script_list(words, rows))

            async def redraw() -> None:
                listed.content = script_list(words, await console.data.library.rows())

            ui.on("scripts", redraw)
            ui.timer(REDRAW_S, redraw)


def script_list(words: Words, rows: Sequence[ScriptRow]) -> Markup:
    """One row per script."""
    if not rows:
        return tag("section", empty("script", words("scripts.none"), words("scripts.none.lead")), cls="panel")
    names = (
        ("script", ""), ("stage", "hide-phone"), ("air", ""), ("state", ""), ("calls", "right"),
        ("promise", "right hide-phone"), ("handoff", "right hide-phone"),
    )  # fmt: skip
    heads = [tag("th", words(f"scripts.col.{name}"), cls=cls) for name, cls in names]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *(_row(words, row) for row in rows)), cls="rows")
    return panel(
        "script", words("scripts.title"), tag("div", table, cls="scroll"), hint=words("scripts.col.days"), inset=False
    )


def _row(words: Words, row: ScriptRow) -> Markup:
    figures = row.figures
    link = tag("a", row.title or row.script, href=f"/scripts/{row.script}", cls="cover")
    return tag(
        "tr",
        tag("td", link, tag("span", row.script, cls="sub")),
        tag("td", tag("span", row.stage, cls="chip") if row.stage else "—", cls="hide-phone"),
        tag("td", _air(words, row)),
        tag("td", tag("div", f"v{row.newest.number} ", state_chip(words, row.newest.state), cls="line")),
        tag("td", f"{figures.calls:,}", cls="right num"),
        tag("td", f"{figures.promise_rate:.1%}" if figures.verified else "—", cls="right num hide-phone"),
        tag("td", f"{figures.handoff_rate:.1%}" if figures.calls else "—", cls="right num hide-phone"),
    )


def _air(words: Words, row: ScriptRow) -> Child:
    if not row.on_air:
        return tag("span", words("scripts.offair"), cls="faint")
    alone = len(row.on_air) == 1
    chips = [
        tag("span", f"v{number}" if alone else f"v{number} {share:.0%}", cls="chip good" if alone else "chip accent")
        for number, share in row.on_air
    ]
    return tag("div", *chips, cls="line")


def new_script(words: Words, rows: Sequence[ScriptRow]) -> Markup:
    """A form that unfolds; the page of the new script opens when it is begun."""
    bases = [tag("option", f"{row.title or row.script} ({row.script})", value=row.script) for row in rows]
    hows = [tag("option", words(f"scripts.new.{how}"), value=how) for how in ("extend", "copy")]
    fields = (
        _field(words("scripts.new.title"), _entry("title", required=True, maxlength=60)),
        _field(words("scripts.new.id"), _entry("id", required=True, maxlength=40, pattern="[a-z][a-z0-9_]+")),
        _field(words("scripts.new.from"), tag("select", *bases, name="base", cls="select")),
        _field(words("scripts.new.how"), tag("select", *hows, name="how", cls="select")),
    )
    begin = tag("button", words("campaigns.create"), cls="btn primary", type="submit")
    form = tag(
        "form",
        *fields,
        begin,
        cls="in campaign-form",
        data_form="/api/scripts",
        data_done=words("scripts.new.done"),
        data_open_script=True,
    )
    summary = tag("summary", icon("script"), tag("h2", words("scripts.new")), cls="cap")
    return tag("details", summary, form, cls="panel new-campaign")


def _field(title: str, entry: Markup) -> Markup:
    return tag("label", tag("span", title), entry)


def _entry(name: str, **more: Attribute) -> Markup:
    return tag("input", type="text", name=name, cls="input", autocomplete="off", **more)
