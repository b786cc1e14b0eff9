"""Script chat: a conversation with the text being written - every turn can be changed and played again from there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from voicebot.console.icons import icon
from voicebot.console.markup import Child, tag
from voicebot.console.script_ear import Ear
from voicebot.console.shell import empty
from voicebot.console.words import Words
from voicebot.dialog.actions import (
    BookCallback,
    HangUp,
    PageSupervisor,
    Say,
    SetDisposition,
    StopContact,
    Transfer,
    Verified,
)
from voicebot.dialog.plays import BEGIN, Exchange, PlayError, explained, play
from voicebot.dialog.script import Script
from voicebot.dialog.state import Phase


@dataclass
class Chat:
    """What was said to the script so far; `played` is what it made of that with the text as it is now."""

    ear: Ear
    begin: dict[str, Any] = field(default_factory=lambda: dict(BEGIN))
    events: list[dict[str, Any]] = field(default_factory=list)
    played: list[Exchange] = field(default_factory=list)
    trouble: str = ""

    @property
    def told(self) -> list[dict[str, Any]]:
        """The whole conversation as events, as a test keeps it."""
        return [{"begin": self.begin}, *self.events]

    async def replay(self, script: Script) -> None:
        """Play everything again; what comes after an earlier end is dropped."""
        await self.ear.ready()
        try:
            self.played = await asyncio.to_thread(play, script, self.told, self.ear.understand)
            self.trouble = ""
        except PlayError as error:
            self.trouble = str(error)
            return
        del self.events[len(self.played) - 1 :]

    def load(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Take over a kept conversation."""
        first = dict(events[0]).get("begin") if events else None
        self.begin = dict(BEGIN) | dict(first or {})
        self.events = [dict(event) for event in events if "begin" not in event]

    def set_case(self, values: Mapping[str, Any]) -> None:
        """Change whom the script talks to; ValueError for figures that are none."""
        self.begin |= {
            "name": str(values.get("name") or BEGIN["name"])[:20],
            "id_last4": str(values.get("id_last4") or "")[:4],
            "birth_mmdd": str(values.get("birth_mmdd") or "")[:4],
            "amount_fen": max(1, round(float(values.get("amount") or 0) * 100)),
            "overdue_days": round(float(values.get("overdue_days") or 0)),
            "agent": bool(values.get("agent")),
        }


# -- drawing


def drawn_chat(words: Words, chat: Chat) -> Markup:
    """The conversation; callee's lines carry `data-turn`, their number among the events."""
    if not chat.played:
        return empty("calls", words("loading"), small=True)
    turns: list[Markup] = []
    for index, exchange in enumerate(chat.played):
        if index:
            turns.append(_callee(words, exchange, index - 1))
        turns += _bot(words, exchange)
    trouble = tag("p", icon("alert"), chat.trouble, cls="note bad") if chat.trouble else None
    return tag("ol", *turns, trouble, cls="chat")


def _callee(words: Words, exchange: Exchange, turn: int) -> Markup:
    understanding = exchange.understanding
    told = exchange.told
    chosen = told.get("intents")
    tags: list[Child] = []
    if understanding is not None:
        named = [words.intent(score.id) for score in understanding.intents[:3]]
        tags = [tag("span", name, cls="chip") for name in named]
        if understanding.emotion.label.value != "neutral" and understanding.emotion.p >= 0.6:
            label = understanding.emotion.label.value
            tags.append(tag("span", words(label), cls=f"chip emotion e-{label}"))
        if understanding.danger:
            tags.append(tag("span", words("danger"), cls="chip bad"))
        if chosen:
            tags.append(tag("span", words("script.chat.chosen", intents=""), cls="chip accent"))
    edit = _tool(words, "pen", "script.chat.edit", "edit", turn)
    cut = _tool(words, "x", "script.chat.cut", "cut", turn)
    said = tag("p", told_as(words, told), cls="text")
    row = tag("div", *tags, edit, cut, cls="tags")
    return tag("li", said, row, cls="callee", data_turn=turn, data_said=str(told.get("say", "")))


