"""/evidence - the log of sealed calls, who listened or exported, and the cases of which nothing is deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.markup import Child, tag
from voicebot.console.shell import Console, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.operation import LegalHold, Operation
from voicebot.store.uploads import UploadFigures


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/evidence", response_timeout=20)
    async def evidence(request: Request) -> None:
        visit, data = visit_of(request), console.data.evidence
        words = visit.words
        before = request.query_params.get("before", "")
        rows = await data.operations(int(before) if before.isdigit() else None)
        with shell(console, visit, "/evidence", words("vault.title")):
            markup(heading(words("vault.title"), words("vault.lead")))
            with ui.element("div").classes("stack"):
                markup(log_panel(words, await data.state()))
                markup(uploads_panel(words, await data.uploads()))
                markup(holds_panel(words, await data.holds()))
                markup(operations_panel(words, rows))


def log_panel(words: Words, state: Mapping[str, Any] | None) -> Markup:
    """The state of the log."""
    if not state or not state["size"]:
        nothing = empty("shield", words("vault.none"), words("vault.none.lead"), small=True)
        return panel("shield", words("vault.log"), nothing)
    faults = [tag("div", f"{one['code']}: {one['what']}", cls="note bad") for one in state["failures"]]
    verdict = tag("span", words("vault.broken" if faults else "vault.sound"), cls=f"chip {'bad' if faults else 'good'}")
    witnessed = words("vault.witnessed.none")
    if state["witnessed"]:
        witnessed = words("vault.witnessed.some", count=state["witnessed"], at=_stamp(str(state["witnessed_at"])))
    rows = (("vault.origin", state["origin"]), ("vault.root", state["root"]), ("vault.witnessed", witnessed))
    pairs = [
        tag("tr", tag("th", words(name), scope="row"), tag("td", value, style="overflow-wrap:anywhere"))
        for name, value in rows
    ]
    hint = words("vault.size", count=state["size"])
    table = tag("table", tag("tbody", *pairs), cls="rows")
    return panel("shield", words("vault.log"), verdict, *faults, table, hint=hint)


def _stamp(at: str) -> str:
    """20261124021105Z as people read it."""
    return f"{at[:4]}-{at[4:6]}-{at[6:8]} {at[8:10]}:{at[10:12]} UTC" if len(at) >= 12 else at


def uploads_panel(words: Words, uploads: UploadFigures) -> Markup:
    """What lies in the object store, and what waits; nothing where there never was one."""
    if not (uploads.waiting or uploads.verified):
        return Markup()
    state, colour = ("vault.depot.failing", "bad") if uploads.failing else ("vault.depot.waiting", "warn")
    if not uploads.waiting:
        state, colour = "vault.depot.done", "good"
    verdict = tag("span", words(state), cls=f"chip {colour}")
    since = words.moment(uploads.oldest) if uploads.oldest else "—"
    rows = (
        ("vault.depot.verified", words("vault.depot.some", count=uploads.verified, size=_megabytes(uploads.size))),
        ("vault.depot.queue", words("vault.depot.left", count=uploads.waiting, failing=uploads.failing)),
        ("vault.depot.oldest", since),
        ("vault.depot.removed", str(uploads.removed)),
    )
    pairs = [tag("tr", tag("th", words(name), scope="row"), tag("td", value)) for name, value in rows]
    fault = tag("div", uploads.error, cls="note bad") if uploads.error else None
    table = tag("table", tag("tbody", *pairs), cls="rows")
    return panel("upload", words("vault.depot"), verdict, fault, table)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def holds_panel(words: Words, holds: Sequence[LegalHold]) -> Markup:
    """Cases on hold."""
    if not holds:
        nothing = empty("shield", words("vault.holds.none"), words("vault.holds.none.lead"), small=True)
        return panel("shield", words("vault.holds"), nothing)
    body = [
        (
            tag("a", one.case_id, href=f"/cases/{one.case_id}"),
            one.reason,
            one.by,
            words.moment(one.since),
        )
        for one in holds
    ]
    return panel("shield", words("vault.holds"), _table(words, ("case", "reason", "by", "since"), body), inset=False)


def operations_panel(words: Words, rows: Sequence[Operation]) -> Markup:
    """Who did what, newest first."""
    if not rows:
        nothing = empty("people", words("vault.operations.none"), words("vault.operations.none.lead"), small=True)
        return panel("people", words("vault.operations"), nothing)
    body = [
        (words.moment(one.at), f"{one.actor} · {one.role}", words(f"vault.{one.action}"), _subject(one.subject))
        for one in rows
    ]
    table = tag("div", _table(words, ("at", "who", "what", "subject"), body), cls="scroll")
    more = None
    if rows[-1].position > 1:
        link = tag("a", words("vault.more"), href=f"?before={rows[-1].position}", cls="btn small")
        more = tag("div", link, cls="pager")
    return panel("people", words("vault.operations"), table, more, hint=str(rows[0].position), inset=False)


def _subject(subject: str) -> Child:
    kind, _, name = subject.partition(":")
    folder = {"call": "calls", "case": "cases"}.get(kind)
    return tag("a", name, href=f"/{folder}/{name}") if folder else subject


def _table(words: Words, names: Sequence[str], body: Sequence[Sequence[Child]]) -> Markup:
    heads = tag("tr", *(tag("th", words(f"vault.{name}")) for name in names))
    lines = [tag("tr", *(tag("td", cell) for cell in row)) for row in body]
    return tag("table", tag("thead", heads), tag("tbody", *lines), cls="rows")
