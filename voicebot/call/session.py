"""CallSession: one call from dial to outcome. It joins leg, recorder, brain and hand-over, and obeys the brain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict
from typing import Any

from voicebot.audio.frames import SILENCE
from voicebot.call.brain import BrainSeat
from voicebot.call.playout import Began, Finished, Playout, Utterance
from voicebot.call.prompts import APOLOGY, FAREWELL, STORED
from voicebot.domain.case import CallFacts
from voicebot.domain.journal import FactKind
from voicebot.domain.talk import (
    BRIEFING,
    Flush,
    Gone,
    HandedOver,
    HandOver,
    HangUpCall,
    KeyHeard,
    MachineFound,
    Note,
    Opened,
    Order,
    PickedUp,
    Play,
    Played,
)
from voicebot.evidence.recorder import Recorder
from voicebot.handoff.bridge import Bridge
from voicebot.handoff.desk import Desk
from voicebot.handoff.hold import HoldLoop
from voicebot.handoff.transfer import Joined, WarmTransfer
from voicebot.telephony.leg import Answered, CallLeg, EarlyMedia, Ended, KeyPressed, LegEvent, Line, Ringing, TrunkTried

MOST_MS = 20 * 60 * 1000
"""A call longer than this is ended: nothing a script does takes 20 minutes."""
MOST_WITH_PERSON_MS = 55 * 60 * 1000
"""The same while a person talks or is fetched: shorter than the hour after which a call counts as lost."""
MOST_GAP_TICKS = 500
"""Ticks that one stall may add to the recording."""


class CallSession:
    """`index` names the call towards the brain; `script` is the call script it follows.

    `live(call_id, data)` gets what is shown while the call runs and never kept: partial transcripts.
    """

    def __init__(
        self,
        index: int,
        facts: CallFacts,
        script: str,
        leg: CallLeg,
        recorder: Recorder,
        brain: BrainSeat,
        line: Line,
        desk: Desk,
        live: Callable[[str, Mapping[str, object]], None],
    ) -> None:
        self.index = index
        self.facts = facts
        self.script = script
        self.recorder = recorder
        self.answered = False
        self._leg = leg
        self._brain = brain
        self._line = line
        self._desk = desk
        self._live = live
        self._playout = Playout()
        self._briefing = bytearray()
        self._opened = False
        self._closing = False
        self._leaving = False
        self._ended = False
        self._alone = False
        self._handing_over = False
        self._bridge: Bridge | None = None
        self._hold: HoldLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ticks = 0
        self._last_tick: int | None = None
        self._opened_at_ms = 0

    # --- the leg -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Live through the call; returns when it is over. The recorder is left open for the runner to seal."""
        self._leg.connect(self)
        try:
            async for event in self._leg.events():
                await self._on_leg(event)
                if isinstance(event, Ended):
                    break
        except asyncio.CancelledError:
            await asyncio.shield(self._break_off(Ended("local", None, "worker stopped")))
            raise
        except Exception:
            await self._break_off(Ended("error", None, "the line failed"))
            raise
        finally:
            await self._finish_tasks()

    async def _break_off(self, ended: Ended) -> None:
        await self._leg.hang_up()
        if not self._ended:
            self._on_ended(ended)

    async def answer(self) -> None:
        """Answer an incoming call."""
        await self._leg.answer()

    async def hang_up(self) -> None:
        """End the call now, whatever is being said."""
        await self._leg.hang_up()

    async def _on_leg(self, event: LegEvent) -> None:
        match event:
            case TrunkTried():
                self._fact(FactKind.TRUNK_TRIED, asdict(event))
            case Ringing(status):
                self._fact(FactKind.RINGING, {"status": status})
            case EarlyMedia():
                self._fact(FactKind.EARLY_MEDIA, {})
                self._open(answered=False)
            case Answered():
                self._on_answered()
            case KeyPressed(digit):
                self._fact(FactKind.DTMF, {"digit": digit})
                self._brain.report(KeyHeard(self.index, digit))
            case Ended():
                self._on_ended(event)

    def _on_answered(self) -> None:
        if self.answered:
            return
        self.answered = True
        self._fact(FactKind.ANSWERED, {})
        if self._alone:
            self._go_on_alone("brain_lost")
        elif not self._brain.alive:
            self.brain_lost(0)
        elif self._opened:
            self._brain.report(PickedUp(self.index))
        else:
            self._open(answered=True)

    def _open(self, *, answered: bool) -> None:
        if not self._opened and self._brain.alive:  # else it is opened to the next brain, at the answer
            self._opened = True
            self._opened_at_ms = self._ticks * 20
            self._brain.report(Opened(self.index, self.facts, self.script, answered))

    def _on_ended(self, event: Ended) -> None:
        self._ended = True
        self._playout.flush()
        self._report_changes()
        self._fact(
            FactKind.ENDED,
            {"by": event.by, "status": event.status, "reason": event.reason, "q850": event.q850},
        )
        self._brain.report(Gone(self.index))

    # --- sound ---------------------------------------------------------------------------------------------

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        """Once per 20 ms: hear the callee, choose what they hear, record both. Must stay short."""
        self._keep_time(tick)
        out = self._what_to_send(received, tick)
        self.recorder.tick(out or SILENCE, received, self._leg.media_gap)
        if self._opened:
            self._brain.frame(self.index, received)
        self._report_changes()
        self._close_when_due()
        return out

    def _close_when_due(self) -> None:
        if self._ended or self._leaving:
            return
        most_ms = MOST_WITH_PERSON_MS if self._handing_over else MOST_MS
        if self._ticks * 20 > most_ms and not self._closing:
            self._fact(FactKind.NOTE, {"text": "longest call duration reached"})
            self._closing = True
        if (self._closing and self._playout.idle) or self.recorder.failure is not None:
            self._leaving = True  # what can't be recorded may not be said
            self._spawn(self._leg.hang_up())

    def _keep_time(self, tick: int) -> None:
        """Count this tick, and record those that the clock gave up after a stall as gaps."""
        missed = tick - self._last_tick - 1 if self._last_tick is not None else 0
        for _ in range(min(missed, MOST_GAP_TICKS)):
            self.recorder.tick(SILENCE, SILENCE, True)
            self._ticks += 1
        self._last_tick = tick
        self._ticks += 1

    def _what_to_send(self, received: bytes, tick: int) -> bytes | None:
        if self._bridge is not None:
            return self._bridge.from_callee(received)
        out = self._playout.next(tick)
        if out is None and self._hold is not None and self._playout.idle:
            return self._hold.next()
        return out

    def _report_changes(self) -> None:
        for change in self._playout.changes():
            match change:
                case Began(utterance, tick):
                    if utterance.answers_tick is not None:
                        self._fact(FactKind.LATENCY, {"turn_ms": (tick - utterance.answers_tick) * 20})
                case Finished(utterance, heard_ms, total_ms, interrupted):
                    self._fact(
                        FactKind.SAID,
                        {
                            "utterance_id": utterance.id,
                            "text": utterance.text,
                            "node": utterance.node,
                            "heard_ms": heard_ms,
                            "total_ms": total_ms,
                            "interrupted": interrupted,
                        },
                    )
                    self._brain.report(Played(self.index, utterance.id, heard_ms, total_ms, interrupted))

    # --- the brain's orders --------------------------------------------------------------------------------

    def sound(self, utterance_id: str, pcm: bytes, last: bool) -> None:
        """Sound of an utterance that the brain ordered, or of the agent's briefing."""
        if utterance_id == BRIEFING:
            self._briefing += pcm
        else:
            self._playout.sound(utterance_id, pcm, last)

    def obey(self, order: Order) -> None:
        """Carry out an order of the brain; orders for a call that is over are dropped."""
        if self._ended or self._alone:
            return
        match order:
            case Play(utterance_id=name, text=text, node=node):
                self._say(Utterance(name, text, node, order.interruptible, order.answers_tick))
            case Flush():
                self._playout.flush()
                self._report_changes()
            case HangUpCall():
                self._closing = True
            case HandOver():
                self._fetch_person(order.reason, order.skill, order.briefing, bytes(self._briefing))
                self._briefing.clear()
            case Note(kind=kind, data=data):
                self._fact(kind, self._in_recording_time(kind, data))
            case MachineFound(kind=kind, cue=cue):
                self._on_machine(kind, cue)

    def _in_recording_time(self, kind: FactKind, data: dict[str, object]) -> dict[str, object]:
        """The brain counts from the moment the call was opened to it, the recording from its first tick."""
        if kind is not FactKind.HEARD:
            return data
        shifted = dict(data)
        for key in ("start_ms", "end_ms"):
            value = data.get(key)
            if isinstance(value, int):
                shifted[key] = value + self._opened_at_ms
        return shifted

    def _say(self, utterance: Utterance) -> None:
        self._fact(
            FactKind.SAYING,
            {
                "utterance_id": utterance.id,
                "text": utterance.text,
                "node": utterance.node,
                "interruptible": utterance.interruptible,
            },
        )
        self._playout.add(utterance)

    def _on_machine(self, kind: str, cue: str) -> None:
        self._fact(FactKind.ANSWERED_BY, {"kind": kind, "cue": cue})
        if kind == "announcement" and not self.answered:
            self._spawn(self._leg.hang_up())

    # --- a person takes over -------------------------------------------------------------------------------

    def _fetch_person(self, reason: str, skill: str, briefing_text: str, briefing: bytes) -> None:
        if not self._handing_over:
            self._handing_over = True
            self._spawn(self._hand_over(reason, skill, briefing_text, briefing))

    async def _hand_over(self, reason: str, skill: str, briefing_text: str, briefing: bytes) -> None:
        self._fact(FactKind.TRANSFER_STARTED, {"reason": reason, "skill": skill})
        self._hold = HoldLoop()
        transfer = WarmTransfer(self._desk, self._line, self.facts.call_id, self._fact)
        try:
            result = await transfer.run(skill=skill, briefing_text=briefing_text, briefing=briefing)
        finally:
            self._hold = None
        if isinstance(result, Joined):
            await self._talk(result)
        else:
            self._fact(FactKind.TRANSFER_FAILED, {"agent": None, "why": result.why})
            self._not_joined(result.why)

    async def _talk(self, joined: Joined) -> None:
        """Callee and agent talk until one of them hangs up."""
        try:
            self._playout.flush()
            self._bridge = joined.bridge
            self._brain.report(HandedOver(self.index, joined=True))
            async for event in joined.leg.events():
                if isinstance(event, Ended):
                    self._bridge = None
                    self._fact(FactKind.AGENT_LEFT, {"agent": joined.seat.id, "by": event.by})
                    await self._after_agent(event)
                    return
        finally:
            self._bridge = None
            await asyncio.shield(joined.leg.hang_up())
            await asyncio.shield(self._desk.release(joined.seat, talked=True))

    async def _after_agent(self, event: Ended) -> None:
        """The agent hung up: so do we. The agent's line broke: the script is over, so the line fetches somebody."""
        self._handing_over = False
        if self._ended:
            return
        if event.by == "remote":
            await self._leg.hang_up()
        else:
            self._alone = True
            self._go_on_alone("agent_lost")

    def _not_joined(self, why: str) -> None:
        self._handing_over = False
        if self._ended:
            return
        if self._brain.alive and not self._alone:
            self._brain.report(HandedOver(self.index, joined=False, why=why))
        else:
            self._fact(FactKind.CALLBACK_BOOKED, {"at": None, "reason": why})
            self._say_stored(FAREWELL)
            self._closing = True

    # --- without a brain ---------------------------------------------------------------------------

    def brain_lost(self, silent_ms: int) -> None:
        """The brain is dead or stalled: apologise, fetch a person or book a callback, go on recording."""
        if self._ended or self._alone or not (self._opened or self.answered):
            return  # a call that no brain knows yet can still be opened to the next one
        self._alone = True
        self._fact(FactKind.BRAIN_LOST, {"silent_ms": silent_ms})
        if self.answered:
            self._go_on_alone("brain_lost")

    def _go_on_alone(self, reason: str) -> None:
        if self._handing_over:
            return  # a person is on the way, or here
        self._closing = False
        self._playout.flush()
        self._say_stored(APOLOGY)
        self._fetch_person(reason, "general", "", b"")

    def _say_stored(self, name: str) -> None:
        pcm = self._brain.stored(name)
        if pcm:
            self._say(Utterance(name, STORED[name], name, False, None, bytearray(pcm), complete=True))

    # --- housekeeping --------------------------------------------------------------------------------------

    def _fact(self, kind: FactKind, data: Mapping[str, object]) -> None:
        if kind is FactKind.HEARING:
            self._live(self.facts.call_id, data)
        else:
            self.recorder.append(kind, data)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish_tasks(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
