"""TurnTaking: who has the floor. Barge-in, answers that come early, and the silence in which nobody speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    InputDTMFFrame,
    InterruptionFrame,
    TranscriptionFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from voicebot.dialog.events import HungUp, KeyPressed, MachineAnswered, Silence, Spoken, TransferEnded
from voicebot.domain.clock import Clock
from voicebot.domain.talk import Flush, Order
from voicebot.intent.danger import danger
from voicebot.pipeline.barge_in import han, interrupts, is_company
from voicebot.pipeline.conversation import Conversation
from voicebot.pipeline.frames import DialogEventFrame
from voicebot.pipeline.noticed import Partial

LATE_MS = 1500
"""An answer that began this shortly before the bot fell silent was meant as an answer."""


class TurnTaking(FrameProcessor):
    """Passes on what the caller meant to say to the bot, and silence when nobody says anything. `order` tells the line
    at once that the bot is interrupted, past all frames that wait."""

    def __init__(self, conversation: Conversation, clock: Clock, order: Callable[[Order], None]) -> None:
        super().__init__()
        self._talk = conversation
        self._clock = clock
        self._order = order
        self._early: TranscriptionFrame | None = None
        self._early_at = 0.0
        self._caller_speaks = False
        self._timer: asyncio.TimerHandle | None = None
        conversation.on_listen = self._arm

    def overhear(self, partial: Partial) -> None:
        """Words so far, which can only interrupt. No frame: where many calls are busy, one would wait for them all."""
        talk = self._talk
        if not talk.bot_speaks:
            return
        if danger(partial.text) or (talk.may_interrupt and interrupts(partial.text, partial.insists)):
            self._hush()
            self.create_task(self.queue_frame(InterruptionFrame()), name="interruption")

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case UserStartedSpeakingFrame():
                self._caller_speaks = True
                self._stop_timer()
            case UserStoppedSpeakingFrame():
                self._caller_speaks = False
            case TranscriptionFrame():
                await self._final(frame)
            case DialogEventFrame():
                await self._event(frame)
            case InputDTMFFrame():
                await self._key(frame.button.value)
            case CancelFrame() | EndFrame():
                self._stop_timer()
                await self.push_frame(frame, direction)
            case _:
                await self.push_frame(frame, direction)

    def _hush(self) -> None:
        self._talk.speaking.clear()
        self._order(Flush(self._talk.call))

    async def _interrupt(self) -> None:
        self._hush()
        await self.broadcast_interruption()  # type: ignore[no-untyped-call]

    async def _key(self, digit: str) -> None:
        """A key is as good as words: it stops what may be stopped, and silence counts from it."""
        if self._talk.bot_speaks and self._talk.may_interrupt:
            await self._interrupt()
        await self.push_frame(DialogEventFrame(KeyPressed(self._clock.now(), digit)))
        self._arm()

    async def _final(self, frame: TranscriptionFrame) -> None:
        if not han(frame.text):
            self._arm()
        elif not self._talk.bot_speaks:
            await self.push_frame(frame)
        elif danger(frame.text) or (self._talk.may_interrupt and interrupts(frame.text, _insists(frame))):
            await self._interrupt()
            await self.push_frame(frame)
        else:
            self._early, self._early_at = frame, asyncio.get_running_loop().time()

    async def _event(self, frame: DialogEventFrame) -> None:
        match frame.event:
            case Spoken(utterance_id=utterance_id):
                self._talk.speaking.pop(utterance_id, None)
                await self.push_frame(frame)
                if not self._talk.bot_speaks:
                    await self._fell_silent()
            case MachineAnswered():
                if self._talk.bot_speaks:
                    await self._interrupt()
                await self.push_frame(frame)
            case HungUp() | TransferEnded():
                self._stop_timer()
                await self.push_frame(frame)
            case _:
                await self.push_frame(frame)

    async def _fell_silent(self) -> None:
        early, self._early = self._early, None
        recent = asyncio.get_running_loop().time() - self._early_at <= LATE_MS / 1000
        if early is not None and (recent or not is_company(early.text)):
            await self.push_frame(early)
        else:
            self._arm()

    def _arm(self) -> None:
        self._stop_timer()
        quiet = not self._talk.bot_speaks and not self._caller_speaks
        if quiet and not self._talk.handed_over and not self._talk.over:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._talk.patience_s, self._silent, self._talk.patience_s)

    def _silent(self, seconds: float) -> None:
        self._timer = None
        if self._talk.bot_speaks or self._caller_speaks or not self._talk.listening:
            return
        event = Silence(self._clock.now(), seconds)
        self.create_task(self.push_frame(DialogEventFrame(event)), name="silence")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _insists(frame: TranscriptionFrame) -> bool | None:
    """What the hearing adds; a stock service leaves it out."""
    return getattr(frame.result, "insists", None)
