"""Strategies drawn: a calendar of days of arrears against steps, and what follows a call."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from voicebot.console.icons import icon
from voicebot.console.markup import Child, tag
from voicebot.console.shell import empty
from voicebot.console.words import Words
from voicebot.domain.stage import stage_of
from voicebot.domain.strategy import AfterCall, Hand, Means, Step, Strategy

MOST_COLUMNS = 70
_ICONS = {"call": "calls", "human": "person", "message": "script"}


def kind_of(step: Step) -> str:
    """call, human or message: what a step is called and drawn as."""
    if step.means is Means.MESSAGE:
        return "message"
    return "human" if step.by is Hand.HUMAN else "call"


def day_words(words: Words, day: int) -> str:
    if day == 0:
        return words("strategies.due")
    return words("strategies.day", day=day) if day > 0 else words("strategies.before", day=-day)


def shown_days(strategy: Strategy) -> Sequence[int]:
    """The columns: every day from the first to the last, some room after; of a long one only days with something."""
    used = strategy.days
    first, last = min(used[0], 0), max(used[-1] + 4, 31)
    return range(first, last + 1) if last - first < MOST_COLUMNS else used


def calendar(words: Words, strategy: Strategy, *, editable: bool) -> Markup:
    """Days against steps; of an editable one each field is a button that adds or takes the day."""
    days = shown_days(strategy)
    heads = [tag("th", day, cls=_edge(day), title=f"{day_words(words, day)} · {stage_of(day)}") for day in days]
    rows = [_row(words, number, step, days, editable) for number, step in enumerate(strategy.steps)]
    table = tag(
        "table",
        tag("thead", tag("tr", tag("th", words("strategies.calendar"), cls="name"), *heads)),
        tag("tbody", *rows),
        cls="calendar",
    )
    return tag("div", table, cls="scroll")


def _row(words: Words, number: int, step: Step, days: Sequence[int], editable: bool) -> Markup:
    kind = kind_of(step)
    name = tag("th", tag("span", icon(_ICONS[kind]), words(f"strategies.{kind}"), cls=f"kind {kind}"),
               tag("b", step.words), _particulars(words, step), cls="name", scope="row")  # fmt: skip
    fields = [tag("td", _field(words, number, step, day, editable), cls=_edge(day)) for day in days]
    return tag("tr", name, *fields, data_step=number)


def _field(words: Words, number: int, step: Step, day: int, editable: bool) -> Markup | None:
    on = day in step.days
    cls = f"mark {kind_of(step)} on" if on else "mark"
    label = f"{day_words(words, day)} · {step.words}"
    if editable:
        pressed = "true" if on else "false"
        return tag("button", cls=cls, type="button", data_toggle=f"{number}:{day}", aria_pressed=pressed,
                   aria_label=label, title=label)  # fmt: skip
    return tag("i", cls=cls, title=label) if on else None


def _particulars(words: Words, step: Step) -> Markup:
    told = [f"{step.hours[0]:%H:%M}–{step.hours[1]:%H:%M}"] if step.hours else []
    if step.tone is not None:
        told.append(words("strategies.tone", tone=words(f"tone.{step.tone.word}")))
    if step.channels:
        told.append(words("strategies.channels", names="→".join(words(f"channel.{name}") for name in step.channels)))
    if step.otherwise is not None:
        told.append(words("strategies.otherwise", script=step.otherwise))
    if step.notice is not None:
        told.append(words("strategies.notice", template=step.notice))
    return tag("span", " · ".join(told), cls="sub")


def _edge(day: int) -> str:
    """A line where a stage begins."""
    return "edge" if stage_of(day) is not stage_of(day - 1) else ""


def after_calls(words: Words, rules: Sequence[AfterCall]) -> Markup:
    """What a call's outcome brings."""
    if not rules:
        return empty("path", words("strategies.after.none"), small=True)
    names = ("strategies.outcome", "strategies.risk", "strategies.then")
    body = [
        tag(
            "tr", tag("td", *_outcomes(words, rule)), tag("td", _risk(words, rule.risk)), tag("td", *_then(words, rule))
        )
        for rule in rules
    ]
    table = tag("table", tag("thead", tag("tr", *(tag("th", words(name)) for name in names))), tag("tbody", *body),
                cls="rows")  # fmt: skip
    return tag("div", table, cls="scroll")


def _outcomes(words: Words, rule: AfterCall) -> list[Child]:
    chips = [tag("span", words(name.value), cls="chip") for name in sorted(rule.outcomes)]
    times = tag("span", words("strategies.times", count=rule.times), cls="sub") if rule.times > 1 else None
    return [tag("div", *chips, cls="chips"), times]


def _risk(words: Words, risk: int) -> Markup:
    return tag("span", words(f"strategies.risk.{risk}"), cls={1: "chip bad", -1: "chip good", 0: "chip"}[risk])


def _then(words: Words, rule: AfterCall) -> list[Child]:
    then = rule.then
    if then is None:
        return ["—"]
    kind = "message" if then.means is Means.MESSAGE else "human" if then.by is Hand.HUMAN else "call"
    when = words("strategies.in_days", days=then.in_days) if then.in_days else words("strategies.at_once")
    return [tag("b", words(f"strategies.{kind}")), f" {then.words}", tag("span", when, cls="sub")]
