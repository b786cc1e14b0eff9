"""Follow API: promises, tickets, messages and webhooks for programs; and where gateways report to."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from typing import Annotated

import structlog
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import PlainTextResponse

from voicebot.console.api_values import DoneOut
from voicebot.console.follow_values import (
    CountOut,
    DeliveryOut,
    MessageOut,
    PromiseDayOut,
    ReceiptIn,
    ReceiptOut,
    ReplayIn,
    TicketCloseIn,
    TicketNoteIn,
    TicketOut,
    TicketOwnerIn,
    WebhookIn,
    WebhookOut,
    day_out,
    delivery_out,
    message_out,
    ticket_out,
    webhook_out,
)
from voicebot.console.gate import account_of
from voicebot.console.queries import ConsoleData
from voicebot.console.refusals import refusals
from voicebot.console.settings import ConsoleSettings
from voicebot.domain.event import DeliveryState
from voicebot.domain.message import MessageChannel, MessageState
from voicebot.domain.ticket import TicketKind, TicketState
from voicebot.messages.webhook import is_signed

log = structlog.get_logger(__name__)


def follow_routes(data: ConsoleData, settings: ConsoleSettings) -> APIRouter:
    """All routes of what follows calls."""
    router = APIRouter(prefix="/api", tags=["follow-up"])
    _promise_routes(router, data)
    _ticket_routes(router, data)
    _message_routes(router, data)
    _gateway_routes(router, data, settings)
    _webhook_routes(router, data)
    return router


def _promise_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.get("/promises")
    async def promises(month: Annotated[str, Query(pattern=r"^\d{4}-\d{2}$")] = "") -> list[PromiseDayOut]:
        """The promises of a month (YYYY-MM, this one if left out), day by day."""
        today = data.follow.today()
        year, number = (int(month[:4]), int(month[5:])) if month else (today.year, today.month)
        with refusals():
            return [day_out(day) for day in await data.follow.month(year, number)]


def _ticket_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.get("/tickets")
    async def tickets(
        request: Request, state: TicketState = TicketState.OPEN, kind: TicketKind | None = None, mine: bool = False
    ) -> list[TicketOut]:
        """Tickets, the nearest deadline first; agents get their own."""
        found = await data.follow.tickets(account_of(request.scope), state, kind, mine)
        return [ticket_out(ticket, data.follow.now()) for ticket in found]

    @router.get("/tickets/{ticket_id}")
    async def ticket(ticket_id: int, request: Request) -> TicketOut:
        """One ticket with its notes."""
        with refusals():
            return ticket_out(await data.follow.ticket(account_of(request.scope), ticket_id), data.follow.now())

    @router.post("/tickets/{ticket_id}/notes")
    async def note(ticket_id: int, wanted: TicketNoteIn, request: Request) -> DoneOut:
        """Write down what was done or found."""
        with refusals():
            await data.follow.note(account_of(request.scope), ticket_id, wanted.text)
        return DoneOut()

    @router.post("/tickets/{ticket_id}/owner")
    async def owner(ticket_id: int, wanted: TicketOwnerIn, request: Request) -> DoneOut:
        """Hand a ticket to somebody."""
        with refusals():
            await data.follow.give(account_of(request.scope), ticket_id, wanted.owner)
        return DoneOut()

    @router.post("/tickets/{ticket_id}/close")
    async def close(ticket_id: int, wanted: TicketCloseIn, request: Request) -> DoneOut:
        """Close a ticket: contact is resumed, rests until a day, or the case is closed."""
        who = account_of(request.scope)
        with refusals():
            await data.follow.close(who, ticket_id, wanted.decision, wanted.text, wanted.rest_until or None)
        log.info("ticket closed", ticket=ticket_id, decision=wanted.decision.value, by_pii=who.username)
        return DoneOut()


def _message_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.get("/messages")
    async def messages(state: MessageState | None = None) -> list[MessageOut]:
        """The newest hundred messages."""
        return [message_out(message) for message, _ in (await data.follow.post_box(state)).messages]


def _gateway_routes(router: APIRouter, data: ConsoleData, settings: ConsoleSettings) -> None:
    @router.post("/messages/receipts")
    async def receipt(request: Request) -> ReceiptOut:
        """What became of a message, or what its reader answered; signed like the messages themselves."""
        body = await request.body()
        stamp, claimed = (request.headers.get(f"X-Voicebot-{name}", "") for name in ("Timestamp", "Signature"))
        secret = settings.message_secret.encode()
        if not secret or not is_signed(secret, stamp, claimed, body, data.follow.now()):
            raise HTTPException(401, "the signature is wrong, or its time is more than five minutes off")
        try:
            told = ReceiptIn.model_validate_json(body)
        except ValueError as wrong:
            raise HTTPException(422, f"not a receipt: {wrong}"[:500]) from wrong
        channel = MessageChannel(told.channel)
        if told.from_:
            return ReceiptOut(stopped=await data.follow.answered(channel, told.from_, told.text))
        if not told.state or not (told.key or told.id):
            raise HTTPException(422, "a receipt names key or id, and state")
        state = MessageState(told.state)
        known = await data.follow.receipt(told.key or told.id, state, told.why, None if told.key else channel)
        return ReceiptOut(known=known, stopped=known and state is MessageState.UNSUBSCRIBED)

    @router.get("/messages/wechat")
    async def wechat_asks(request: Request) -> PlainTextResponse:
        """WeChat's question whether this is our server."""
        _from_wechat(request, settings.wechat_token)
        return PlainTextResponse(request.query_params.get("echostr", "")[:200])

    @router.post("/messages/wechat")
    async def wechat_tells(request: Request) -> PlainTextResponse:
        """What became of a template message, and who follows no more."""
        _from_wechat(request, settings.wechat_token)
        told = _elements(await request.body())
        if told.get("Event") == "TEMPLATESENDJOBFINISH":
            status = told.get("Status", "")
            state = MessageState.DELIVERED if status == "success" else MessageState.FAILED
            await data.follow.receipt(told.get("MsgID", "-"), state, f"WeChat: {status}", MessageChannel.WECHAT)
        elif told.get("Event") == "unsubscribe" and told.get("FromUserName"):
            await data.follow.answered(MessageChannel.WECHAT, told["FromUserName"], "退订")
        return PlainTextResponse("success")


