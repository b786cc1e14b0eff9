"""/dialling - the live board: calls now, answers, who waits, trunks, pace, breakers; and the buttons that halt."""

from __future__ import annotations

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.dialling_data import CampaignView, DiallingView
from voicebot.console.icons import icon
from voicebot.console.markup import Child, tag
from voicebot.console.shell import Console, Visit, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.campaign import CampaignState
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.pace import BreakerState, Share

LOOK_S = 0.25
_BREAKERS = {BreakerState.CLOSED: "good", BreakerState.OPEN: "bad", BreakerState.TRIAL: "warn"}
_TRUNKS = {"up": "good", "trial": "warn", "paused": "warn"}


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/dialling", response_timeout=10)
    async def dialling(request: Request) -> None:
        visit, board = visit_of(request), console.dialling
        board.watch()
        await board.refresh()
        with shell(console, visit, "/dialling", visit.words("dialling.title")):
            drawn = markup(board_markup(visit, board.view))
            seen = [board.version]

            def push() -> None:
                board.watch()
                if board.version != seen[0]:
                    seen[0] = board.version
                    drawn.content = board_markup(visit, board.view)

            ui.timer(LOOK_S, push)


def board_markup(visit: Visit, view: DiallingView) -> Markup:
    """The whole board."""
    words = visit.words
    head = heading(words("dialling.title"), words("dialling.lead"), _halt_button(words, view))
    return tag("div", head, _halted(words, view), _figures(words, view), _campaigns(visit, view),
               _trunks(words, view), cls="stack", data_board="dialling")  # fmt: skip


def _halt_button(words: Words, view: DiallingView) -> Markup:
    if view.halt is not None:
        return tag("button", icon("play"), words("dialling.go_on"), cls="btn primary",
                   data_post="/api/dialling/go-on", data_done=words("dialling.went_on"))  # fmt: skip
    return tag(
        "button",
        icon("pause"),
        words("dialling.halt"),
        cls="btn danger",
        data_post="/api/dialling/halt",
        data_confirm=words("dialling.halt.ask"),
        data_confirm_lead=words("dialling.halt.lead"),
        data_cancel=words("cancel"),
        data_verb=words("dialling.halt"),
        data_done=words("dialling.halt.done"),
    )


def _halted(words: Words, view: DiallingView) -> Markup | None:
    if view.halt is None:
        return None
    at = view.halt.since.astimezone(SHANGHAI).strftime("%H:%M:%S")
    lead = words("dialling.halted.lead", by=view.halt.by, at=at, why=view.halt.why)
    return tag("section", empty("pause", words("dialling.halted"), lead, small=True), cls="panel", role="status")


def _figures(words: Words, view: DiallingView) -> Markup:
    flows = [one.pulse.flow for one in view.campaigns]
    below = words(
        "dialling.calls.below",
        ringing=sum(flow.ringing for flow in flows),
        talking=sum(flow.talking for flow in flows),
        people=sum(flow.with_people for flow in flows),
    )
    stats = (
        _stat(words("dialling.calls"), view.load.calls_running, below),
        _stat(words("dialling.answered"), _percent(view.answered),
              words("dialling.answered.below", of=view.answered.of)),
        _stat(words("dialling.waiting"), view.waiting, words(
            "dialling.waiting.below", seconds=view.waiting_s, free=view.load.agents.get("ready", 0))),
        _stat(words("dialling.due"), view.load.attempts_due,
              words("dialling.due.below", later=view.load.attempts_later)),
    )  # fmt: skip
    return tag("section", *stats, cls="panel stats")


