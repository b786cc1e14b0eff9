"""Receipts: what gateways tell of messages after they took them, and what readers answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, select, update

from voicebot.domain.event import Event, EventKind
from voicebot.domain.message import RECEIPTS, Message, MessageChannel, MessageState, may_become
from voicebot.store.addresses import opt_out
from voicebot.store.database import Database
from voicebot.store.events import emit
from voicebot.store.outbox import fall_back, to_message
from voicebot.store.schema import messages

PREFIX = "voicebot-"


class Receipts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def tell(
        self, name: str, state: MessageState, why: str, order: Sequence[str], now: dt.datetime,
        channel: MessageChannel | None = None,
    ) -> Message | None:  # fmt: skip
        """A gateway's word on a message, by our key or its own id: delivered, failed or unsubscribed.

        The message as it is afterwards, None when nobody knows it. What can't follow its state is not believed. A
        failed one gives way to another channel of `order`; the reader of an unsubscribed one gets nothing more there.
        """
        if state not in RECEIPTS:
            raise ValueError(f"a receipt says {', '.join(sorted(RECEIPTS))}, not {state}")
        async with self._database.begin() as connection:
            query = select(messages).where(*_named(name, channel)).order_by(messages.c.id.desc()).limit(1)
            row = (await connection.execute(query.with_for_update())).first()
            if row is None:
                return None
            if not may_become(MessageState(row.state), state):
                return to_message(row)
            if state is MessageState.FAILED:
                await fall_back(connection, row.id, why, order, now, "")
            else:
                told = {"delivered_at": now} if state is MessageState.DELIVERED else {"why": why}
                change = update(messages).where(messages.c.id == row.id)
                await connection.execute(change.values(state=state, lease_until=None, **told))
            if state is MessageState.UNSUBSCRIBED:
                await opt_out(connection, MessageChannel(row.channel), row.to, now)
            data = {"message_id": row.id, "case_id": row.case_id, "channel": row.channel, "state": state.value}
            key = f"message.state:{row.id}:{state.value}"
            await emit(connection, Event(key, EventKind.MESSAGE_STATE, now, data, row.case_id))
            after = (await connection.execute(select(messages).where(messages.c.id == row.id))).one()
            return to_message(after)


def _named(name: str, channel: MessageChannel | None) -> list[ColumnElement[bool]]:
    ours = name.removeprefix(PREFIX)
    by_key = name.startswith(PREFIX) and ours.isascii() and ours.isdigit() and len(ours) < 19
    which = messages.c.id == int(ours) if by_key else messages.c.external_id == name
    return [which] if channel is None else [which, messages.c.channel == channel]
