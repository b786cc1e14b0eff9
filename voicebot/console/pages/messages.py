"""/messages - the outbox with its states, and the webhooks by which other systems are told of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.follow_data import PostBox
from voicebot.console.follow_values import mask_address
from voicebot.console.follow_words import FOLLOW_TEXTS
from voicebot.console.icons import icon
from voicebot.console.markup import Attribute, tag
from voicebot.console.shell import Console, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.event import Delivery, DeliveryState, EventKind, Webhook
from voicebot.domain.message import Message, MessageChannel, MessageState

_TONES = {
    MessageState.DELIVERED: "good", MessageState.SENT: "accent", MessageState.FAILED: "bad",
    MessageState.REFUSED: "warn", MessageState.UNSUBSCRIBED: "warn",
}  # fmt: skip
_REDRAW_S = 5.0
_SHOWN = (MessageState.WAITING, MessageState.SENT, MessageState.DELIVERED, MessageState.FAILED, MessageState.REFUSED)


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/messages", response_timeout=10)
    async def messages(request: Request, state: str = "") -> None:
        visit = visit_of(request)
        words, data = visit.words, console.data.follow
        wanted = MessageState(state) if state in tuple(MessageState) else None
        box = await data.post_box(wanted)
        with shell(console, visit, "/messages", words("messages.title")):
            markup(heading(words("messages.title"), words("messages.lead")))
            counts = markup(counts_panel(words, box))
            listed = markup(outbox_panel(words, box, wanted)).classes("people-box")
            hooks = markup(webhooks_panel(words, box)).classes("people-box")
            markup(webhook_form(words))

            async def redraw() -> None:
                again = await data.post_box(wanted)
                counts.content = counts_panel(words, again)
                listed.content = outbox_panel(words, again, wanted)
                hooks.content = webhooks_panel(words, again)

            ui.on("webhooks", redraw)
            ui.timer(_REDRAW_S, redraw)


def counts_panel(words: Words, box: PostBox) -> Markup:
    """One row for each channel that was used in the last week."""
    used = [channel for channel in MessageChannel if any(key[0] is channel for key in box.counts)]
    if not used:
        return Markup("")
    states = [tag("th", words(f"message.{one.value}"), cls="right") for one in _SHOWN]
    rows = [
        tag("tr", tag("td", words(f"channel.{channel.value}")),
            *(tag("td", box.counts.get((channel, one), 0) or "—", cls="num right") for one in _SHOWN))
        for channel in used
    ]  # fmt: skip
    head = tag("tr", tag("th", words("messages.week")), *states)
    table = tag("table", tag("thead", head), tag("tbody", *rows), cls="rows")
    return tag("section", tag("div", table, cls="scroll"), cls="panel people-box")


def outbox_panel(words: Words, box: PostBox, wanted: MessageState | None) -> Markup:
    """The newest messages."""
    states = [tag("option", words(f"message.{one.value}"), value=one.value, selected=one is wanted)
              for one in MessageState]  # fmt: skip
    every = tag("option", words("messages.any"), value="")
    pick = tag("select", every, *states, name="state", cls="select", data_submit=True, aria_label=words("col.state"))
    filters = tag("form", pick, cls="filters")
    if not box.messages:
        nothing = empty("live", words("messages.none"), words("messages.none.lead"))
        return panel("live", words("messages.outbox"), filters, nothing, inset=False)
    names = (("tickets.debtor", ""), ("messages.to", ""), ("messages.kind", "hide-phone"), ("col.state", ""),
             ("messages.at", ""), ("messages.why", "hide-phone"))  # fmt: skip
    heads = [tag("th", words(name), cls=cls) for name, cls in names]
    rows = [_message(words, message, name) for message, name in box.messages]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), cls="rows")
    return panel("live", words("messages.outbox"), filters, tag("div", table, cls="scroll"), inset=False)


def _message(words: Words, message: Message, name: str) -> Markup:
    key = f"message.{message.kind}"
    kind = words(key) if words(key) != key else message.kind
    instead = words("messages.instead", id=message.instead_of) if message.instead_of else None
    state = tag("span", words(f"message.{message.state.value}"), cls=f"chip dot {_TONES.get(message.state, '')}")
    why = words(f"why.{message.why}") if f"why.{message.why}" in FOLLOW_TEXTS else message.why
    at = message.delivered_at or message.sent_at or message.not_before
    return tag(
        "tr",
        tag("td", tag("a", name, href=f"/cases/{message.case_id}"), tag("span", message.case_id, cls="sub num")),
        tag("td", tag("span", words(f"channel.{message.channel.value}"), cls="chip"), " ",
            tag("span", mask_address(message.to), cls="num"), tag("span", instead, cls="sub") if instead else None),
        tag("td", kind, cls="hide-phone"),
        tag("td", state),
        tag("td", words.moment(at), cls="num"),
        tag("td", why or "—", tag("span", message.rule, cls="sub num") if message.rule else None,
            cls="hide-phone why"),
    )  # fmt: skip


def webhooks_panel(words: Words, box: PostBox) -> Markup:
    """Who is told, how it goes, and what was given up."""
    if not box.webhooks:
        nothing = empty("path", words("webhooks.none"), small=True)
        return panel("path", words("webhooks.title"), nothing, inset=False)
    rows = [_webhook(words, webhook, box.deliveries.get(webhook.name, {})) for webhook in box.webhooks]
    names = ("webhooks.name", "webhooks.events", "col.state", "")
    heads = [tag("th", words(name) if name else "") for name in names]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), cls="rows")
    dead = _given_up(words, box.dead)
    return panel("path", words("webhooks.title"), tag("div", table, cls="scroll"), dead, inset=False)


def _webhook(words: Words, webhook: Webhook, counts: Mapping[DeliveryState, int]) -> Markup:
    events = [tag("span", kind.value, cls="chip") for kind in webhook.events]
    waiting = counts.get(DeliveryState.WAITING, 0) + counts.get(DeliveryState.SENDING, 0)
    dead, done = counts.get(DeliveryState.DEAD, 0), counts.get(DeliveryState.DELIVERED, 0)
    chips = [("good", "webhooks.delivered", done), ("", "webhooks.waiting", waiting), ("bad", "webhooks.dead", dead)]
    states = [tag("span", words(key, count=count), cls=f"chip dot {tone}") for tone, key, count in chips
              if count or tone == "good"]  # fmt: skip
    base = f"/api/webhooks/{webhook.name}"
    remove = _button(
        words("webhooks.remove"), f"{base}/remove", cls="btn small quiet",
        data_confirm=words("webhooks.remove.ask", name=webhook.name), data_confirm_lead=words("webhooks.remove.lead"),
        data_cancel=words("cancel"), data_verb=words("webhooks.remove"),
    )  # fmt: skip
    replay = _button(words("webhooks.replay"), f"{base}/replay") if counts.get(DeliveryState.DEAD) else None
    return tag(
        "tr",
        tag("td", tag("b", webhook.name), tag("span", webhook.url, cls="sub")),
        tag("td", tag("div", *events, cls="chips") if events else words("webhooks.events.all")),
        tag("td", tag("div", *states, cls="chips")),
        tag("td", tag("div", remove, replay, _button(words("webhooks.test"), f"{base}/test"), cls="line end"),
            cls="right"),
    )  # fmt: skip


def _button(title: str, post: str, cls: str = "btn small", **more: Attribute) -> Markup:
    return tag("button", title, cls=cls, type="button", data_post=post, data_saved="webhooks", **more)


def _given_up(words: Words, dead: Sequence[Delivery]) -> Markup | None:
    if not dead:
        return None
    rows = [
        tag("tr", tag("td", one.webhook), tag("td", one.event.kind.value, tag("span", one.event.key, cls="sub num")),
            tag("td", one.why), tag("td", words.moment(one.event.at), cls="num right"))
        for one in dead
    ]  # fmt: skip
    head = tag("tr", tag("th", words("webhooks.given_up"), colspan=4))
    return tag("div", tag("table", tag("thead", head), tag("tbody", *rows), cls="rows"), cls="scroll given-up")


def webhook_form(words: Words) -> Markup:
    """Adds a webhook or changes the one of this name."""
    kinds = [tag("option", value=kind.value) for kind in EventKind]
    entries = (
        ("webhooks.name", tag("input", name="name", cls="input", required=True, maxlength=40)),
        ("webhooks.url", tag("input", name="url", cls="input", type="url", required=True, maxlength=500,
                             placeholder="https://")),
        ("webhooks.events", tag("input", name="events", cls="input", list="event-kinds", maxlength=300,
                                placeholder=words("webhooks.events.all"))),
        ("webhooks.secret", tag("input", name="secret", cls="input", maxlength=200, autocomplete="off",
                                placeholder=words("webhooks.secret.hint"))),
    )  # fmt: skip
    fields = [tag("label", tag("span", words(key)), entry) for key, entry in entries]
    save = tag("button", words("people.save"), cls="btn primary", type="submit")
    form = tag("form", *fields, tag("datalist", *kinds, id="event-kinds"), save, cls="in campaign-form",
               data_form="/api/webhooks", data_done=words("tickets.saved"), data_saved="webhooks")  # fmt: skip
    summary = tag("summary", icon("path"), tag("h2", words("webhooks.new")), cls="cap")
    return tag("details", summary, form, cls="panel new-campaign")
