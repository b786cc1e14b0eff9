"""Sender: takes what is due from the outbox, asks rulebook and speech gate, hands it over, books what came of it."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from voicebot.compliance.asking import asked
from voicebot.compliance.gate import check_speech
from voicebot.compliance.packs import Packs, shipped_packs
from voicebot.compliance.rulebook import Verdict
from voicebot.compliance.speech_context import SpeechContext, record_of
from voicebot.domain.attempt import TargetKind
from voicebot.domain.clock import SHANGHAI, Clock
from voicebot.domain.ledger import Means
from voicebot.domain.message import Message, MessageState
from voicebot.domain.permission import DialRequest, jurisdictions
from voicebot.messages.channel import Channels, GatewayAway, Letter, Undeliverable, Unsubscribed
from voicebot.messages.manners import Manner, Manners, shipped_manners
from voicebot.messages.templates import TemplateError, Templates, fill_in, values_of
from voicebot.store import DatabaseError, Store
from voicebot.store.outbox import DueMessage

POLL_S: Final = 5.0
AT_ONCE: Final = 20
FIRST_WAIT: Final = dt.timedelta(minutes=1)
LONGEST_WAIT: Final = dt.timedelta(hours=1)
WEEK: Final = dt.timedelta(days=7)

_log = logging.getLogger(__name__)


class Sender:
    """Several may share the outbox; a message is handed over once, or again under the same key after a crash."""

    def __init__(
        self,
        store: Store,
        channels: Channels,
        templates: Templates,
        clock: Clock,
        packs: Callable[[], Packs] = shipped_packs,
        manners: Manners | None = None,
    ) -> None:
        self._store, self._channels, self._templates, self._clock = store, channels, templates, clock
        self._packs = packs
        self._manners = manners or shipped_manners()

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
        free_at = await self._free_at(due, now)
        if free_at is not None:
            await self._put_off(message, Verdict(False, None, "已达该渠道的条数上限", free_at, verdict.pack_sha256))
            return
        try:
            text = fill_in(self._templates, message.kind, due.case, due.promise)
        except TemplateError as error:
            await self._store.outbox.end(message.id, MessageState.FAILED, str(error))
            return
        values = values_of(due.case, due.promise)
        await self._hand_over(due, Letter(f"voicebot-{message.id}", message.to, text, message.kind, values))

    async def _may_send(self, due: DueMessage, now: dt.datetime) -> Verdict:
        """The rulebook's hours, quiet days and stops; its counts are of calls."""
        manner = self._manners[due.message.channel]
        debtor = due.case.debtor.id
        stops = await self._store.contacts.stops_of(debtor, due.message.to, now)
        binding = tuple(stop.asked for stop in stops if stop.reason not in manner.despite)
        laws = jurisdictions(due.case.jurisdiction)
        request = DialRequest(
            now,
            laws,
            TargetKind.DEBTOR.value,
            due.message.to,
            stops=binding,
            creditor_id=due.case.creditor.id,
            debtor_id=debtor,
            case_id=due.case.id,
        )
        verdict = asked(request, self._packs())
        only_the_hour = not verdict.allowed and not binding and verdict.not_before is not None
        if manner.at_any_hour and only_the_hour:
            verdict = replace(verdict, allowed=True, rule=None, not_before=None)
        await self._store.decisions.note(request, verdict, now, Means.MESSAGE)
        return verdict

    async def _free_at(self, due: DueMessage, now: dt.datetime) -> dt.datetime | None:
        """When the channel may be used again for this debtor; None: now."""
        manner: Manner = self._manners[due.message.channel]
        sent = await self._store.outbox.sent_to(due.case.debtor.id, due.message.channel, now - WEEK)
        midnight = dt.datetime.combine(now.astimezone(SHANGHAI).date(), dt.time(), SHANGHAI)
        free = []
        if sum(at >= midnight for at in sent) >= manner.per_day:
            free.append(midnight + dt.timedelta(days=1))
        if len(sent) >= manner.per_week:
            free.append(sent[-manner.per_week] + WEEK if manner.per_week else now + WEEK)
        return max(free, default=None)

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

    async def _hand_over(self, due: DueMessage, letter: Letter) -> None:
        """Send it, unless its wording is forbidden; book what came of it."""
        message, outbox, now = due.message, self._store.outbox, self._clock.now()
        order = [channel for channel, manner in self._manners.items() if manner.steps_in and channel in self._channels]
        try:
            channel = self._channels.get(message.channel)
            if channel is None:
                raise Undeliverable(f"this installation has no way to send by {message.channel}")
            forbidden = self._violation(due, channel.wording(letter), now)
            if forbidden:
                await outbox.end(message.id, MessageState.REFUSED, forbidden, "CN-S1")
                return
            external_id = await channel.send(letter)
        except Unsubscribed as error:
            await self._store.receipts.tell(letter.key, MessageState.UNSUBSCRIBED, str(error), order, now)
        except Undeliverable as error:
            _log.error("message %s can't be delivered: %s", message.id, error)
            await outbox.fall_back(message.id, str(error), order, now, text=letter.text)
        except GatewayAway as error:
            again = now + min(FIRST_WAIT * 2 ** (message.tries - 1), LONGEST_WAIT)
            _log.warning("message %s waits: %s", message.id, error)
            await outbox.later(message.id, again, str(error))
        else:
            await outbox.sent(message.id, letter.text, external_id, self._clock.now())
