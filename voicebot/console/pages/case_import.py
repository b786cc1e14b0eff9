"""/cases/import - a case file on its way in: hand it in, check the columns, watch it go in, put right what was not."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.cases.columns import Column
from voicebot.cases.mending import Mendable
from voicebot.cases.preview import Preview, PreviewColumn, PreviewRow
from voicebot.cases.traits import traits
from voicebot.console.icons import icon
from voicebot.console.import_data import Looked
from voicebot.console.markup import tag
from voicebot.console.shell import Console, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.case import Creditor
from voicebot.store.imports import ImportRecord, ImportState

REDRAW_S = 0.7
SCRIPTS = ("cases.js",)


def register(console: Console) -> None:
    """Add both pages."""

    @ui.page("/cases/import", response_timeout=10)
    async def imports(request: Request) -> None:
        visit = visit_of(request)
        words = visit.words
        latest = await console.data.casework.imports.latest()
        creditors = await console.data.casework.creditors()
        with shell(console, visit, "/cases", words("import.title"), SCRIPTS):
            back = ("/cases", words("cases.title"))
            markup(heading(words("import.title"), words("cases.import.lead"), back=back))
            drops = tag("div", _drop(words, creditors), _payments(words), cls="two")
            markup(tag("div", drops, _latest(words, latest), cls="stack"))

    @ui.page("/cases/import/{import_id}", response_timeout=10)
    async def one(import_id: str, request: Request) -> None:
        visit = visit_of(request)
        words = visit.words
        with shell(console, visit, "/cases", words("import.title"), SCRIPTS):
            try:
                record = await console.data.casework.imports.find(import_id)
            except LookupError:
                markup(tag("section", empty("search", words("not_found"), import_id), cls="panel"))
                return
            markup(heading(record.name, _lead(words, record), back=("/cases/import", words("import.title"))))
            drawn = markup(await _state(console, words, record))

            async def redraw() -> None:
                record = await console.data.casework.imports.find(import_id)
                drawn.content = await _state(console, words, record)
                if record.state is not ImportState.RUNNING:
                    timer.deactivate()

            async def refresh() -> None:
                await redraw()
                timer.activate()

            timer = ui.timer(REDRAW_S, redraw, active=record.state is ImportState.RUNNING)
            ui.on("import_changed", refresh)


async def _state(console: Console, words: Words, record: ImportRecord) -> Markup:
    match record.state:
        case ImportState.UPLOADED:
            looked = await console.data.casework.imports.look(record.id)
            return checking(words, looked, await console.data.casework.creditors())
        case ImportState.RUNNING:
            return running(words, record)
        case ImportState.FAILED:
            return _failed(words, record)
        case _:
            return done(words, record, await console.data.casework.imports.to_mend(record))


def _lead(words: Words, record: ImportRecord) -> str:
    return " · ".join(filter(None, (record.creditor, words.moment(record.uploaded_at), record.uploaded_by)))


# --- handing in


def _drop(words: Words, creditors: Sequence[Creditor]) -> Markup:
    entry = tag("input", type="file", accept=".csv,.xlsx,.txt", cls="sr")
    text = tag("span", tag("b", words("cases.import")), words("cases.import.drop"))
    drop = tag("label", icon("upload"), text, entry, cls="drop", data_case_file="/api/cases/imports")
    names = tag("datalist", *(tag("option", value=each.name) for each in creditors), id="creditors")
    creditor = tag("input", name="creditor", list="creditors", maxlength=64, cls="input", data_creditor=True)
    label = tag("label", tag("span", words("import.creditor")), creditor, cls="field")
    return panel("upload", words("cases.import"), drop, label, names)


def _payments(words: Words) -> Markup:
    entry = tag("input", type="file", accept=".csv,.xlsx,.txt", cls="sr")
    text = tag("span", tag("b", words("payments.title")), words("payments.drop"))
    drop = tag(
        "label", icon("check"), text, entry, cls="drop", data_payment_file="/api/payments/import",
        data_done=words("payments.done"),
    )  # fmt: skip
    return panel("check", words("payments.title"), drop, tag("ul", cls="notes", data_payment_rejects=True))


def _latest(words: Words, records: Sequence[ImportRecord]) -> Markup:
    if not records:
        return panel("clock", words("import.latest"), empty("upload", words("import.latest.none"), small=True))
    names = ("col.file", "col.time", "col.state", "cases.imported", "cases.updated", "cases.duplicates",
             "cases.rejected")  # fmt: skip
    heads = [tag("th", words(name), cls="right" if name.startswith("cases.") else "") for name in names]
    rows = [_latest_row(words, record) for record in records]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), cls="rows")
    return panel("clock", words("import.latest"), tag("div", table, cls="scroll"), inset=False)


def _latest_row(words: Words, record: ImportRecord) -> Markup:
    counts = [record.report.get(name, "") for name in ("imported", "updated", "duplicates", "rejected_count")]
    link = tag("a", record.name, href=f"/cases/import/{record.id}", cls="cover")
    who = tag("span", record.uploaded_by, " ", record.creditor, cls="sub")
    tone = {"done": "good", "failed": "bad", "running": "accent"}.get(record.state, "warn")
    return tag(
        "tr",
        tag("td", link, who),
        tag("td", words.moment(record.uploaded_at), cls="num"),
        tag("td", tag("span", words(f"import.state.{record.state}"), cls=f"chip {tone}")),
        *(tag("td", count, cls="num right") for count in counts),
    )


# --- checking


def checking(words: Words, looked: Looked, creditors: Sequence[Creditor] = ()) -> Markup:
    """The columns with their meanings, the first rows, and what would become of them."""
    found, record = looked.preview, looked.record
    ready = not found.lacking
    go = tag(
        "button", icon("play"), words("import.run"), cls="btn primary", data_post=f"/api/cases/imports/{record.id}/run",
        data_saved="import_changed", disabled=not ready,
    )  # fmt: skip
    names = tag("datalist", *(tag("option", value=each.name) for each in creditors), id="creditors")
    creditor = tag("input", value=record.creditor, list="creditors", maxlength=64, cls="input", data_plan_creditor=True)
    head = tag(
        "div",
        _counts(words, found),
        *(tag("p", icon("alert"), note, cls="note") for note in _notes(words, found)),
        tag("label", tag("span", words("import.creditor")), creditor, names, cls="field"),
        tag("div", go, cls="actions"),
        cls="in stack",
    )
    hint = words("import.remembered") if looked.remembered else words("import.columns.hint")
    columns = panel("pen", words("import.columns"), _columns(words, found.columns), hint=hint, inset=False)
    total = words("import.total", total=found.total)
    rows = panel("cases", words("import.rows"), _rows(found), hint=total, inset=False)
    return tag("div", tag("section", head, cls="panel"), columns, rows, cls="stack", data_plan=record.id)


def _counts(words: Words, found: Preview) -> Markup:
    counts = (
        ("import.checked", found.checked),
        ("import.good", found.good),
        ("cases.duplicates", found.duplicates),
        ("cases.rejected", found.rejected),
    )
    return tag("div", *(tag("div", tag("span", words(name)), tag("b", value)) for name, value in counts), cls="counts")


def _notes(words: Words, found: Preview) -> list[str]:
    lacking = [words("import.lacking", names="、".join(found.lacking))] if found.lacking else []
    return [*lacking, *found.notes]


def _columns(words: Words, columns: Sequence[PreviewColumn]) -> Markup:
    rows = [
        tag(
            "tr",
            tag("td", tag("b", column.heading or "—")),
            tag("td", _meanings(words, column)),
            tag("td", " · ".join(filter(None, column.samples)), cls="faint"),
        )
        for column in columns
    ]
    heads = [tag("th", words(name)) for name in ("col.heading", "col.meaning", "col.samples")]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), cls="rows mapping")
    return tag("div", table, cls="scroll")


def _meanings(words: Words, column: PreviewColumn) -> Markup:
    chinese = words.language == "zh"

    def option(value: str, name: str) -> Markup:
        return tag("option", name, value=value, selected=value == column.meaning)

    own = [option(each.value, each.value) for each in Column]
    groups = [tag("optgroup", *own, label=words("import.group.case"))]
    for of in ("debtor", "loan"):
        inside = [option(t.id, t.zh if chinese else t.en) for t in traits().values() if t.of == of]
        groups.append(tag("optgroup", *inside, label=words(f"import.group.{of}")))
    nothing = tag("option", words("import.ignore"), value="", selected=column.meaning == "")
    return tag("select", nothing, *groups, cls="select", data_heading=column.heading, aria_label=column.heading)


def _rows(found: Preview) -> Markup:
    heads = [tag("th", "#"), *(tag("th", column.heading) for column in found.columns)]
    body = [line for row in found.rows for line in _preview_row(row, len(found.columns))]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *body), cls="rows preview")
    return tag("div", table, cls="scroll")


def _preview_row(row: PreviewRow, width: int) -> list[Markup]:
    cells = [tag("td", row.number, cls="num faint"), *(tag("td", cell) for cell in row.cells)]
    lines = [tag("tr", *cells, cls="bad" if row.problems else "")]
    if row.problems:
        told = "；".join(f"{problem.column}：{problem.reason}" for problem in row.problems)
        lines.append(tag("tr", tag("td"), tag("td", icon("alert"), told, colspan=width, cls="why"), cls="bad"))
    return lines


# --- going in


def running(words: Words, record: ImportRecord) -> Markup:
    """How far it is."""
    share = round(100 * record.done / record.total) if record.total else 0
    text = words("import.running", done=f"{record.done:,}", total=f"{record.total:,}")
    told = text if record.total else words("import.reading")
    bar = tag("div", tag("i", style=f"width:{share}%", cls="now"), cls="bar", role="progressbar", aria_valuenow=share)
    return panel("upload", words("import.state.running"), tag("p", told), bar)


def _failed(words: Words, record: ImportRecord) -> Markup:
    again = tag(
        "button", words("import.again"), cls="btn", data_post=f"/api/cases/imports/{record.id}/run",
        data_saved="import_changed",
    )  # fmt: skip
    return panel("alert", words("import.state.failed"), tag("p", words("import.failed", why=record.why)), again)


def done(words: Words, record: ImportRecord, bad: Sequence[Mendable]) -> Markup:
    """What became of the rows; rejected ones can be put right where they stand."""
    report = record.report
    counts = [
        tag("div", tag("span", words(f"cases.{name}")), tag("b", report.get(key, 0), data_count=name))
        for name, key in (
            ("imported", "imported"), ("updated", "updated"), ("duplicates", "duplicates"),
            ("rejected", "rejected_count"),
        )
    ]  # fmt: skip
    notes = list(report.get("warnings", ()))
    if ignored := report.get("ignored_columns"):
        notes.append(words("import.ignored", names="、".join(ignored)))
    more = (
        tag("a", words("import.back"), href="/cases?order=updated", cls="btn"),
        tag("a", words("import.another"), href="/cases/import", cls="btn quiet"),
    )
    told = [tag("p", icon("info"), note, cls="note") for note in notes]
    result = panel(
        "check",
        words("import.state.done"),
        tag("div", tag("div", *counts, cls="counts"), *told, tag("div", *more, cls="actions"), cls="stack"),
    )
    return tag("div", result, _mend(words, record, bad), cls="stack")


def _mend(words: Words, record: ImportRecord, bad: Sequence[Mendable]) -> Markup:
    if not bad:
        nothing = words("cases.rejected.none")
        return panel("check", words("import.mend"), tag("p", nothing, cls="muted", data_no_rejects=True))
    rows = [
        tag(
            "tr",
            tag("td", tag("b", row.name or "—")),
            tag("td", *(_cell(row.place, heading, text) for heading, text in row.cells)),
            tag("td", row.reason),
            data_reject=row.place,
        )
        for row in bad
    ]
    heads = [tag("th", words(name)) for name in ("col.debtor", "col.value", "col.reason")]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), cls="rows")
    address = f"/api/cases/imports/{record.id}"
    again = tag("button", words("import.mend.do"), cls="btn primary", data_mend=f"{address}/mend")
    load = tag("a", icon("download"), words("import.download"), href=f"{address}/rejects", cls="btn", download=True)
    actions = tag("div", again, load, cls="in actions")
    hint = words("import.mend.hint")
    return panel("alert", words("import.mend"), tag("div", table, cls="scroll"), actions, hint=hint, inset=False)


def _cell(place: int, heading: str, text: str) -> Markup:
    entry = tag("input", value=text, cls="input", data_place=place, data_was=text, data_heading_of=heading)
    return tag("label", tag("span", heading), entry, cls="field")
