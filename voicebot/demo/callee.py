"""Callee: one simulated person on one call. Listens through the recogniser, answers with a voice."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable

from voicebot.audio.frames import FRAME_BYTES, SILENCE
from voicebot.demo.persona import Persona
from voicebot.demo.topics import asked
from voicebot.pipeline.noticed import Noticed, Partial, SpeechStarted, Utterance

Speak = Callable[[str], bytes]
"""Text to s16le 8 kHz."""
LONGEST_LISTEN_S = 4.0


class Callee:
    """An audio port: `exchange` is called every 20 ms. `on_latency(ms)` gets end of answer to the bot's first sound."""

    def __init__(self, persona: Persona, speak: Speak, on_latency: Callable[[float], None]) -> None:
        self._persona = persona
        self._speak = speak
        self._on_latency = on_latency
        self._asked: Counter[str] = Counter()
        self._heard: list[str] = []
        self._queue: deque[bytes] = deque()
        self._reply: asyncio.Task[None] | None = None
        self._fell_silent: int | None = None
        self._ticks = 0
        self.received: bytes = SILENCE

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        self._ticks += 1
        self.received = received
        self._measure(received)
        if not self._queue:
            return None
        frame = self._queue.popleft()
        if not self._queue:
            self._fell_silent = self._ticks
        return frame

    def say(self, pcm: bytes) -> None:
        """Queue sound to be spoken."""
        starts = range(0, len(pcm), FRAME_BYTES)
        self._queue.extend(pcm[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0") for at in starts)

    @property
    def speaking(self) -> bool:
        return bool(self._queue)

    def notice(self, noticed: Noticed) -> None:
        """What the hearing noticed of the bot's voice."""
        match noticed:
            case SpeechStarted():
                self._stay_quiet()
            case Partial(text=text):
                self._maybe_interrupt(text)
            case Utterance(text=text):
                self._understood(text)

    def stop(self) -> None:
        if self._reply is not None:
            self._reply.cancel()

    def _stay_quiet(self) -> None:
        """The bot goes on: an answer that was not begun waits for the end of the question."""
        if self._reply is not None and not self._queue:
            self._reply.cancel()
            self._reply = None

    def _maybe_interrupt(self, text: str) -> None:
        wait = self._persona.barge_in_after_s
        if wait is not None and self._reply is None and len(text) >= 12 and "元" in text and self._asked["debt"] == 0:
            self._heard.append(text)
            self._answer(after_s=wait)

    def _understood(self, text: str) -> None:
        if text:
            self._heard.append(text)
        if self._heard and not self.speaking and (self._reply is None or self._reply.done()):
            self._answer(after_s=self._persona.answer_after_s)

    def _answer(self, *, after_s: float) -> None:
        self._reply = asyncio.create_task(self._answer_soon(after_s))

    async def _answer_soon(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        topic = asked("".join(self._heard))
        self._heard.clear()
        text = self._persona.answer(topic, self._asked[topic.value])
        self._asked[topic.value] += 1
        if text:
            self.say(await asyncio.to_thread(self._speak, text))

    def _measure(self, received: bytes) -> None:
        """From our last sample to the bot's first loud one."""
        if self._fell_silent is not None and not self._queue and _loud(received):
            self._on_latency((self._ticks - self._fell_silent) * 20.0)
            self._fell_silent = None


def _loud(pcm: bytes) -> bool:
    """True when a frame holds more than line noise: a sample above about -42 dBFS."""
    samples = memoryview(pcm).cast("h")
    return max(samples) > 250 or min(samples) < -250
