"""CachedTTS: sentences become sound, from the prompt cache where it has them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import structlog
from pipecat.frames.frames import Frame, TTSAudioRawFrame, TTSStartedFrame, TTSStoppedFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from voicebot.audio.frames import RATE
from voicebot.domain.talk import BRIEFING
from voicebot.pipeline.frames import BriefingFrame, ForeseenFrame, UtterFrame
from voicebot.tts.cache import PromptCache

log = structlog.get_logger(__name__)

_AHEAD = ThreadPoolExecutor(1, thread_name_prefix="ahead")
"""Of all calls of the process: more threads would take the interpreter from the hearing, and there is time."""


class CachedTTS(FrameProcessor):
    """Renders off the loop; the line paces, so a whole sentence goes out in one frame."""

    def __init__(self, prompts: PromptCache) -> None:
        super().__init__()
        self._prompts = prompts
        self._preparing: asyncio.Task[None] | None = None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, UtterFrame):
            await self.push_frame(frame)
            await self._speak(frame.text, frame.utterance_id, interruptible=frame.interruptible)
        elif isinstance(frame, BriefingFrame):
            await self._speak(frame.text, BRIEFING, interruptible=False)
        elif isinstance(frame, ForeseenFrame):
            self._prepare(frame.texts)
        else:
            await self.push_frame(frame, direction)

    async def cleanup(self) -> None:
        self._prepare(())
        await super().cleanup()  # type: ignore[no-untyped-call]  # pipecat leaves it unannotated

    def _prepare(self, texts: tuple[str, ...]) -> None:
        """Render what may come next, one after the other; what was foreseen before is no longer of interest."""
        if self._preparing is not None:
            self._preparing.cancel()
        self._preparing = asyncio.create_task(self._render_ahead(texts)) if texts else None

    async def _render_ahead(self, texts: tuple[str, ...]) -> None:
        for text in texts:
            try:
                await asyncio.get_running_loop().run_in_executor(_AHEAD, self._prompts.prepare, text)
            except Exception:
                log.exception("the voice failed ahead of time", characters=len(text))

    async def _speak(self, text: str, context: str, *, interruptible: bool) -> None:
        pcm = await self._render(text)
        frames: tuple[Frame, ...] = (
            TTSStartedFrame(context_id=context),
            TTSAudioRawFrame(pcm, RATE, 1, context_id=context),
            TTSStoppedFrame(context_id=context),
        )
        for frame in frames:
            frame.interruptible = interruptible
            await self.push_frame(frame)

    async def _render(self, text: str) -> bytes:
        """The sound of `text`; silence of its length when the voice fails, so that the call goes on."""
        try:
            pcm = self._prompts.at_hand(text)
            return await asyncio.to_thread(self._prompts.synthesize, text) if pcm is None else pcm
        except Exception:
            log.exception("the voice failed", characters=len(text))
            return bytes(RATE * 2)
