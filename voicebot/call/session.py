"""CallSession: one call from dial to outcome. It joins leg, recorder, brain and hand-over, and obeys the brain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict
from typing import Any

from voicebot.audio.frames import SILENCE
from voicebot.call.brain import BrainSeat
from voicebot.call.limits import FETCH_AGAIN_S, MOST_GAP_TICKS, MOST_MS, MOST_WITH_PERSON_MS, in_recording_time
from voicebot.call.playout import Began, Finished, Playout, Utterance
from voicebot.call.prompts import APOLOGY, FAREWELL, STORED
from voicebot.domain.case import CallFacts
from voicebot.domain.journal import FactKind
from voicebot.domain.records import AlertKind
from voicebot.domain.talk import (
    AGENT_SIDE,
    BRIEFING,
    GOES_ON,
    NOBODY,
    OWN_SIDE,
    Flush,
    GiveUp,
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
from voicebot.handoff.desk import Desk, Seat, Wanted
from voicebot.handoff.hold import COMPANY
from voicebot.handoff.rules import DEFAULT, TransferRules
from voicebot.handoff.switchboard import Switchboard
from voicebot.handoff.transfer import Briefing
from voicebot.telephony.leg import Answered, CallLeg, EarlyMedia, Ended, KeyPressed, LegEvent, Line, Ringing, TrunkTried


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
        rules: TransferRules = DEFAULT,
    ) -> None:
        self.index = index
        self.facts = facts
        self.script = script
        self.recorder = recorder
        self.answered = False
        self._leg = leg
        self._brain = brain
        self._desk = desk
        self._live = live
        self._silent = self._careful = False
        self.people = Switchboard(self, desk, line, leg, rules)
        self._playout = Playout()
        self._briefing = bytearray()
        self._opened = self._closing = self._leaving = self._ended = self._alone = False
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

    def led_by(self, seat: Seat, leg: CallLeg) -> None:
        """An agent dialled this call and is on the line: they talk, the bot listens."""
        self._silent = True
        self.people.preview(seat, leg)

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
        self.people.debtor_answered()
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
            self._brain.report(Opened(self.index, self.facts, self.script, answered, self._silent))

    def _on_ended(self, event: Ended) -> None:
        self._ended = True
        self._playout.flush()
        self._report_changes()
        told = asdict(event)
        self._fact(FactKind.ENDED, {key: told[key] for key in ("by", "status", "reason", "q850", "sip_cause")})
        self._brain.report(Gone(self.index))

    # --- sound ---------------------------------------------------------------------------------------------

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        """Once per 20 ms: hear the callee, choose what they hear, record both. Must stay short."""
        self._keep_time(tick)
        out = self._what_to_send(received, tick)
        self.recorder.tick(out or SILENCE, received, self._leg.media_gap, self.people.consulted())
        if self._opened:
            self._brain.frame(self.index, received)
            if out is not None:
                self._brain.frame(self.index | OWN_SIDE, out)
            if self.people.joined:
                self._brain.frame(self.index | AGENT_SIDE, self.people.agent_said() or SILENCE)
        self._report_changes()
        self._close_when_due()
        return out

    def hours_end(self) -> None:
        """The hours in which we may talk are over: what is being said is said, then we hang up. CN-T2.

        Who is in danger is not left.
        """
        if not (self._ended or self._closing or self._careful):
            self._fact(FactKind.NOTE, {"text": "the hours for calls are over", "rule": "CN-T2"})
            self._closing = True

    def _close_when_due(self) -> None:
        if self._ended or self._leaving:
            return
        most_ms = MOST_WITH_PERSON_MS if self._careful or self.people.fetching or self.people.joined else MOST_MS
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
        self._last_tick, self._ticks = tick, self._ticks + 1

    def _what_to_send(self, received: bytes, tick: int) -> bytes | None:
        out = self._playout.next(tick)
        return self.people.exchange(received, out) if self.people.engaged else out

    def _report_changes(self) -> None:
        for change in self._playout.changes():
            match change:
                case Began(utterance, tick):
                    utterance.from_ms = self._ticks * 20 - 20
                    if utterance.answers_tick is not None:
                        self._fact(FactKind.LATENCY, {"turn_ms": (tick - utterance.answers_tick) * 20})
                case Finished(utterance, heard_ms, total_ms, interrupted):
                    self._fact(FactKind.SAID, change.as_fact())
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
            case Play():
                self._on_play(order)
            case Flush():
                self._playout.flush()
                self._report_changes()
            case HangUpCall() if not self.people.joined:
                self._on_hang_up_order()
            case HandOver():
                wanted = Wanted(self.call_id, order.reason, order.skill, urgent=order.urgent)
                self._fetch_person(wanted, Briefing(order.briefing, bytes(self._briefing)))
                self._briefing.clear()
            case Note(kind=kind, data=data):
                self._on_note(kind, data)
            case MachineFound(kind=kind, cue=cue):
                self._on_machine(kind, cue)
            case GiveUp(why=why):
                self.brain_lost(0, why)

    def _on_play(self, play: Play) -> None:
        """While a person talks the bot does not."""
        if self.people.joined:
            self._brain.report(Played(self.index, play.utterance_id, 0, 0, True))
        else:
            self._say(Utterance(play.utterance_id, play.text, play.node, play.interruptible, play.answers_tick))

    def _on_hang_up_order(self) -> None:
        """The script is over. Somebody in danger hangs up by themselves."""
        if self._careful:
            self._alone = True
            self._spawn(self._fetch_again())
        else:
            self._closing = True

    def _on_note(self, kind: FactKind, data: dict[str, object]) -> None:
        self._fact(kind, in_recording_time(kind, data, self._opened_at_ms))
        if kind is FactKind.PAGED:
            self._careful = True
            self._spawn(self._desk.alert(AlertKind.DANGER, str(data.get("reason", "")), self.call_id))
        if kind is FactKind.GATE_ALERT:
            self._spawn(self._desk.alert(AlertKind.GATE, str(data.get("text", "")), self.call_id))
        if kind is FactKind.NOTE and data.get("text") == "speech gate":
            self._spawn(self._desk.alert(AlertKind.GATE, f"已拦截：{data.get('blocked', '')}", self.call_id))

    def _say(self, utterance: Utterance) -> None:
        self._fact(FactKind.SAYING, {**utterance.as_fact(), "interruptible": utterance.interruptible})
        self._playout.add(utterance)

    def _on_machine(self, kind: str, cue: str) -> None:
        self._fact(FactKind.ANSWERED_BY, {"kind": kind, "cue": cue})
        if kind in NOBODY and cue not in GOES_ON and not self.people.joined:
            self._playout.flush()
            self._spawn(self._leg.hang_up())

    # --- people in the call --------------------------------------------------------------------------------

    @property
    def call_id(self) -> str:
        return self.facts.call_id

    def command(self, verb: str, payload: Mapping[str, object]) -> bool:
        """Carry out what somebody clicked about this call; False for an unknown verb."""
        return not self._ended and self.people.obey(verb, payload)

    def _fetch_person(self, wanted: Wanted, briefing: Briefing) -> None:
        self._careful = self._careful or wanted.urgent
        self.people.fetch(wanted, briefing)

    def taken_over(self) -> None:
        """A person talks with the debtor from now on: the bot falls silent."""
        self._playout.flush()
        self._report_changes()
        self._closing = False
        self._brain.report(HandedOver(self.index, joined=True))

    def left_alone(self) -> None:
        """The agent's line broke, and the script is over: so the line fetches somebody."""
        if self._ended:
            return
        self._alone = True
        self._brain.report(HandedOver(self.index, joined=False, why="agent_lost"))
        if self.answered:
            self._go_on_alone("agent_lost")
        else:
            self._spawn(self._leg.hang_up())

    def not_taken(self, why: str) -> None:
        """Nobody could be fetched: the brain goes on, else a callback is promised."""
        if self._ended:
            return
        if self._brain.alive and not self._alone:
            self._brain.report(HandedOver(self.index, joined=False, why=why))
        elif self._careful:
            self._stay()
        else:
            self._fact(FactKind.CALLBACK_BOOKED, {"at": None, "reason": why})
            self.say(FAREWELL)
            self._closing = True

    def journal(self, kind: FactKind, data: Mapping[str, object]) -> None:
        self._fact(kind, data)

    def _stay(self) -> None:
        """Nobody in danger is hung up on: stay with them, and go on fetching somebody."""
        self.say(COMPANY)
        self._spawn(self._fetch_again())

    async def _fetch_again(self) -> None:
        await asyncio.sleep(FETCH_AGAIN_S)
        if not self._ended:
            self._fetch_person(Wanted(self.call_id, "danger", "crisis", urgent=True), Briefing())

    # --- without a brain ---------------------------------------------------------------------------

    def brain_lost(self, silent_ms: int, why: str = "") -> None:
        """The brain is dead, stalled, or gave this call up: apologise, fetch a person or book a callback."""
        if self._ended or self._alone or not (self._opened or self.answered):
            return  # a call that no brain knows yet can still be opened to the next one
        self._alone = True
        self._fact(FactKind.BRAIN_LOST, {"silent_ms": silent_ms} | ({"why": why} if why else {}))
        if self.answered:
            self._go_on_alone("brain_lost")

    def _go_on_alone(self, reason: str) -> None:
        if self.people.fetching or self.people.joined:
            return  # a person is on the way, or here
        self._closing = False
        self._playout.flush()
        self.say(APOLOGY)
        self._fetch_person(
            Wanted(self.call_id, reason, "crisis" if self._careful else "general", urgent=self._careful), Briefing()
        )

    def say(self, name: str) -> None:
        """Say a sentence that the brain left with the line; without its sound nothing happens."""
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
        await asyncio.shield(self.people.close())
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
