"""Sender: takes what is due from the outbox, asks rulebook and speech gate, hands it over, books what came of it."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from typing import Final

from voicebot.compliance.gate import check_speech
from voicebot.compliance.packs import Packs, shipped_packs
from voicebot.compliance.rulebook import Verdict, judge
from voicebot.compliance.speech_context import SpeechContext, record_of
from voicebot.domain.attempt import TargetKind
from voicebot.domain.clock import SHANGHAI, Clock
from voicebot.domain.message import Message, MessageState
from voicebot.domain.permission import DialRequest, jurisdictions
from voicebot.messages.channel import Channel, GatewayAway, Undeliverable
from voicebot.messages.templates import TemplateError, Templates, fill_in
from voicebot.store import DatabaseError, Store
from voicebot.store.outbox import DueMessage

POLL_S: Final = 5.0
AT_ONCE: Final = 20
FIRST_WAIT: Final = dt.timedelta(minutes=1)
LONGEST_WAIT: Final = dt.timedelta(hours=1)
VOICE_ONLY: Final = "do_not_call_voice"
"""Who wants no calls may still want it in writing."""

_log = logging.getLogger(__name__)


class Sender:
    """Several may share the outbox; a message is handed over once, or again under the same key after a crash."""

    def __init__(
        self, store: Store, channel: Channel, templates: Templates, clock: Clock, packs: Packs | None = None
    ) -> None:
        self._store, self._channel, self._templates, self._clock = store, channel, templates, clock
        self._packs = packs or shipped_packs()

    async def run(self) -> None:
        """Send what is due, until cancelled; a database that is away is waited for."""
        while True:
            try:
                while await self.once():
                    pass
            except (DatabaseError, OSError) as error:
                _log.error("the database does not answer: %s", error)
            await asyncio.sleep(POLL_S)

    async def once(self) -> int:
        """One round; how many messages were looked at."""
        due = await self._store.outbox.lease(AT_ONCE, self._clock.now())
        for entry in due:
            await self._deliver(entry)
        return len(due)

    async def _deliver(self, due: DueMessage) -> None:
        message, now = due.message, self._clock.now()
        verdict = await self._may_send(due, now)
        if not verdict.allowed:
            await self._put_off(message, verdict)
            return
        try:
            text = fill_in(self._templates, message.kind, due.case, due.promise)
        except TemplateError as error:
            await self._store.outbox.end(message.id, MessageState.FAILED, str(error))
            return
        forbidden = self._violation(due, text, now)
        if forbidden:
            await self._store.outbox.end(message.id, MessageState.REFUSED, forbidden, "CN-S1")
            return
        await self._hand_over(message, text)

    async def _may_send(self, due: DueMessage, now: dt.datetime) -> Verdict:
        """The rulebook's hours, quiet days and stops; its counts are of calls."""
        debtor = due.case.debtor.id
        stops = await self._store.contacts.stops_of(debtor, due.message.to, now)
        binding = tuple(stop.asked for stop in stops if stop.reason != VOICE_ONLY)
        laws = jurisdictions(due.case.jurisdiction)
        request = DialRequest(now, laws, TargetKind.DEBTOR.value, due.message.to, stops=binding)
        return judge(request, self._packs)

    async def _put_off(self, message: Message, verdict: Verdict) -> None:
        if verdict.not_before is None or verdict.not_before >= message.expires_at:
            await self._store.outbox.end(message.id, MessageState.REFUSED, verdict.reason, verdict.rule)
        else:
            await self._store.outbox.later(message.id, verdict.not_before, verdict.reason, verdict.rule)

    def _violation(self, due: DueMessage, text: str, now: dt.datetime) -> str:
        """Why the speech gate forbids the text; empty when it does not.

        Who promised something on this number was verified there; to anybody else no debt may be named.
        """
        names = (due.case.debtor.name, due.case.creditor.name, due.case.creditor.neutral_name)
        record = record_of(due.case, last_promise=due.promise)
        today = now.astimezone(SHANGHAI).date()
        known = due.promise is not None
        listener = "debtor" if known else "unknown"
        found = check_speech(text, "bot", SpeechContext(known, listener, today, record, names))
        return "；".join(f"{each.id} {each.reason}" for each in found)

    async def _hand_over(self, message: Message, text: str) -> None:
        outbox = self._store.outbox
        try:
            external_id = await self._channel.send(f"voicebot-{message.id}", message.to, text)
        except Undeliverable as error:
            _log.error("message %s is refused by the gateway: %s", message.id, error)
            await outbox.end(message.id, MessageState.FAILED, str(error))
        except GatewayAway as error:
            again = self._clock.now() + min(FIRST_WAIT * 2 ** (message.tries - 1), LONGEST_WAIT)
            _log.warning("message %s waits: %s", message.id, error)
            await outbox.later(message.id, again, str(error))
        else:
            await outbox.sent(message.id, text, external_id, self._clock.now())