def _tool(words: Words, sign: str, title: str, verb: str, turn: int) -> Markup:
    told = words(title)
    more = {"data_chat_edit": verb == "edit", "data_chat_cut": verb == "cut"}
    return tag("button", icon(sign), type="button", cls="tool", title=told, aria_label=told, data_at=turn, **more)


def told_as(words: Words, told: Mapping[str, Any]) -> str:
    """One event as a reader sees it."""
    if "say" in told:
        text = str(told["say"])
        return text or "、".join(words.intent(str(intent)) for intent in told.get("intents") or ())
    if "key" in told:
        return words("script.chat.event.key", digit=told["key"])
    if "transfer" in told:
        return words("script.chat.event.transfer" if told["transfer"] else "script.chat.event.nobody")
    return words(f"script.chat.event.{next(iter(told), 'silence')}")


def _bot(words: Words, exchange: Exchange) -> list[Markup]:
    rows: list[Markup] = []
    why = " · ".join(f"{e.from_node} → {e.to_node}" for e in explained(exchange) if e.from_node != e.to_node)
    reasons = "\n".join(f"{e.branch}: {words.explain(e.why)}" for e in explained(exchange))
    for action in exchange.actions:
        match action:
            case Say():
                hear = tag("button", icon("play"), type="button", cls="tool", data_hear=action.text)
                rows.append(tag("li", tag("p", action.text, cls="text"), hear, cls="bot", data_node=action.node))
            case (
                Transfer()
                | BookCallback()
                | StopContact()
                | PageSupervisor()
                | SetDisposition()
                | Verified()
                | HangUp()
            ):
                rows.append(tag("li", _deed(words, action), cls="deed"))
            case _:
                pass
    if why:
        rows.append(tag("li", tag("details", tag("summary", why), tag("pre", reasons)), cls="why"))
    return rows


def _deed(words: Words, action: object) -> str:
    match action:
        case Transfer():
            return words("script.chat.transfer", reason=action.reason)
        case BookCallback():
            return words("fact.callback_booked") + (f" {words.moment(action.at)}" if action.at else "")
        case StopContact():
            return words("script.do.stop_contact")
        case PageSupervisor():
            return words("script.do.page_supervisor")
        case SetDisposition():
            return f"{words('script.chat.outcome')}：{words(action.disposition.value)}"
        case Verified():
            return words("fact.verified")
    return words("script.chat.over")


def drawn_state(words: Words, chat: Chat) -> Markup | str:
    """Where the conversation stands."""
    if not chat.played:
        return ""
    state = chat.played[-1].state
    pending, made = state.pending, state.promise
    rows: list[tuple[str, Child]] = [
        (words("script.chat.node"), tag("code", state.node, data_goto=state.node)),
        (words("script.chat.phase"), words(f"script.phase.{state.phase.value}")),
        (words("call.identity"), words("verified" if state.verified else "unverified")),
        (words("script.chat.outcome"), words(state.disposition) if state.disposition else "—"),
        (words("script.chat.turns"), state.turns),
    ]
    if (pending.date or pending.amount_fen) and made is None:
        money = words.money(pending.amount_fen) if pending.amount_fen else ""
        rows.append((words("script.chat.pending"), f"{pending.date or ''} {money}".strip()))
    if made:
        rows.append((words("script.chat.promise"), f"{made.date} {words.money(made.amount_fen)}"))
    listed = [tag("div", tag("dt", name), tag("dd", value)) for name, value in rows]
    return tag("dl", *listed, cls="facts state")


def waits_for_person(chat: Chat) -> bool:
    return bool(chat.played) and chat.played[-1].state.phase is Phase.TRANSFERRING


def is_over(chat: Chat) -> bool:
    return bool(chat.played) and chat.played[-1].state.phase in (Phase.ENDED, Phase.HANDED_OVER)
