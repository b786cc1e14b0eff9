"""Script frame: the designer's page around its boxes - head, tools, tabs, chat entry, notices."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from voicebot.console.icons import icon
from voicebot.console.markup import Attribute, tag
from voicebot.console.script_bench import Workbench
from voicebot.console.script_chat import Chat
from voicebot.console.script_data import top_of
from voicebot.console.script_panels import Rights, state_chip
from voicebot.console.shell import heading
from voicebot.console.words import Words
from voicebot.domain.script_version import ScriptVersion, VersionState

TABS = ("flow", "yaml", "diff", "simulate", "plays", "versions")
SIDES = ("card", "chat")
SHADES = ("none", "calls", "simulated")
KINDS = ("ask", "say", "branch", "record", "transfer", "hang_up", "message")


def top_of_page(words: Words, bench: Workbench, rights: Rights) -> Markup:
    """Title, version, state, and what to do with the text."""
    version = bench.version
    title = top_of(bench.source).get("title") or bench.script
    unsaved = tag("span", words("script.unsaved"), cls="chip warn", data_unsaved=True, hidden=not bench.changed)
    save = (
        tag("button", words("script.save"), cls="btn primary", type="button", data_save=True, title="Ctrl+S")
        if rights.write
        else None
    )
    steps = tag("button", words("script.tab.versions"), cls="btn", type="button", data_tab="versions")
    head = heading(
        title,
        f"{bench.script} · {words('script.version', number=version.number)}",
        state_chip(words, version.state),
        unsaved,
        steps,
        save,
        back=("/scripts", words("scripts.title")),
    )
    closed = version.state is not VersionState.DRAFT and rights.write
    note = tag("p", icon("info"), words("script.card.readonly"), cls="note") if closed and bench.changed else None
    return tag("div", head, note, tag("p", cls="note", data_others=True, hidden=True), base_sheet(version))


def base_sheet(version: ScriptVersion) -> Markup:
    """What the text was made from; the browser keeps it beside unsaved changes."""
    return tag("div", json.dumps(sheet(version), ensure_ascii=False), hidden=True, data_base=True)


def sheet(version: ScriptVersion) -> dict[str, Any]:
    return {"number": version.number, "sha256": version.sha256, "source": version.source}


def tools_of(words: Words) -> Markup:
    """Tabs over the stage, and the tools of the flow."""
    tabs = [
        tag("button", words(f"script.tab.{name}"), type="button", role="tab", data_tab=name, aria_selected="false")
        for name in TABS
    ]
    options = [tag("option", words(f"script.shade.{name}"), value=name) for name in SHADES]
    shade = tag("select", *options, cls="select", data_shade=True, aria_label=words("script.shade.none"))
    find = tag("input", type="search", cls="input", data_find=True, placeholder=words("script.find"))
    zoom = [
        tag("button", icon(sign), type="button", cls="tool", data_zoom=way, title=words(f"script.zoom.{way}"),
            aria_label=words(f"script.zoom.{way}"))
        for way, sign in (("out", "minus"), ("in", "plus"), ("fit", "big"))
    ]  # fmt: skip
    tools = tag("div", find, shade, *zoom, cls="flow-tools", data_for="flow")
    return tag("div", tag("div", *tabs, role="tablist", cls="tabs"), tools, cls="stage-head")


def frame(words: Words, may_write: bool) -> Markup:
    """Tabs over the side, and the entry of a new card."""
    tabs = [
        tag(
            "button", words(f"script.side.{name}"), type="button", role="tab", data_side_tab=name, aria_selected="false"
        )
        for name in SIDES
    ]
    kinds = [tag("option", words(f"script.kind.{kind}"), value=kind) for kind in KINDS]
    add = tag(
        "details",
        tag("summary", icon("plus"), words("script.card.add")),
        tag(
            "form",
            tag("input", name="name", cls="input", placeholder=words("script.card.id"), required=True),
            tag("select", *kinds, name="kind", cls="select", aria_label=words("script.card.kind")),
            tag("input", name="goto", cls="input", list="script-cards", placeholder=words("script.field.goto")),
            tag("button", words("campaigns.create"), cls="btn small primary", type="submit"),
            data_add_card=True,
        ),
        cls="add-card",
    )  # fmt: skip
    return tag("div", tag("div", *tabs, role="tablist", cls="tabs"), add if may_write else None, cls="stage-head")


# -- chat


def chat_box(words: Words, chat: Chat) -> Markup:
    """Whom the script talks to."""
    begin = chat.begin

    def field(name: str, label: str, value: object, **more: Attribute) -> Markup:
        entry = tag("input", name=name, value=str(value), cls="input", **more)
        return tag("label", tag("span", words(f"script.chat.{label}")), entry)

    fields = (
        field("name", "name", begin["name"]),
        field("amount", "amount", f"{begin['amount_fen'] / 100:.2f}", inputmode="decimal"),
        field("overdue_days", "overdue", begin["overdue_days"], inputmode="numeric"),
        field("id_last4", "last4", begin["id_last4"], maxlength=4),
        field("birth_mmdd", "birth", begin["birth_mmdd"], maxlength=4),
    )
    agent = tag(
        "label",
        tag("input", type="checkbox", name="agent", checked=True),
        tag("span", words("script.chat.agent")),
        cls="check",
    )
    told = f"{begin['name']} · {words.money(begin['amount_fen'])} · {begin['id_last4']}"
    summary = tag("summary", words("script.chat.case"), tag("span", told, cls="faint", data_case_told=True))
    restart = tag("button", words("script.chat.restart"), type="button", cls="btn small", data_chat="restart")
    form = tag("form", *fields, agent, cls="case-form", data_case=True)
    return tag("div", tag("details", summary, form), restart, cls="case-box")


def chat_entry(words: Words, waiting: bool, over: bool, may_write: bool) -> Markup:
    """What the callee can do now."""
    keep = tag("button", words("script.chat.keep"), type="button", cls="btn small", data_chat="keep",
               data_ask=words("script.chat.name.ask")) if may_write else None  # fmt: skip
    if waiting:
        joined = tag("button", words("script.chat.joined"), type="button", cls="btn small", data_chat="joined")
        nobody = tag("button", words("script.chat.nobody"), type="button", cls="btn small", data_chat="nobody")
        return tag("div", tag("div", joined, nobody, keep, cls="line wraps"), cls="chat-entry")
    if over:
        return tag(
            "div",
            tag("div", tag("span", words("script.chat.over"), cls="faint grow"), keep, cls="line wraps"),
            cls="chat-entry",
        )
    say = tag(
        "input",
        name="say",
        cls="input",
        placeholder=words("script.chat.say"),
        autocomplete="off",
        aria_label=words("script.chat.say"),
    )
    send = tag("button", words("script.chat.send"), type="submit", cls="btn primary")
    intents = tag(
        "input",
        name="intents",
        cls="input",
        placeholder=words("script.chat.intents"),
        autocomplete="off",
        aria_label=words("script.chat.intents"),
    )
    hears = tag("div", intents, cls="hears grow", data_intents=True)
    silence = tag("button", words("script.chat.silence"), type="button", cls="btn small", data_chat="silence")
    hang_up = tag("button", words("script.chat.hangup"), type="button", cls="btn small", data_chat="hang_up")
    form = tag(
        "form",
        tag("div", say, send, cls="line"),
        tag("div", hears, silence, hang_up, keep, cls="line wraps"),
        data_chat_form=True,
    )
    return tag("div", form, cls="chat-entry")


# -- notices


def restored_notice(words: Words, told: str) -> Markup:
    drop = tag("button", words("script.restored.drop"), type="button", cls="btn small", data_drop=True)
    return tag("p", icon("info"), tag("span", told, cls="grow"), drop, cls="note restored")


def conflict_notice(words: Words, title: str, diff: Markup) -> Markup:
    """Somebody else was faster: three ways on, and both texts."""
    ways = [
        tag(
            "button", words(f"script.conflict.{how}"), type="button", cls=f"btn small {tone}".strip(), data_conflict=how
        )
        for how, tone in (("merge", "primary"), ("mine", ""), ("theirs", ""))
    ]
    head = tag("div", icon("alert"), tag("b", title), cls="line")
    lead = tag("p", words("script.conflict.lead"))
    return tag(
        "section",
        head,
        lead,
        tag("div", *ways, cls="line wraps"),
        tag("details", tag("summary", words("script.diff.text")), diff),
        cls="note bad conflict",
    )


# -- comparing and simulating


def diff_box(
    words: Words,
    others: Sequence[ScriptVersion],
    number: int,
    found: Mapping[str, str] | None,
    graph: bool,
    text: Markup,
) -> Markup:
    """Which version to compare with, what differs as cards, and as text."""
    options = [
        tag(
            "option",
            f"v{v.number} {words(f'script.state.{v.state.value}')}",
            value=v.number,
            selected=v.number == number,
        )
        for v in others
    ]
    choice = tag("label", words("script.diff.with"), " ", tag("select", *options, cls="select", data_diff=True))
    box = tag("input", type="checkbox", checked=graph, data_diff_graph=True)
    show = tag("label", box, tag("span", words("script.diff.graph")), cls="check")
    counts = None
    if found is not None:
        kinds = list(found.values())
        told = words("script.diff.count", **{kind: kinds.count(kind) for kind in ("added", "changed", "removed")})
        chips = [tag("span", name, cls=f"chip mark {kind}", data_goto=name) for name, kind in sorted(found.items())]
        counts = tag("div", tag("b", told), tag("div", *chips, cls="chips"), cls="stack small")
    return tag("div", tag("div", choice, show, cls="line wraps"), counts, text, cls="stack")


def simulate_box(words: Words, most: int) -> Markup:
    def number(name: str, value: int, least: int, limit: int) -> Markup:
        entry = tag("input", type="number", name=name, value=value, min=least, max=limit, cls="input")
        return tag("label", tag("span", words(f"script.sim.{name}")), entry)

    start = tag("button", words("script.sim.start"), type="submit", cls="btn primary")
    form = tag(
        "form",
        number("count", 1000, 1, most),
        number("seed", 1, 0, 10**6),
        start,
        cls="campaign-form",
        data_simulate=True,
    )
    return tag("div", tag("p", words("script.sim.lead"), cls="muted"), form)
