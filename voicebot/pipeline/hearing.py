"""Hearing: echo, voice activity, recognition and end of turn of all calls, in one batch per tick."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import structlog

from voicebot.asr.recognizer import Recognizer
from voicebot.asr.watched import HungError, Watched
from voicebot.audio.echo import EchoGuard
from voicebot.audio.frames import SILENCE
from voicebot.audio.vad import VoiceActivity
from voicebot.domain.talk import OWN_SIDE
from voicebot.pipeline.ear import Ear, IsComplete
from voicebot.pipeline.noticed import Deaf, Noticed
from voicebot.pipeline.session import Session
from voicebot.pipeline.standby import Standby
from voicebot.telemetry.cpu_clock import CLOCK

log = structlog.get_logger(__name__)


class Hearing:
    """All ears of a brain: one voice activity run and one recogniser run per tick. What fails for one call is that
    call's alone."""

    def __init__(
        self,
        recognizer: Recognizer,
        voice_activity: VoiceActivity,
        is_complete: IsComplete,
        standby: Standby | None = None,
    ) -> None:
        self._recognizer = recognizer
        self.standby = standby
        self._voice_activity = voice_activity
        self._is_complete = is_complete
        self._echo_guard = EchoGuard()
        self._ears: dict[int, Ear] = {}
        self._watched = Watched()
        self._suspects: list[Ear] = []
        """One of them hung a batch: each decodes alone once, one per tick."""

    def open(self, call: int, hotwords: Sequence[str] = ()) -> Ear:
        session = Session(call, lambda: self._recognizer.open(hotwords), self._watched, self.standby, hotwords)
        ear = Ear(call, self._voice_activity.open(), session, self._is_complete)
        self._ears[call] = ear
        return ear

    def close(self, call: int) -> None:
        ear = self._ears.pop(call, None)
        if ear is not None:
            ear.close()
            self._suspects = [one for one in self._suspects if one is not ear]

    def tick(self, number: int, frames: Sequence[tuple[int, bytes]]) -> list[tuple[int, Noticed]]:
        """One tick of all calls: received sound, and under OWN_SIDE what we sent meanwhile, whose echo is taken out.
        Frames of calls that are not open are ignored."""
        sent = {call & ~OWN_SIDE: pcm for call, pcm in frames if call & OWN_SIDE}
        calls = [(self._ears[call], pcm, sent.get(call, SILENCE)) for call, pcm in frames if call in self._ears]
        with CLOCK.part("echo"):
            clean = self._echo_guard.process([(ear.echo, pcm, ours) for ear, pcm, ours in calls])
        heard = [(ear, pcm) for (ear, _, _), pcm in zip(calls, clean, strict=True)]
        with CLOCK.part("voice activity"):
            self._voice_activity.process([(ear.vad, pcm) for ear, pcm in heard])
        with CLOCK.part("turns"):
            noticed = self._each(heard, number)
        running = [ear for ear, _ in heard if ear.listening]
        self._decode(running)
        with CLOCK.part("turns"):
            return noticed + [(ear.call, one) for ear in running for one in self._guarded(ear, ear.words)]

    def _each(self, heard: Sequence[tuple[Ear, bytes]], number: int) -> list[tuple[int, Noticed]]:
        return [(ear.call, one) for ear, pcm in heard for one in self._guarded(ear, partial(ear.tick, pcm, number))]

    def _decode(self, ears: Sequence[Ear]) -> None:
        """All of them together; where that fails, one by one, to find whose stream it was."""
        if self._suspects:
            self._decode_alone(self._suspects.pop(0))
        sound = [ear for ear in ears if ear not in self._suspects and ear.session.stream is not None]
        if not sound:
            return
        try:
            self._batch(sound)
        except HungError as error:
            self._suspect(sound, error)
        except Exception as error:
            log.error("a batch of recogniser sessions failed", calls=len(sound), error=repr(error))
            for ear in sound:
                self._decode_alone(ear)

    def _batch(self, ears: Sequence[Ear]) -> None:
        for standing_in in (False, True):
            sessions = [ear.session for ear in ears if bool(ear.session.why_standby) is standing_in]
            streams = [session.stream for session in sessions if session.stream is not None]
            if streams:
                self._watched.run(partial(self._engine(standing_in).decode, streams))

    def _engine(self, standing_in: bool) -> Recognizer:
        return self.standby.reserve if standing_in and self.standby is not None else self._recognizer

    def _suspect(self, ears: Sequence[Ear], error: HungError) -> None:
        """The batch of these hangs: all of them get new streams, and whose it was turns out one by one."""
        log.error("a batch of recogniser sessions hangs", calls=len(ears), error=str(error))
        for ear in ears:
            if len(ears) == 1:
                ear.session.broke(error)
            else:
                ear.session.renew()
        self._suspects += ears

    def _decode_alone(self, ear: Ear) -> None:
        if ear.session.stream is None:
            return
        try:
            self._batch([ear])
        except Exception as error:
            ear.session.broke(error)
            if isinstance(error, HungError):
                self._suspects.append(ear)

    def _guarded(self, ear: Ear, hear: Callable[[], list[Noticed]]) -> list[Noticed]:
        """What an ear notices; one that fails is taken out, and its call told."""
        try:
            return hear()
        except Exception as error:
            log.exception("an ear failed", call=ear.call)
            self.close(ear.call)
            return [Deaf(repr(error))]
