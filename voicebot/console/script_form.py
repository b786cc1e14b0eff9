"""Script form: one card or signal as fields. What the browser sends back is a `Form` of the same keys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from markupsafe import Markup

from voicebot.console.icons import icon
from voicebot.console.markup import Attribute, Child, tag
from voicebot.console.script_drawing import KIND_ICONS
from voicebot.console.script_fields import FLAGS, NUMBERS, PROMPTS, SHOWN, Form
from voicebot.console.script_flow import Flow
from voicebot.console.shell import empty
from voicebot.console.words import Words, intent_names
from voicebot.dialog.vocabulary import INTENTS
from voicebot.domain.understanding import Topic

_CARDS = "script-cards"
_TARGETS = frozenset({"goto", "exhausted", "silent", "failed", "yes", "no", "changed", "soft"})


def no_card(words: Words) -> Markup:
    return empty("pen", words("script.card.none"), words("script.card.none.lead"), small=True)


def card_form(words: Words, section: str, name: str, form: Form, own: bool, base: str, may_write: bool) -> Markup:
    """The form of one card (`section` nodes) or signal (handlers)."""
    kind = "handler" if section == "handlers" else form["kind"]
    title = tag("b", name)
    told = tag("span", words(f"script.kind.{kind}"), cls="chip")
    show = _small(words("script.card.yaml"), data_show=name, data_section=section)
    head = tag("header", icon(KIND_ICONS.get(kind, "path")), title, told, show)
    taken = tag("p", icon("info"), words("script.card.taken", base=base), cls="note") if not own and base else None
    fields = [_field(words, key, form) for key in SHOWN.get(kind, ("say", "goto"))]
    foot = _foot(words, section, name, own) if may_write else None
    return tag(
        "form",
        head,
        taken,
        tag("fieldset", *fields, disabled=not may_write, cls="fields"),
        foot,
        cls="card-form",
        data_card_form=name,
        data_section=section,
        data_kind=kind,
        autocomplete="off",
    )


def _foot(words: Words, section: str, name: str, own: bool) -> Markup:
    remove = tag(
        "button",
        words("script.card.remove"),
        cls="btn small quiet danger",
        type="button",
        data_remove=name,
        data_section=section,
        data_confirm=words("script.card.remove.ask", name=name),
        data_confirm_lead=words("script.card.remove.lead"),
        data_cancel=words("cancel"),
        data_verb=words("script.card.remove"),
    )
    apply = tag("button", words("script.card.apply"), cls="btn small primary", type="submit")
    return tag("footer", remove if own else None, apply)


def _field(words: Words, key: str, form: Form) -> Markup:
    title = words(f"script.field.{key}")
    value: Any = form.get(key)
    if key in PROMPTS:
        return _prompts(words, key, title, value or [])
    if key == "branches":
        return _branches(words, title, value or [])
    if key in FLAGS:
        box = tag("input", type="checkbox", checked=bool(value), data_field=key)
        return tag("label", box, tag("span", title), cls="check")
    if key == "do":
        return _labelled(title, _area("\n".join(value or ()), data_field=key, rows=max(1, len(value or ()))))
    if key == "hears":
        return tag("div", tag("span", title), _hears(words, value or [], data_field=key), cls="field")
    if key == "topic":
        return _labelled(title, _choice(Topic, str(value or ""), data_field=key))
    if key in NUMBERS:
        return _labelled(title, _entry(value, data_field=key, inputmode="decimal"), "narrow")
    named = _CARDS if key in _TARGETS else None
    return _labelled(title, _entry(value, data_field=key, list=named))


# -- rows


def _prompts(words: Words, key: str, title: str, rows: list[Form]) -> Markup:
    blank = _prompt(words, {"text": "", "if": "", "must_hear": False})
    listed = [_prompt(words, row) for row in rows]
    return _list(words, title, listed, blank, words("script.row.add"), data_prompts=key)


def _prompt(words: Words, row: Mapping[str, Any]) -> Markup:
    text = _area(row["text"], data_k="text", rows=2, aria_label=words("script.row.text"))
    when = _entry(row["if"], data_k="if", placeholder=words("script.row.if"), aria_label=words("script.row.if"))
    box = tag("input", type="checkbox", checked=bool(row["must_hear"]), data_k="must_hear")
    must = tag("label", box, tag("span", words("script.row.must")), cls="check")
    hear = _tool(words, "play", "script.row.hear", data_hear=True)
    tools = tag("div", when, must, hear, *_row_tools(words), cls="tools-row")
    return tag("div", text, tools, cls="row", data_row=True, data_at=row.get("at"))


def _branches(words: Words, title: str, rows: list[Form]) -> Markup:
    blank = _branch(words, {"hears": [], "if": "", "say": [], "do": [], "goto": ""})
    listed = [_branch(words, row) for row in rows]
    return _list(words, title, listed, blank, words("script.row.branch"), data_branches=True)


def _branch(words: Words, row: Mapping[str, Any]) -> Markup:
    says = [prompt["text"] for prompt in row["say"]]
    return tag(
        "div",
        _hears(words, row["hears"], data_k="hears"),
        _entry(row["if"], data_k="if", placeholder=words("script.row.if"), aria_label=words("script.row.if")),
        tag(
            "div",
            _area("\n".join(says), data_k="say", rows=max(1, len(says)), placeholder=words("script.row.say")),
            _area("\n".join(row["do"]), data_k="do", rows=max(1, len(row["do"])), placeholder=words("script.row.do")),
            cls="pair",
        ),
        tag(
            "div",
            tag("span", "→", cls="faint"),
            _entry(row["goto"], data_k="goto", list=_CARDS, placeholder=words("script.again"), aria_label="goto"),
            *_row_tools(words),
            cls="tools-row",
        ),
        cls="row branch",
        data_row=True,
        data_at=row.get("at"),
        data_says=json.dumps(row["say"], ensure_ascii=False),
    )


def _hears(words: Words, intents: Iterable[str], **more: Attribute) -> Markup:
    ids = list(intents)
    entry = _entry(
        ", ".join(ids), placeholder=words("script.row.hears"), aria_label=words("script.field.hears"), **more
    )
    named = tag("small", "、".join(words.intent(intent) for intent in ids), cls="named") if ids else None
    return tag("div", entry, named, cls="hears", data_intents=True)


def _list(words: Words, title: str, rows: list[Markup], blank: Markup, add: str, **more: Attribute) -> Markup:
    adding = tag("button", "+ ", add, type="button", cls="link", data_add_row=True)
    return tag(
        "div", tag("span", title, cls="title"), tag("div", *rows, cls="row-list"), tag("template", blank), adding,
        cls="rows-field", **more,
    )  # fmt: skip


def _row_tools(words: Words) -> tuple[Markup, Markup]:
    return _tool(words, "up", "script.row.up", data_row_up=True), _tool(words, "x", "script.row.out", data_row_out=True)


def _tool(words: Words, sign: str, title: str, **more: Attribute) -> Markup:
    told = words(title)
    return tag("button", icon(sign), type="button", cls="tool", title=told, aria_label=told, **more)


# -- single fields


def _labelled(title: str, entry: Markup, cls: str = "") -> Markup:
    return tag("label", tag("span", title), entry, cls=f"field {cls}".strip())


def _entry(value: Child, **more: Attribute) -> Markup:
    return tag("input", type="text", value=str(value or ""), cls="input", spellcheck="false", **more)


def _area(value: str, **more: Attribute) -> Markup:
    return tag("textarea", value, cls="input area", spellcheck="false", **more)


def _choice(options: Iterable[str], value: str, **more: Attribute) -> Markup:
    listed = [tag("option", str(option), value=str(option), selected=str(option) == value) for option in options]
    return tag("select", *listed, cls="select", **more)


def _small(title: str, **more: Attribute) -> Markup:
    return tag("button", title, type="button", cls="link", **more)


def card_names(flow: Flow) -> Markup:
    """The ids of all cards, for the fields that name one."""
    options = [tag("option", value=name) for name in flow.cards]
    return tag("datalist", *options, id=_CARDS)


@cache
def intent_list(language: str) -> Markup:
    """Every intent with its name, for the fields that name some; JavaScript reads it."""
    names = intent_names() if language == "zh" else {}
    pairs = {intent: names.get(intent, "") for intent in sorted(INTENTS)}
    return tag("div", json.dumps(pairs, ensure_ascii=False), hidden=True, id="script-intents")
