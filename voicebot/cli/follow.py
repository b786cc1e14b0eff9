"""`voicebot webhooks`, `voicebot tickets` and `voicebot messages`: what follows calls, from the command line."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from voicebot.cli.terminal import AsJson, Config, fail, in_store, print_row

if TYPE_CHECKING:
    from voicebot.domain.event import Delivery, Webhook
    from voicebot.domain.ticket import Ticket
    from voicebot.store.store import Store

webhooks = typer.Typer(no_args_is_help=True, help="Other systems that are told of events")
tickets = typer.Typer(no_args_is_help=True, help="What people must do, by deadline")
messages = typer.Typer(no_args_is_help=True, help="Messages and what became of them")
Name = Annotated[str, typer.Argument(metavar="NAME")]


@webhooks.command("add")
def webhooks_add(
    name: Name,
    url: str,
    events: Annotated[list[str] | None, typer.Option("--event", help="Such as payment.received; else all")] = None,
    secret: Annotated[str, typer.Option("--secret", help="At least 16 characters; made for you if left out")] = "",
    config: Config = None,
) -> None:
    """Add a webhook or change it; prints its secret."""
    from voicebot.console.follow_data import FollowData
    from voicebot.domain.clock import SystemClock

    async def work(store: Store) -> Webhook:
        return await FollowData(store, SystemClock()).save_webhook(name, url, events or (), secret)

    webhook = in_store(config, work)
    kinds = [kind.value for kind in webhook.events]
    print_row({"name": webhook.name, "url": webhook.url, "events": kinds, "secret": webhook.secret})


@webhooks.command("list")
def webhooks_list(as_json: AsJson = False, config: Config = None) -> None:
    """Who is told of what, and how many deliveries are done, waiting and given up."""

    async def work(store: Store) -> list[dict[str, object]]:
        counts = await store.webhooks.counts()
        return [
            {"name": hook.name, "url": hook.url, "events": [kind.value for kind in hook.events], "active": hook.active,
             "deliveries": {state.value: count for state, count in counts.get(hook.name, {}).items()}}
            for hook in await store.webhooks.all()
        ]  # fmt: skip

    for row in in_store(config, work):
        told = "  ".join(f"{key}={value}" for key, value in row.items())
        print_row(row) if as_json else typer.echo(told)


@webhooks.command("test")
def webhooks_test(name: Name, config: Config = None) -> None:
    """Post a signed test event now; exit 1 when it is not taken."""
    import asyncio

    from voicebot.domain.clock import SystemClock
    from voicebot.domain.event import DeliveryState
    from voicebot.messages.courier import Courier

    async def work(store: Store) -> Delivery | None:
        if not await store.webhooks.test(name, SystemClock().now()):
            return None
        courier = Courier(store, SystemClock())
        for _ in range(50):  # a running server may deliver it before us
            await courier.once()
            (newest, *_) = await store.webhooks.deliveries(name, limit=1)
            if newest.state is not DeliveryState.SENDING:
                return newest
            await asyncio.sleep(0.2)
        return newest

    delivery = in_store(config, work)
    if delivery is None:
        fail(f"there is no webhook {name!r}: see voicebot webhooks list")
    print_row(_spelt(delivery))
    raise typer.Exit(0 if delivery.state is DeliveryState.DELIVERED else 1)


@webhooks.command("dead")
def webhooks_dead(name: Annotated[str | None, typer.Argument(metavar="NAME")] = None, config: Config = None) -> None:
    """What was given up, newest first."""
    from voicebot.domain.event import DeliveryState

    async def work(store: Store) -> list[Delivery]:
        return await store.webhooks.deliveries(name, DeliveryState.DEAD)

    for delivery in in_store(config, work):
        print_row(_spelt(delivery))


@webhooks.command("replay")
def webhooks_replay(
    name: Name,
    since: Annotated[datetime | None, typer.Option("--since", help="All since then (UTC), also delivered")] = None,
    delivery: Annotated[int | None, typer.Option("--delivery", metavar="ID", help="This one alone")] = None,
    config: Config = None,
) -> None:
    """Have what was given up sent again by the running server; ids stay the same."""
    from datetime import UTC

    from voicebot.domain.clock import SystemClock

    begun = since.replace(tzinfo=since.tzinfo or UTC) if since else None

    async def work(store: Store) -> int | None:
        if await store.webhooks.find(name) is None:
            return None
        return await store.webhooks.replay(name, SystemClock().now(), since=begun, delivery_id=delivery)

    count = in_store(config, work)
    if count is None:
        fail(f"there is no webhook {name!r}: see voicebot webhooks list")
    print_row({"name": name, "waiting": count})


@webhooks.command("remove")
def webhooks_remove(name: Name, config: Config = None) -> None:
    """Tell it nothing more, and forget what it was told."""

    async def work(store: Store) -> bool:
        return await store.webhooks.remove(name)

    if not in_store(config, work):
        fail(f"there is no webhook {name!r}: see voicebot webhooks list")


@tickets.command("list")
def tickets_list(as_json: AsJson = False, config: Config = None) -> None:
    """Open tickets, the nearest deadline first."""
    from voicebot.domain.clock import SystemClock

    async def work(store: Store) -> list[Ticket]:
        return list(await store.tickets.list())

    now = SystemClock().now()
    for ticket in in_store(config, work):
        row = {"id": ticket.id, "kind": ticket.kind.value, "case_id": ticket.case_id, "owner": ticket.owner,
               "deadline": ticket.deadline.isoformat(), "late": ticket.late(now)}  # fmt: skip
        print_row(row) if as_json else typer.echo("  ".join(f"{key}={value}" for key, value in row.items()))


@messages.command("bounce")
def messages_bounce(config: Config = None) -> None:
    """Read a delivery report (an e-mail) from standard input: for a pipe of the mail server."""
    from voicebot.domain.clock import SystemClock
    from voicebot.domain.message import MessageChannel, MessageState
    from voicebot.messages.email import BounceError, read_bounce
    from voicebot.messages.manners import shipped_manners

    try:
        bounce = read_bounce(sys.stdin.buffer.read())
    except BounceError as error:
        fail(str(error))
    if not bounce.permanent:
        print_row({"key": bounce.key, "state": "sent", "why": bounce.why})
        return
    order = [channel for channel, manner in shipped_manners().items() if manner.steps_in]

    async def work(store: Store) -> str | None:
        now = SystemClock().now()
        told = await store.receipts.tell(
            bounce.key, MessageState.FAILED, bounce.why, order, now, MessageChannel.EMAIL
        )
        return told.state.value if told else None

    print_row({"key": bounce.key, "state": in_store(config, work), "why": bounce.why})


def _spelt(delivery: Delivery) -> dict[str, object]:
    return {
        "id": delivery.id, "webhook": delivery.webhook, "event": delivery.event.kind.value,
        "event_id": delivery.event.key, "state": delivery.state.value, "tries": delivery.tries,
        "status": delivery.status, "why": delivery.why,
    }  # fmt: skip
