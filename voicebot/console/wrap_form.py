"""Wrap-up form: result, notes, agreement with its calculator, callback. Drawn once per call: what is typed stays."""

from __future__ import annotations

import datetime as dt

from markupsafe import Markup

from voicebot.console.icons import icon
from voicebot.console.markup import Attribute, Child, tag
from voicebot.console.words import Words
from voicebot.domain.case import Case
from voicebot.domain.outcome import Disposition
from voicebot.domain.records import CallRecord

CODES = (
    *(code for code in Disposition if code.talked and code not in (Disposition.VOICEMAIL, Disposition.NO_INPUT)),
    Disposition.NO_ANSWER,
    Disposition.BUSY,
)
"""What an agent can write a call down as."""


def wrap_form(words: Words, call: CallRecord, case: Case | None, today: dt.date) -> Markup:
    """`data-wrap` names the call: the page keeps a draft of what is typed under it."""
    name = case.debtor.name if case else words("unknown_caller")
    cap = tag(
        "div",
        icon("pen"),
        tag("h2", words("wrap.title")),
        tag("span", words("wrap.for", name=name, at=words.moment(call.started_at)), cls="hint"),
        cls="cap",
    )
    save = tag("button", words("wrap.save"), cls="btn primary", type="submit")
    form = tag(
        "form",
        _result(words),
        _agreement(words, case, today) if case else None,
        _callback(words),
        tag("div", save, cls="wrap-foot"),
        cls="in wrap",
        data_form=f"/api/desk/calls/{call.id}/wrap-up",
        data_done=words("wrap.saved"),
        data_wrap=call.id,
        data_case=case.id if case else None,
        autocomplete="off",
    )
    return tag("section", cap, form, cls="panel")


def _result(words: Words) -> Markup:
    options = [tag("option", words("wrap.code.choose"), value="")]
    options += [tag("option", words(code), value=code.value) for code in CODES]
    code = tag("select", *options, name="code", cls="select", required=True)
    notes = tag("textarea", name="notes", cls="input", rows=3, maxlength=2000, placeholder=words("wrap.notes.hint"))
    return tag(
        "div", _field(words("wrap.code"), code), _field(words("wrap.notes"), notes, cls="wide"), cls="wrap-row"
    )


def _agreement(words: Words, case: Case, today: dt.date) -> Markup:
    kinds = [
        tag(
            "label",
            tag("input", type="radio", name="agreement", value=kind, checked=kind == "none"),
            words(f"wrap.{kind}"),
            cls="seg",
        )
        for kind in ("none", "promise", "plan")
    ]
    whole = words("wrap.amount.all", sum=words.money(case.amount_fen))
    steps = [
        tag("option", words(f"wrap.step.{step}"), value=step, selected=step == "month")
        for step in ("month", "fortnight", "week")
    ]
    fields = (
        _field(words("wrap.date"), _input("date", "date", min=today.isoformat()), cls="for-any"),
        _field(words("wrap.amount"), _money("amount_fen", whole), cls="for-promise"),
        _field(words("wrap.count"), _input("number", "count", min=1, max=60, value=3), cls="for-plan"),
        _field(words("wrap.step"), tag("select", *steps, name="step", cls="select"), cls="for-plan"),
        _field(words("wrap.first"), _money("first_fen", words("wrap.first.equal")), cls="for-plan"),
        _field(words("wrap.waive"), _money("waived_fen", "0"), cls="for-any"),
    )
    choice = tag("div", *kinds, cls="segments", role="radiogroup", aria_label=words("wrap.agreement"))
    result = tag(
        "div",
        tag("ol", cls="parts", data_parts=True),
        tag("p", cls="plan-why", data_why=True, role="status"),
        cls="plan-out",
        data_part=words("plan.part", n="{n}"),
        data_total=words("plan.total"),
        hidden=True,
    )
    title = tag("div", tag("span", words("wrap.agreement"), cls="legend"), choice, cls="wrap-line")
    return tag("fieldset", title, tag("div", *fields, cls="wrap-row terms"), result, cls="agreement")


def _callback(words: Words) -> Markup:
    at = _field(words("wrap.callback"), _input("datetime-local", "callback_at"))
    why = _field(words("wrap.callback.reason"), _input("text", "callback_reason", maxlength=200), cls="wide")
    return tag("div", at, why, cls="wrap-row")


def _field(title: str, entry: Child, cls: str = "") -> Markup:
    return tag("label", tag("span", title), entry, cls=f"wrap-field {cls}".strip())


def _input(kind: str, name: str, **more: Attribute) -> Markup:
    return tag("input", type=kind, name=name, **{"cls": "input", **more})  # type: ignore[arg-type]


def _money(name: str, placeholder: str) -> Markup:
    return _input("number", name, min=0, step="0.01", placeholder=placeholder, data_factor=100)
