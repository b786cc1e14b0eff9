"""PhoneTransport: the pipeline's two ends. The line owns clock and playout; here are only frames and orders."""

from __future__ import annotations

from collections.abc import Callable

from pipecat.frames.frames import (
    Frame,
    InterruptionFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.transports.base_transport import BaseTransport

from voicebot.domain.talk import Flush, Order, Play
from voicebot.pipeline.conversation import Conversation
from voicebot.pipeline.frames import OrderFrame, UtterFrame

SendOrder = Callable[[Order], None]
SendSound = Callable[[int, str, bytes, bool], None]
"""call, utterance id, s16le 8 kHz, last."""

class PhoneInput(FrameProcessor):
    """Where the hearing of the tick pushes its frames in."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)

class PhoneOutput(FrameProcessor):
    """Turns sentences and their sound into orders; an interruption becomes a Flush, for a sentence may have been on its
    way here when turn-taking ordered one."""

    def __init__(self, conversation: Conversation, order: SendOrder, sound: SendSound) -> None:
        super().__init__()
        self._conversation = conversation
        self._order = order
        self._sound = sound

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        call = self._conversation.call
        if isinstance(frame, UtterFrame):
            self._play(frame)
        elif isinstance(frame, TTSAudioRawFrame):
            self._sound(call, frame.context_id or "", frame.audio, False)
        elif isinstance(frame, TTSStoppedFrame):
            self._sound(call, frame.context_id or "", b"", True)
        elif isinstance(frame, OrderFrame):
            self._order(frame.order)
        elif isinstance(frame, InterruptionFrame):
            self._order(Flush(call))
        elif not isinstance(frame, TTSStartedFrame):
            await self.push_frame(frame, direction)

    def _play(self, frame: UtterFrame) -> None:
        self._order(
            Play(
                self._conversation.call,
                frame.utterance_id,
                frame.text,
                frame.node,
                frame.may_interrupt,
                frame.answers_tick,
            )
        )

class PhoneTransport(BaseTransport):
    """One call's transport: no sound passes the input, the line plays what the output orders."""

    def __init__(self, conversation: Conversation, order: SendOrder, sound: SendSound) -> None:
        super().__init__()
        self._in = PhoneInput()
        self._out = PhoneOutput(conversation, order, sound)

    def input(self) -> PhoneInput:
        return self._in

    def output(self) -> PhoneOutput:
        return self._out
