"""/scripts/trials/{id} - real calls played through another text: what would have been otherwise, and from where on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.markup import tag
from voicebot.console.shell import Console, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words
from voicebot.store.replays import ReplayRun

_MOST_CALLS = 200


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/scripts/trials/{report}", response_timeout=10)
    async def trial(request: Request, report: int) -> None:
        visit = visit_of(request)
        words = visit.words
        run = await console.data.library.report(report)
        title = words("trial.title") if run else words("not_found")
        with shell(console, visit, "/scripts", title):
            if run is None:
                markup(heading(title, "", back=("/scripts", words("scripts.title"))))
                markup(tag("section", empty("script", title, str(report)), cls="panel"))
                return
            lead = f"{run.candidate} · {words.moment(run.made_at)} · {run.made_by}"
            markup(heading(title, lead, back=(f"/scripts/{run.script}", run.script)))
            markup(report_page(words, run))


def report_page(words: Words, run: ReplayRun) -> Markup:
    """Counts, where ways part for the first time, which outcomes became which, and the calls themselves."""
    told = run.summary
    moved = _moved(words, told.get("moved", ()))
    parts = (_figures(words, told), _partings(words, told.get("divergences", ())), moved, _calls(words, run.rows))
    return tag("div", *parts, cls="stack", data_trial_report=run.id)


def _figures(words: Words, told: Mapping[str, Any]) -> Markup:
    def changed(name: str) -> str:
        before, after = told[name]
        return f"{before:,} → {after:,}"

    boxes = (
        ("calls", f"{told['calls']:,}", ""),
        ("same", f"{told['same']:,}", "good"),
        ("words", f"{told['other_words']:,}", ""),
        ("way", f"{told['other_way']:,}", "warn" if told["other_way"] else ""),
        ("promises", changed("promises"), ""),
        ("handoffs", changed("handoffs"), ""),
        ("violating", changed("violating"), "bad" if told["violating"][1] > told["violating"][0] else ""),
        ("unplayed", f"{told.get('unplayed', 0):,}", ""),
    )
    stats = [
        tag("div", tag("span", words(f"trial.{name}")), tag("b", value, cls=tone), cls="stat")
        for name, value, tone in boxes
    ]
    return tag("div", *stats, cls="panel stats")


def _partings(words: Words, divergences: Sequence[Mapping[str, Any]]) -> Markup:
    if not divergences:
        return panel("check", words("trial.partings"), empty("check", words("trial.partings.none"), small=True))
    rows = []
    for one in divergences:
        heard = tag("a", _said(words, one["heard"]), href=_moment(one["example"], one["ms"]), cls="cover")
        chips = [
            tag("span", words(key, count=one[name]), cls=f"chip {tone}")
            for name, key, tone in (("handed_over", "trial.to_person", ""), ("violating", "trial.to_violation", "bad"))
            if one[name]
        ]
        way = tag("span", tag("code", one["before"]), " → ", tag("code", one["after"]))
        rows.append(
            tag("tr", tag("td", way), tag("td", tag("b", f"{one['calls']:,}"), cls="right num"), tag("td", *chips),
                tag("td", heard))
        )  # fmt: skip
    head = _head(words, "trial.parting", "trial.count", "", "trial.heard")
    table = tag("div", tag("table", head, tag("tbody", *rows), cls="rows"), cls="scroll")
    return panel("script", words("trial.partings"), table, hint=words("trial.partings.lead"), inset=False)


def _moved(words: Words, moved: Sequence[Mapping[str, Any]]) -> Markup | None:
    if not moved:
        return None
    rows = [
        tag("tr", tag("td", words(one["from"])), tag("td", words(one["to"])),
            tag("td", f"{one['calls']:,}", cls="right num"))
        for one in sorted(moved, key=lambda one: -one["calls"])
    ]  # fmt: skip
    head = _head(words, "trial.before", "trial.after", "trial.count")
    table = tag("div", tag("table", head, tag("tbody", *rows), cls="rows"), cls="scroll")
    return panel("check", words("trial.moved"), table, inset=False)


def _calls(words: Words, rows: Sequence[Mapping[str, Any]]) -> Markup | None:
    """Those that differ; calls on another way first."""
    differing = sorted((row for row in rows if not row["same"]), key=lambda row: row["diverged"] is None)
    if not differing:
        return None
    drawn = [_call(words, row) for row in differing[:_MOST_CALLS]]
    table = tag("div", tag("table", tag("tbody", *drawn), cls="rows"), cls="scroll")
    return panel("calls", words("trial.differing"), table, hint=f"{len(differing):,}", inset=False)


def _call(words: Words, row: Mapping[str, Any]) -> Markup:
    first = next(iter(row["differences"]), None)
    at = first["ms"] if first else 0
    before, after = row["disposition"]
    ends = words(before) if before == after else f"{words(before)} → {words(after)}"
    where = ""
    if first is not None:
        key = "trial.on_another_way" if first["what"] == "path" else "trial.in_other_words"
        where = words(key, turn=first["turn"] + 1)
    rules = [tag("span", rule, cls="chip bad") for rule in row["violations"][1]]
    return tag(
        "tr",
        tag("td", tag("a", row["call_id"], href=_moment(row["call_id"], at), cls="cover")),
        tag("td", where, tag("span", _said(words, first["heard"]) if first else "", cls="sub")),
        tag("td", ends),
        tag("td", *rules),
    )


def _said(words: Words, heard: str) -> str:
    """What was heard; a moment without words, such as the answer itself, is named as one."""
    return words("trial.no_words") if heard.startswith("(") else f"“{heard}”"


def _head(words: Words, *keys: str) -> Markup:
    return tag("thead", tag("tr", *(tag("th", words(key) if key else "") for key in keys)))


def _moment(call_id: str, ms: int) -> str:
    return f"/review/{call_id}?t={ms / 1000:g}"
