"""/scripts/help/{code} - what one finding of the compiler means, why it matters, and what to do about it."""

from __future__ import annotations

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.markup import tag
from voicebot.console.shell import Console, empty, heading, markup, shell, visit_of
from voicebot.console.words import Words
from voicebot.dialog.catalogue import Entry, catalogue


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/scripts/help/{code}", response_timeout=10)
    async def finding(request: Request, code: str) -> None:
        visit = visit_of(request)
        words = visit.words
        entry = catalogue().get(code)
        title = words(f"finding.{code}") if entry else words("not_found")
        with shell(console, visit, "/scripts", title):
            markup(heading(title, code, back=("/scripts", words("scripts.title"))))
            if entry is None:
                markup(tag("section", empty("info", words("not_found"), code), cls="panel"))
            else:
                markup(help_page(words, entry))


def help_page(words: Words, entry: Entry) -> Markup:
    """Reason, remedy, and an example before and after."""
    tone = "bad" if entry.severity == "error" else "warn"
    bad, mended = entry.scripts() if entry.bad else ("", "")
    examples = (
        (tag("h2", words("finding.bad")), tag("pre", bad), tag("h2", words("finding.mended")), tag("pre", mended))
        if bad
        else ()
    )
    return tag(
        "section",
        tag("p", tag("span", words(f"finding.{entry.severity}"), cls=f"chip {tone}"), " ", entry.why),
        tag("h2", words("finding.remedy")),
        tag("p", entry.remedy),
        *examples,
        cls="panel in help",
    )
