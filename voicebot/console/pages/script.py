"""/scripts/{id} - one call script: its flow, its text, a chat with it, its simulations, tests and versions."""

from __future__ import annotations

from fastapi import Request
from nicegui import ui

from voicebot.console.markup import tag
from voicebot.console.script_bench import Benches
from voicebot.console.script_designer import Designer
from voicebot.console.script_panels import Rights
from voicebot.console.shell import Console, empty, heading, markup, shell, visit_of
from voicebot.store.script_versions import VersionUnknown


def register(console: Console) -> None:
    """Add the page."""
    benches = Benches()

    @ui.page("/scripts/{script}", response_timeout=20)
    async def script(request: Request, script: str, v: int | None = None) -> None:
        visit = visit_of(request)
        words = visit.words
        try:
            version = await console.data.library.version(script, v)
        except VersionUnknown:
            with shell(console, visit, "/scripts", words("not_found")):
                markup(heading(words("not_found"), "", back=("/scripts", words("scripts.title"))))
                lead = words("script.not_found", id=script)
                markup(tag("section", empty("script", words("not_found"), lead), cls="panel"))
            return
        rights = Rights(visit.who.username, visit.who.may("write_scripts"), visit.who.may("publish_scripts"))
        with shell(console, visit, "/scripts", script, ("scripts.js", "script-flow.js", "script-form.js")):
            designer = Designer(console.data.library, benches, words, version, rights)
            await designer.open()
