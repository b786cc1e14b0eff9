"""CallPipeline: the chain of one call, from what was heard to what is said."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable

import structlog
from pipecat.audio.dtmf.types import KeypadEntry
from pipecat.frames.frames import (
    CancelFrame,
    Frame,
    InputDTMFFrame,
    TranscriptionFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.workers.runner import WorkerRunner

from voicebot.audio.frames import RATE
from voicebot.dialog.engine import initial
from voicebot.dialog.events import Event
from voicebot.dialog.foresight import foreseen
from voicebot.dialog.script import Script
from voicebot.domain.case import CallFacts
from voicebot.domain.clock import Clock
from voicebot.intent.understander import Understander
from voicebot.pipeline.conversation import Conversation
from voicebot.pipeline.frames import DialogEventFrame, ForeseenFrame
from voicebot.pipeline.live_gate import LiveGate
from voicebot.pipeline.noticed import Partial, Utterance
from voicebot.pipeline.script_dialog import ScriptDialog
from voicebot.pipeline.silent_listener import SilentListener
from voicebot.pipeline.speech_out import CachedTTS
from voicebot.pipeline.transport import PhoneTransport, SendOrder, SendSound
from voicebot.pipeline.turn_taking import TurnTaking
from voicebot.pipeline.understand import Understand
from voicebot.tts.cache import PromptCache

log = structlog.get_logger(__name__)

STOP_TIMEOUT_S = 3.0


class CallPipeline:
    """One pipecat worker and runner for one call; a stuck one is ended by force."""

    def __init__(
        self,
        conversation: Conversation,
        script: Script,
        facts: CallFacts,
        *,
        understander: Understander,
        prompts: PromptCache,
        clock: Clock,
        order: SendOrder,
        sound: SendSound,
    ) -> None:
        self._opening: Callable[[], tuple[str, ...]] = lambda: foreseen(script, initial(script, facts), clock.now())
        transport = PhoneTransport(conversation, order, sound)
        gate = LiveGate(facts)
        self.listener = SilentListener(conversation.call, gate, order)
        self._input = transport.input()
        self._turns = TurnTaking(conversation, clock, order)
        self._pipeline = Pipeline(
            [
                self._input,
                self._turns,
                Understand(conversation, understander, clock),
                ScriptDialog(script, facts, conversation, gate),
                CachedTTS(prompts),
                transport.output(),
            ]
        )
        self._worker = PipelineWorker(
            self._pipeline,
            params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
            enable_rtvi=False,
            enable_turn_tracking=False,
            idle_timeout_secs=None,
            cancel_timeout_secs=STOP_TIMEOUT_S,
            check_dangling_tasks=False,
        )
        self._runner = WorkerRunner(handle_sigint=False, check_dangling_tasks=False)
        self._started = asyncio.Event()
        self._run: asyncio.Task[None] | None = None

        async def on_started(_worker: PipelineWorker, _frame: Frame) -> None:
            self._started.set()

        self._worker.add_event_handler("on_pipeline_started", on_started)

    async def start(self) -> None:
        """Returns when frames may flow, and has the first words got ready; TimeoutError after 10 s."""
        await self._runner.add_workers(self._worker)
        self._run = asyncio.create_task(self._runner.run())
        await asyncio.wait_for(self._started.wait(), 10)
        await self._push(ForeseenFrame(self._opening()))

    async def stop(self) -> None:
        """End the pipeline; a processor that is stuck cannot hold it up."""
        if self._run is None:
            return
        cancel = asyncio.create_task(self._worker.cancel(reason="call over"))
        done, _ = await asyncio.wait({self._run}, timeout=STOP_TIMEOUT_S)
        if not done:
            log.warning("pipeline is stuck, ended by force")
            await self._pipeline.queue_frame(CancelFrame())
            await asyncio.wait({self._run}, timeout=STOP_TIMEOUT_S)
        cancel.cancel()
        self._run.cancel()

    async def event(self, event: Event) -> None:
        await self._push(DialogEventFrame(event))

    async def key(self, digit: str) -> None:
        await self._push(InputDTMFFrame(button=KeypadEntry(digit)))

    async def started_speaking(self) -> None:
        await self._push(UserStartedSpeakingFrame())

    def overhear(self, partial: Partial) -> None:
        """Words so far: they silence the bot at once, or are of no interest."""
        self._turns.overhear(partial)

    async def heard(self, utterance: Utterance) -> None:
        await self._push(UserStoppedSpeakingFrame())
        frame = TranscriptionFrame(utterance.text, "callee", _stamp(), result=utterance, finalized=True)
        frame.interruptible = False
        await self._push(frame)

    async def _push(self, frame: Frame) -> None:
        await self._input.queue_frame(frame)


def _stamp() -> str:
    return dt.datetime.now(dt.UTC).isoformat()
