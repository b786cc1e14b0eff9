"""The brain: hears, understands and answers for all calls of its line, one tick at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from pathlib import Path

import structlog

from voicebot.call.prompts import STORED
from voicebot.call.shelf import Shelf
from voicebot.dialog import events
from voicebot.dialog.loader import ScriptError, load_script
from voicebot.dialog.prompts import static_prompts
from voicebot.dialog.rendering import spoken_amount
from voicebot.dialog.script import Script
from voicebot.domain.clock import Clock
from voicebot.domain.journal import FactKind
from voicebot.domain.talk import (
    AGENT_SIDE,
    NOBODY,
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
    Played,
    Report,
    Stored,
)
from voicebot.intent.understander import Understander
from voicebot.pipeline.call_pipeline import CallPipeline
from voicebot.pipeline.conversation import Conversation
from voicebot.pipeline.ear import Ear
from voicebot.pipeline.end_of_turn import TICK_MS
from voicebot.pipeline.hearing import Hearing
from voicebot.pipeline.machine import LinePlays, Machine, Person
from voicebot.pipeline.noticed import Deaf, Noticed, Partial, SpeechStarted, StandsIn, Utterance
from voicebot.telemetry import traces
from voicebot.telemetry.masking import conceal
from voicebot.tts.cache import PromptCache
from voicebot.worker.ticks import Ack, Hello, Message, Sound, Tick

log = structlog.get_logger(__name__)

LOOK_FOR_SCRIPTS_S = 1.0
FORGET_WITHIN_S = 8.0
PERSON_AFTER = 3
"""So many answers no machine gives."""
SOUND_PIECE = 64_000
"""Bytes of sound per message: 4 s."""


class Talk:
    """One call in the brain: its ear, its pipeline, and the events that wait for the pipeline to start."""

    def __init__(self, opened: Opened, ear: Ear, conversation: Conversation, pipeline: CallPipeline) -> None:
        self.opened = opened
        self.ear = ear
        self.conversation = conversation
        self.pipeline = pipeline
        self.inbox: asyncio.Queue[Report | Noticed | None] = asyncio.Queue()
        self.task: asyncio.Task[None] | None = None
        self.answers = 0
        self.deaf = ""
        self.joined = opened.silent


class Brain:
    """All conversations of one line. `send` writes messages to the line."""

    def __init__(
        self,
        hearing: Hearing,
        understander: Understander,
        prompts: PromptCache,
        clock: Clock,
        scripts: Path,
        frozen_scripts: Path | None = None,
    ) -> None:
        self._hearing = hearing
        self._understander = understander
        self.prompts = prompts
        self._clock = clock
        self.shelf = Shelf(scripts, frozen_scripts)
        self._loaded: dict[str, Script] = {}
        self._talks: dict[int, Talk] = {}
        self._out: deque[Message] = deque()
        self._wake = asyncio.Event()

    def load_scripts(self) -> int:
        """Load every script a call may be given that is not loaded yet, and render what it says without variables.

        How many sentences there were. Takes seconds; may run in a thread beside the calls.
        """
        new = [name for name in self.shelf.names() if name not in self._loaded]
        texts = list(STORED.values()) if not self._loaded else []
        for name in new:
            with contextlib.suppress(ScriptError):  # a broken script is reported when a call wants it
                texts += static_prompts(self._script(name))
        self.prompts.warm(texts)
        return len(texts)

    async def follow_scripts(self) -> None:
        """Load what is published from now on before the first call is given it; until cancelled."""
        broken: set[str] = set()
        while True:
            await asyncio.sleep(LOOK_FOR_SCRIPTS_S)
            try:
                missing = set(self.shelf.names()) - self._loaded.keys()
                if missing - broken:
                    rendered = await asyncio.to_thread(self.load_scripts)
                    broken = missing - self._loaded.keys()
                    log.info("call scripts loaded", scripts=sorted(missing - broken), prompts=rendered)
            except Exception:  # what is published next must be followed all the same
                log.exception("published call scripts can't be loaded, it is tried again")

    def standing_in(self) -> tuple[bool, int]:
        """Whether new calls are heard by the embedded recogniser for want of the configured one; how many were."""
        standby = self._hearing.standby
        return (bool(standby.why), standby.taken_over) if standby is not None else (False, 0)

    # --- from the line -------------------------------------------------------------------------------------

    def take(self, message: Message) -> None:
        """One message of the line, in order."""
        match message:
            case Tick():
                self._tick(message)
            case Opened():
                self._open(message)
            case Hello():
                self._send_stored()
            case PickedUp() | KeyHeard() | Played() | HandedOver() | Gone():
                talk = self._talks.get(message.call)
                if talk is not None:
                    self._post(talk, message)
            case _:
                log.warning("the line sent what only the brain may send", message=type(message).__name__)

    def outgoing(self) -> list[Message]:
        """Messages for the line since the last call."""
        messages = list(self._out)
        self._out.clear()
        return messages

    async def wait_outgoing(self) -> None:
        """Return when there is something to send."""
        await self._wake.wait()
        self._wake.clear()

    async def forget_all(self) -> None:
        """The line is gone: so are its calls. Returns when nothing of them is left, for the next line counts anew."""
        talks = list(self._talks.values())
        for talk in talks:
            self._post(talk, Gone(talk.opened.call))
        tasks = {talk.task for talk in talks if talk.task is not None}
        if tasks:
            _, stuck = await asyncio.wait(tasks, timeout=FORGET_WITHIN_S)
            for task in stuck:
                task.cancel()
            await asyncio.gather(*stuck, return_exceptions=True)
        self._out.clear()

    def _tick(self, tick: Tick) -> None:
        for call, noticed in self._hearing.tick(tick.number, tick.frames):
            talk = self._talks.get(call & ~AGENT_SIDE)
            if talk is not None and call & AGENT_SIDE:
                self._agent_noticed(talk, noticed, tick.number)
            elif talk is not None:
                if isinstance(noticed, Partial) and talk.ear.answered:
                    talk.pipeline.overhear(noticed)
                self._post(talk, noticed)
        for talk in self._talks.values():
            talk.ear.topic = talk.conversation.topic
        self._send(Ack(tick.number))

    def _agent_noticed(self, talk: Talk, noticed: Noticed, tick: int) -> None:
        """The agent is only written down: what they say never reaches the dialog."""
        listener, now_ms = talk.pipeline.listener, talk.ear.at_ms
        match noticed:
            case SpeechStarted():
                listener.agent_began(now_ms)
            case Partial(text=text):
                listener.agent_saying(text, now_ms)
            case Utterance():
                listener.agent_said(noticed, now_ms - (tick - noticed.end_tick) * TICK_MS)

    def _open(self, opened: Opened) -> None:
        conversation = Conversation(opened.call, opened.facts.call_id)
        try:
            script = self._script(opened.script)
        except ScriptError as error:
            log.error("call script can't be used", script=opened.script, error=str(error))
            self._send(Note(opened.call, FactKind.NOTE, {"text": f"call script can't be used: {error}"}))
            self._send(HangUpCall(opened.call))
            return
        ear = self._hearing.open(opened.call, _hotwords(opened))
        ear.owed_fen = opened.facts.case.amount_fen if opened.facts.case else None
        if opened.answered:
            ear.picked_up()
        if opened.silent or opened.facts.direction == "inbound":  # machines do not call us, and agents dial people
            ear.expect_person()
        ear.bot_speaks = lambda: conversation.bot_speaks
        pipeline = CallPipeline(
            conversation,
            script,
            opened.facts,
            understander=self._understander,
            prompts=self.prompts,
            clock=self._clock,
            order=self._send,
            sound=self._sound,
        )
        talk = Talk(opened, ear, conversation, pipeline)
        self._talks[opened.call] = talk
        talk.task = asyncio.create_task(self._converse(talk))
        if opened.silent:
            self._post(talk, HandedOver(opened.call, joined=True))
        elif opened.answered:
            self._post(talk, PickedUp(opened.call))

    def _script(self, name: str) -> Script:
        if name not in self._loaded:
            self._loaded[name] = load_script(self.shelf.path(name))
        return self._loaded[name]

    def _post(self, talk: Talk, item: Report | Noticed) -> None:
        talk.inbox.put_nowait(item)

    # --- one conversation ----------------------------------------------------------------------------------

    async def _converse(self, talk: Talk) -> None:
        call, facts = talk.opened.call, talk.opened.facts
        conceal(facts.number, facts.case.debtor.name if facts.case else None)
        structlog.contextvars.bind_contextvars(call_id=facts.call_id)  # of this call's task alone
        try:
            with traces.span("start the conversation", facts.call_id, script=talk.opened.script):
                await talk.pipeline.start()
            while (item := await talk.inbox.get()) is not None and not isinstance(item, Gone):
                await self._pass_on(talk, item)
                if talk.deaf and not talk.joined:
                    self._send(GiveUp(call, f"the recogniser failed: {talk.deaf}"))
                    break
        except Exception:
            log.exception("conversation failed", call_id=talk.opened.facts.call_id)
            self._send(GiveUp(call, "the conversation failed, see the brain's log"))
        finally:
            self._talks.pop(call, None)
            self._hearing.close(call)
            self._hearing.close(call | AGENT_SIDE)
            await talk.pipeline.stop()

    async def _pass_on(self, talk: Talk, item: Report | Noticed) -> None:
        now, pipeline, call = self._clock.now(), talk.pipeline, talk.opened.call
        match item:
            case PickedUp():
                talk.ear.picked_up()
                if not talk.opened.silent:
                    await pipeline.event(events.Started(now))
            case KeyHeard(digit=digit):
                await pipeline.key(digit)
            case Played():
                await pipeline.event(
                    events.Spoken(now, item.utterance_id, item.heard_ms, item.total_ms, item.interrupted)
                )
            case HandedOver(joined=joined, why=why):
                talk.joined = joined
                self._listen_to_agent(call, joined)
                await pipeline.event(events.TransferEnded(now, joined, why))
            case SpeechStarted():
                self._send(Note(call, FactKind.SPEECH_STARTED, {}))
                await pipeline.started_speaking()
            case Partial():
                self._send(Note(call, FactKind.HEARING, {"text": item.text}))
            case Utterance():
                await self._heard(talk, item)
            case Machine():
                await self._machine(talk, item)
            case Person(cue=cue):
                self._send(Note(call, FactKind.ANSWERED_BY, {"kind": "person", "cue": cue}))
            case LinePlays(sound=sound):
                self._line_plays(talk, sound)
            case Deaf(why=why):  # a person who talks with the caller goes on all the same
                talk.deaf = why
                self._send(Note(call, FactKind.NOTE, {"text": f"the recogniser failed this call: {why}"}))
            case StandsIn(why=why):
                self._send(Note(call, FactKind.NOTE, {"text": "the embedded recogniser hears this call", "why": why}))

    async def _heard(self, talk: Talk, utterance: Utterance) -> None:
        if utterance.text:
            data: dict[str, object] = {
                "text": utterance.text,
                "confidence": round(utterance.confidence, 3),
                "start_ms": utterance.start_ms,
                "end_ms": utterance.end_ms,
            }
            self._send(Note(talk.opened.call, FactKind.HEARD, data))
        if talk.ear.answered and not (talk.ear.machine and utterance.text):
            talk.answers += bool(utterance.text)
            if talk.answers >= PERSON_AFTER:
                talk.ear.expect_person()
            await talk.pipeline.heard(utterance)

    async def _machine(self, talk: Talk, machine: Machine) -> None:
        self._send(MachineFound(talk.opened.call, machine.kind, machine.cue))
        if talk.ear.answered and machine.kind not in NOBODY:
            now = self._clock.now()
            await talk.pipeline.event(events.MachineAnswered(now, machine.kind, machine.beep))

    def _line_plays(self, talk: Talk, sound: str) -> None:
        if talk.ear.answered:
            self._send(Note(talk.opened.call, FactKind.ANSWERED_BY, {"kind": "line", "cue": str(sound)}))
        else:
            self._send(Note(talk.opened.call, FactKind.EARLY_MEDIA, {"sound": str(sound)}))

    def _listen_to_agent(self, call: int, joined: bool) -> None:
        self._hearing.close(call | AGENT_SIDE)
        if joined:
            self._hearing.open(call | AGENT_SIDE, _hotwords(self._talks[call].opened)).picked_up()

    # --- to the line ---------------------------------------------------------------------------------------

    def _send(self, message: Message | Order) -> None:
        if isinstance(message, HandOver) and message.call in self._talks:
            self._talks[message.call].ear.expect_person()
        self._out.append(message)
        self._wake.set()

    def _sound(self, call: int, utterance_id: str, pcm: bytes, last: bool) -> None:
        for start in range(0, len(pcm), SOUND_PIECE):
            self._send(Sound(call, utterance_id, pcm[start : start + SOUND_PIECE], False))
        if last:
            self._send(Sound(call, utterance_id, b"", True))

    def _send_stored(self) -> None:
        """Leave with the line what it must be able to say without us."""
        for name, text in STORED.items():
            self._sound(0, name, self.prompts.synthesize(text), True)
            self._send(Stored(name, text))


def _hotwords(opened: Opened) -> tuple[str, ...]:
    """What this caller is likely to say: the debtor's name, the product and the sums. Never what proves identity."""
    case = opened.facts.case
    if case is None:
        return ()
    sums = dict.fromkeys((case.amount_fen, case.principal_fen, case.fees_fen))
    return (case.debtor.name, case.product, *(spoken_amount(fen) for fen in sums if fen))