def _campaigns(visit: Visit, view: DiallingView) -> Markup:
    words = visit.words
    if not view.campaigns:
        nothing = empty("campaigns", words("dialling.none"), words("dialling.none.lead"), small=True)
        return panel("campaigns", words("dialling.campaigns"), nothing, inset=False)
    names = (
        ("dialling.campaigns", ""),
        ("dialling.mode", "hide-phone"),
        ("dialling.flow", "right"),
        ("dialling.answered", "right"),
        ("dialling.abandoned", "right hide-phone"),
        ("dialling.room", "right hide-phone"),
        ("dialling.breaker", ""),
    )
    heads = [tag("th", words(name), cls=cls) for name, cls in names]
    table = tag("table", tag("thead", tag("tr", *heads, tag("th", ""))),
                tag("tbody", *(_campaign(visit, one) for one in view.campaigns)), cls="rows")  # fmt: skip
    return panel("campaigns", words("dialling.campaigns"), tag("div", table, cls="scroll"), inset=False)


def _campaign(visit: Visit, one: CampaignView) -> Markup:
    words, pulse, flow = visit.words, one.pulse, one.pulse.flow
    paused = tag("span", words("dialling.paused"), cls="chip warn") if pulse.state is CampaignState.PAUSED else None
    counts = f"{flow.ringing} / {flow.talking} / {flow.waiting} / {flow.with_people}"
    room = words("dialling.room.free") if one.room is None else one.room
    return tag(
        "tr",
        tag("td", tag("b", pulse.name), paused),
        tag("td", words(f"mode.{flow.mode.value}"), cls="hide-phone"),
        tag("td", counts, cls="num right"),
        tag("td", _percent(flow.answered), cls="num right"),
        tag("td", _percent(flow.abandoned) if flow.mode.needs_people else "—", cls="num right hide-phone"),
        tag("td", room, cls="num right hide-phone"),
        tag("td", _breaker(words, one)),
        tag("td", _pause_button(words, one), cls="right"),
        data_campaign=pulse.campaign_id,
    )


def _breaker(words: Words, one: CampaignView) -> Markup:
    breaker = one.pulse.breaker
    at = breaker.until.astimezone(SHANGHAI).strftime("%H:%M:%S") if breaker.until else ""
    said = words(f"dialling.breaker.{breaker.state.value}", at=at)
    return tag("span", said, cls=f"chip dot {_BREAKERS[breaker.state]}")


def _pause_button(words: Words, one: CampaignView) -> Markup:
    is_paused = one.pulse.state is CampaignState.PAUSED
    verb, done = ("resume", "resumed") if is_paused else ("pause", "paused")
    return tag(
        "button",
        icon("play" if is_paused else "pause"),
        words(f"dialling.{verb}"),
        cls="btn small",
        data_post=f"/api/dialling/campaigns/{one.pulse.campaign_id}/{verb}",
        data_done=words(f"dialling.{done}"),
    )


def _trunks(words: Words, view: DiallingView) -> Markup | None:
    if not view.trunks:
        return None
    rows = [
        tag(
            "tr",
            tag("td", tag("b", trunk.name)),
            tag("td", tag("span", words(f"lines.{trunk.state}", seconds=trunk.paused_s),
                          cls=f"chip dot {_TRUNKS.get(trunk.state, 'bad')}")),
            tag("td", f"{trunk.used}/{trunk.channels}", cls="num right"),
            tag("td", f"{trunk.per_second:.1f}/{trunk.most_per_second:g}", cls="num right"),
            tag("td", trunk.last_failure or "—", cls="hide-phone"),
        )
        for trunk in view.trunks
    ]  # fmt: skip
    names = (("lines.trunk", ""), ("col.state", ""), ("lines.used", "right"), ("lines.rate", "right"),
             ("lines.failure", "hide-phone"))  # fmt: skip
    heads = [tag("th", words(name), cls=cls) for name, cls in names]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), cls="rows")
    return panel("path", words("dialling.trunks"), tag("div", table, cls="scroll"), inset=False)


def _percent(share: Share) -> str:
    return f"{share.count / share.of:.0%}" if share.of else "—"


def _stat(name: str, value: Child, below: Child) -> Markup:
    return tag("div", tag("span", name), tag("b", value), tag("small", below), cls="stat")
