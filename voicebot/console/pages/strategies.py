"""/strategies - what is done on which day of arrears; one of them as a calendar that can be changed and saved."""

from __future__ import annotations

import json
from collections.abc import Sequence

from fastapi import Request
from markupsafe import Markup
from nicegui import events, ui

from voicebot.console.icons import icon
from voicebot.console.markup import tag
from voicebot.console.shell import Console, Visit, empty, heading, markup, panel, shell, visit_of
from voicebot.console.strategy_drawing import after_calls, calendar
from voicebot.console.words import Words
from voicebot.domain.strategy import Strategy
from voicebot.store.policies import SavedPolicy
from voicebot.strategy.policies import Kind, Policies
from voicebot.strategy.strategies import parse_strategy
from voicebot.strategy.strategy_text import toggled

SCRIPTS = ("campaigns.js",)
BLANK = """# {words}
title: {name}
hold_out: 0.1
steps:
  - days: [1, 7, 15, 21]
    message: reminder
    hours: ["10:00", "18:00"]
"""


def register(console: Console) -> None:
    """Add both pages."""

    @ui.page("/strategies", response_timeout=10)
    async def strategies(request: Request) -> None:
        visit = visit_of(request)
        words = visit.words
        policies = await console.data.campaigning.policies()
        with shell(console, visit, "/strategies", words("strategies.title"), SCRIPTS):
            markup(heading(words("strategies.title"), words("strategies.lead")))
            drawn = [strategy_panel(words, one, policies) for one in policies.strategies.values()]
            markup(tag("div", *drawn, new_policy(words, "strategies"), cls="stack"))

    @ui.page("/strategies/{name}", response_timeout=10)
    async def strategy(name: str, request: Request) -> None:
        visit = visit_of(request)
        policies = await console.data.campaigning.policies()
        history = await console.data.campaigning.history(Kind.STRATEGY, name)
        source = policies.sources.get((Kind.STRATEGY, name)) or BLANK.format(name=name, words=name)
        with shell(console, visit, "/strategies", name, SCRIPTS):
            _bench(console, visit, name, source, policies.versions.get((Kind.STRATEGY, name), 0), history)


def _bench(
    console: Console, visit: Visit, name: str, source: str, version: int, history: Sequence[SavedPolicy]
) -> None:
    """The calendar above, its text below; both are redrawn when either changes."""
    words = visit.words
    back = ("/strategies", words("strategies.title"))
    markup(heading(name, words("strategies.lead"), back=back))
    drawn = markup(Markup(""))

    async def draw(text: str) -> None:
        try:
            read = parse_strategy(text, f"{name}.yaml")
        except ValueError as wrong:
            drawn.content = panel(
                "alert", words("strategies.problems"), tag("p", str(wrong), cls="wrong", role="alert")
            )
            return
        drawn.content = _drawn(words, read, await console.data.campaigning.proof(read))

    async def check(event: events.GenericEventArguments) -> None:
        await draw(str(event.args.get("source", "")))

    async def toggle(event: events.GenericEventArguments) -> None:
        text = str(event.args.get("source", ""))
        try:
            text = toggled(text, f"{name}.yaml", int(event.args["step"]), int(event.args["day"]))
        except ValueError as wrong:
            ui.run_javascript(f"window.voicebot.toast({str(wrong)!r}, true)")
            return
        await draw(text)
        await ui.run_javascript(f"window.policy.show({_script_text(text)})")

    ui.on("policy_check", check)
    ui.on("policy_toggle", toggle)
    ui.timer(0.01, lambda: draw(source), once=True)
    text = editor(words, "strategies", name, source, version)
    markup(tag("div", text, versions(words, history), cls="stack", style="margin-top:16px"))


def _drawn(words: Words, strategy: Strategy, problems: Sequence[str]) -> Markup:
    listed = tag("ul", *(tag("li", problem) for problem in problems), cls="wrong") if problems else None
    sound = tag("span", icon("check"), words("strategies.sound"), cls="chip good") if not problems else None
    facts = tag("div", *_facts(words, strategy), sound, cls="chips")
    top = panel("promise", strategy.title, facts, listed, calendar(words, strategy, editable=True))
    return tag("div", top, panel("path", words("strategies.after"), after_calls(words, strategy.after), inset=False),
               cls="stack")  # fmt: skip


def strategy_panel(words: Words, strategy: Strategy, policies: Policies) -> Markup:
    """One strategy in the list."""
    version = policies.versions.get((Kind.STRATEGY, strategy.id), 0)
    link = tag("a", strategy.title, href=f"/strategies/{strategy.id}", cls="title")
    chips = tag("div", *_facts(words, strategy), tag("span", version_words(words, version), cls="chip"), cls="chips")
    head = tag("div", link, tag("span", strategy.id, cls="muted num"), chips, cls="strategy-top")
    return tag("section", head, calendar(words, strategy, editable=False), cls="panel strategy")


def _facts(words: Words, strategy: Strategy) -> list[Markup]:
    return [
        tag("span", words("strategies.hold_out", share=f"{strategy.hold_out:.0%}"), cls="chip accent"),
        tag("span", words("strategies.steps", count=len(strategy.steps)), cls="chip"),
        tag("span", words(f"strategies.order.{strategy.order.value}"), cls="chip"),
    ]


def version_words(words: Words, version: int) -> str:
    return words("segments.version", version=version) if version else words("segments.file")


def editor(words: Words, kind: str, name: str, source: str, version: int) -> Markup:
    """The YAML of a policy, to change, check and save."""
    rows = max(8, min(28, source.count("\n") + 3))
    area = tag("textarea", source, name="source", cls="policy", spellcheck="false", rows=rows,
               aria_label=words("strategies.edit"))  # fmt: skip
    check = tag("button", words("strategies.check"), cls="btn", type="button", data_policy_check=True)
    save = tag("button", words("strategies.save"), cls="btn primary", type="submit")
    form = tag("form", area, tag("div", check if kind == "strategies" else None, save, cls="policy-actions"),
               data_policy=f"/api/policies/{kind}/{name}", data_version=version,
               data_done=words("strategies.saved"))  # fmt: skip
    return panel("pen", words("strategies.edit"), form, hint=version_words(words, version))


def versions(words: Words, history: Sequence[SavedPolicy]) -> Markup:
    """Who saved what when."""
    if not history:
        return Markup("")
    rows = [
        tag("tr", tag("td", words("segments.version", version=one.version)), tag("td", one.saved_by),
            tag("td", words.moment(one.saved_at), cls="num right"))
        for one in history
    ]  # fmt: skip
    return panel("clock", words("strategies.versions"), tag("table", tag("tbody", *rows), cls="rows"), inset=False)


def new_policy(words: Words, kind: str) -> Markup:
    """A name, and the page of a policy that is not there yet."""
    entry = tag("input", name="name", required=True, pattern="[a-z][a-z0-9_\\-]{0,39}", cls="input",
                placeholder=words("segments.name"), aria_label=words("segments.name"))  # fmt: skip
    go = tag("button", icon("plus"), words(f"{kind}.new"), cls="btn", type="submit")
    return tag("form", entry, go, cls="new-policy", data_new_policy=f"/{kind}/")


def _script_text(text: str) -> str:
    return json.dumps(text).replace("<", "\\u003c")


def nothing(words: Words, name: str) -> Markup:
    return tag("section", empty("search", words("not_found"), name), cls="panel")
