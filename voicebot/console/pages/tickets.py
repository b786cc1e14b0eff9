"""/tickets - what people must do, by deadline; and the card of one ticket."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from fastapi import Request
from fastapi.responses import PlainTextResponse, Response
from markupsafe import Markup
from nicegui import ui

from voicebot.console.follow_data import NotYourTicket
from voicebot.console.icons import icon
from voicebot.console.markup import Child, tag
from voicebot.console.masking import name_shown
from voicebot.console.shell import Console, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.records import Role
from voicebot.domain.ticket import Decision, Ticket, TicketKind, TicketState

SOON = dt.timedelta(days=1)
_GRAVE = {TicketKind.DANGER: "bad", TicketKind.COMPLAINT: "bad", TicketKind.FRAUD: "warn", TicketKind.DISPUTE: "warn"}
_REDRAW_S = 10.0


def register(console: Console) -> None:
    """Add both pages."""

    @ui.page("/tickets", response_timeout=10)
    async def tickets(request: Request, state: str = "open", kind: str = "", mine: str = "") -> None:
        visit = visit_of(request)
        words, data = visit.words, console.data.follow
        wanted = TicketState.CLOSED if state == "closed" else TicketState.OPEN
        only = TicketKind(kind) if kind in tuple(TicketKind) else None
        found = await data.tickets(visit.who, wanted, only, mine == "1")
        with shell(console, visit, "/tickets", words("tickets.title")):
            markup(heading(words("tickets.title"), words("tickets.lead")))
            filters = _filters(words, wanted, only, mine == "1", visit.who.role != Role.AGENT)
            listed = markup(tag("section", filters, ticket_table(words, found, data.now()), cls="panel"))

            async def redraw() -> None:
                again = await data.tickets(visit.who, wanted, only, mine == "1")
                listed.content = tag("section", filters, ticket_table(words, again, data.now()), cls="panel")

            ui.timer(_REDRAW_S, redraw)

    @ui.page("/tickets/{ticket_id}", response_timeout=10)
    async def ticket(request: Request, ticket_id: int) -> Response | None:
        visit = visit_of(request)
        words, data = visit.words, console.data.follow
        try:
            found = await data.ticket(visit.who, ticket_id)
        except NotYourTicket as refused:
            return PlainTextResponse(str(refused), status_code=403)
        except LookupError as unknown:
            return PlainTextResponse(str(unknown), status_code=404)
        owners = await data.owners()
        title = words("tickets.one", id=ticket_id)
        with shell(console, visit, "/tickets", title):
            name = name_shown(found.debtor_name or "") or found.case_id or ""
            back = ("/tickets", words("tickets.title"))
            markup(heading(f"{words(f'ticket.{found.kind.value}')} · {name}", title, back=back))
            drawn = markup(ticket_card(words, found, data.rule_source(found.kind), data.now()))
            forms = markup(ticket_forms(words, found, owners))

            async def redraw() -> None:
                again = await data.ticket(visit.who, ticket_id)
                drawn.content = ticket_card(words, again, data.rule_source(again.kind), data.now())
                forms.content = ticket_forms(words, again, owners)

            ui.on("tickets", redraw)
        return None


def _filters(words: Words, state: TicketState, kind: TicketKind | None, mine: bool, may_all: bool) -> Markup:
    states = [tag("option", words(f"tickets.state.{one.value}"), value=one.value, selected=one is state)
              for one in TicketState]  # fmt: skip
    kinds = [tag("option", words(f"ticket.{one.value}"), value=one.value, selected=one is kind) for one in TicketKind]
    every = tag("option", words("tickets.all"), value="")
    check = tag("input", type="checkbox", name="mine", value="1", checked=mine, data_submit=True)
    return tag(
        "form",
        tag("select", *states, name="state", cls="select", data_submit=True, aria_label=words("col.state")),
        tag("select", every, *kinds, name="kind", cls="select", data_submit=True, aria_label=words("tickets.kind")),
        tag("label", check, words("tickets.mine")) if may_all else None,
        cls="filters",
    )


def ticket_table(words: Words, found: Sequence[Ticket], now: dt.datetime) -> Markup:
    """The list, the nearest deadline first."""
    if not found:
        return empty("check", words("tickets.none"), words("tickets.none.lead"))
    names = (("tickets.kind", ""), ("tickets.debtor", ""), ("tickets.owner", ""), ("tickets.deadline", ""),
             ("tickets.opened", "hide-phone"))  # fmt: skip
    heads = [tag("th", words(name), cls=cls) for name, cls in names]
    rows = [
        tag(
            "tr",
            tag("td", tag("a", kind_chip(words, ticket), href=f"/tickets/{ticket.id}", cls="cover")),
            tag("td", tag("b", name_shown(ticket.debtor_name) or "—"), tag("span", ticket.case_id, cls="sub num")),
            tag("td", ticket.owner or tag("span", words("tickets.owner.none"), cls="faint")),
            tag("td", deadline_chip(words, ticket, now)),
            tag("td", words.moment(ticket.opened_at), cls="num hide-phone"),
        )
        for ticket in found
    ]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), cls="rows tickets")
    return tag("div", table, cls="scroll")


def kind_chip(words: Words, ticket: Ticket) -> Markup:
    return tag("span", words(f"ticket.{ticket.kind.value}"), cls=f"chip {_GRAVE.get(ticket.kind, 'accent')}")


def deadline_chip(words: Words, ticket: Ticket, now: dt.datetime) -> Markup:
    """Red when it is over, amber in the last day; how it was closed, once it is."""
    if ticket.state is TicketState.CLOSED:
        decided = words(f"decision.{ticket.decision.value}") if ticket.decision else words("tickets.state.closed")
        return tag("span", decided, cls="chip")
    moment = words.moment(ticket.deadline)[:-3]
    if ticket.late(now):
        return tag("span", f"{moment} · {words('tickets.late')}", cls="chip dot bad num")
    if ticket.deadline - now < SOON:
        return tag("span", f"{moment} · {words('tickets.soon')}", cls="chip dot warn num")
    return tag("span", moment, cls="chip num")


def ticket_card(words: Words, ticket: Ticket, source: str, now: dt.datetime) -> Markup:
    """What is known of it, and everything that was written about it."""
    rows: list[tuple[str, Child]] = [
        ("tickets.kind", kind_chip(words, ticket)),
        ("tickets.owner", ticket.owner or words("tickets.owner.none")),
        ("tickets.deadline", deadline_chip(words, ticket, now)),
        ("tickets.source", source),
        ("tickets.opened", words.moment(ticket.opened_at)),
    ]
    if ticket.case_id:
        rows.append(("promises.col.case", tag("a", ticket.case_id, href=f"/cases/{ticket.case_id}", cls="num")))
    if ticket.call_id:
        rows.append(("tickets.call", tag("a", ticket.call_id[:12], href=f"/calls/{ticket.call_id}", cls="num")))
    if ticket.level:
        rows.append(("tickets.level", tag("span", words("tickets.level", level=ticket.level), cls="chip warn")))
    if ticket.rest_until:
        rows.append(("tickets.rest_until", words.date(ticket.rest_until)))
    pairs = [(tag("dt", "" if key == "tickets.level" else words(key)), tag("dd", value)) for key, value in rows]
    facts = panel("info", words("tickets.one", id=ticket.id), tag("dl", *pairs, cls="facts"))
    return tag("div", facts, _history(words, ticket), cls="ticket-card")


def _history(words: Words, ticket: Ticket) -> Markup:
    notes = [
        tag(
            "li",
            tag("div", tag("b", note.by), tag("span", words.moment(note.at), cls="faint num"), cls="line"),
            tag("p", note.text),
            tag("a", note.call_id[:12], href=f"/calls/{note.call_id}", cls="faint num") if note.call_id else None,
        )
        for note in ticket.notes
    ]
    return panel("cases", words("tickets.history"), tag("ol", *notes, cls="ticket-notes"))


def ticket_forms(words: Words, ticket: Ticket, owners: Sequence[str]) -> Markup:
    """Note, hand over, close; nothing where it is closed."""
    if ticket.state is TicketState.CLOSED:
        return Markup("")
    base = f"/api/tickets/{ticket.id}"
    text = tag("textarea", name="text", cls="input", rows=3, required=True, maxlength=2000)
    note = _form(words, f"{base}/notes", "tickets.note.add", tag("label", words("tickets.note"), text))
    names = [tag("option", name, value=name, selected=name == ticket.owner) for name in owners]
    pick = tag("select", *names, name="owner", cls="select")
    give = _form(words, f"{base}/owner", "tickets.give", tag("label", words("tickets.owner"), pick))
    ways = [tag("option", words(f"decision.{one.value}"), value=one.value) for one in Decision]
    reason = tag("textarea", name="text", cls="input", rows=3, required=True, maxlength=2000)
    close = _form(
        words, f"{base}/close", "tickets.close",
        tag("label", words("tickets.decision"), tag("select", *ways, name="decision", cls="select")),
        tag("label", words("tickets.rest_until"), tag("input", type="date", name="rest_until", cls="input")),
        tag("label", words("tickets.note"), reason), primary=True,
    )  # fmt: skip
    parts = (("cases", "tickets.note", note), ("person", "tickets.give", give), ("check", "tickets.close", close))
    return tag("div", *(panel(sign, words(key), form) for sign, key, form in parts), cls="ticket-forms")


def _form(words: Words, post: str, verb: str, *fields: Markup, primary: bool = False) -> Markup:
    save = tag("button", icon("check"), words(verb), cls="btn primary" if primary else "btn", type="submit")
    return tag(
        "form", *fields, save, cls="ticket-form", data_form=post, data_done=words("tickets.saved"),
        data_saved="tickets",
    )  # fmt: skip