def _from_wechat(request: Request, token: str) -> None:
    """The check that the platform prescribes: SHA-1 over token, timestamp and nonce, sorted."""
    asked = request.query_params
    parts = sorted((token, asked.get("timestamp", ""), asked.get("nonce", "")))
    wanted = hashlib.sha1("".join(parts).encode(), usedforsecurity=False).hexdigest()
    if not token or not hmac.compare_digest(wanted.encode(), asked.get("signature", "").encode()):
        raise HTTPException(401, "this is not signed with VOICEBOT_WECHAT_TOKEN")


def _elements(body: bytes) -> dict[str, str]:
    """The flat XML of WeChat's events; read without an XML parser, as nothing in it is nested."""
    text = body.decode("utf-8", "replace")
    found = re.findall(r"<(\w{1,40})>(?:<!\[CDATA\[([^\]]{0,500})\]\]>|([^<>]{0,500}))</\1>", text)
    return {name: told or plain for name, told, plain in found}


def _webhook_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.get("/webhooks")
    async def webhooks() -> list[WebhookOut]:
        """Who is told of what."""
        return [webhook_out(webhook) for webhook in await data.follow.webhooks()]

    @router.post("/webhooks", status_code=201)
    async def save(wanted: WebhookIn, request: Request) -> WebhookOut:
        """Add a webhook or change it; the answer tells its secret, this once."""
        events = wanted.events if isinstance(wanted.events, list) else re.findall(r"[^\s,，]+", wanted.events)
        with refusals():
            webhook = await data.follow.save_webhook(wanted.name.strip(), wanted.url.strip(), events, wanted.secret)
        log.info("webhook saved", webhook=webhook.name, by_pii=account_of(request.scope).username)
        return webhook_out(webhook, secret=True)

    @router.post("/webhooks/{name}/remove")
    async def remove(name: str, request: Request) -> DoneOut:
        """Tell it nothing more."""
        with refusals():
            await data.follow.remove_webhook(name)
        log.info("webhook removed", webhook=name, by_pii=account_of(request.scope).username)
        return DoneOut()

    @router.post("/webhooks/{name}/test")
    async def test(name: str) -> DoneOut:
        """Send it a test event."""
        with refusals():
            await data.follow.test_webhook(name)
        return DoneOut()

    @router.post("/webhooks/{name}/replay")
    async def replay(name: str, wanted: ReplayIn | None = None) -> CountOut:
        """Send again what was given up, one delivery, or everything since a time."""
        since = wanted.since if wanted else None
        if since is not None and since.tzinfo is None:
            since = since.replace(tzinfo=dt.UTC)
        with refusals():
            return CountOut(count=await data.follow.replay_webhook(name, since, wanted.delivery_id if wanted else None))

    @router.get("/webhooks/deliveries")
    async def deliveries(name: str | None = None, state: DeliveryState | None = None) -> list[DeliveryOut]:
        """The newest hundred; state dead is what was given up."""
        return [delivery_out(delivery) for delivery in await data.follow.deliveries(name, state)]
