"""Session: one call's recogniser stream. It is replaced when it breaks, in the end by the standby; no other call
notices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future

import structlog

from voicebot.asr.recognizer import InSteps, RecognizerStream, Spelling, Syllable, Transcript
from voicebot.asr.watched import HungError, Watched
from voicebot.pipeline.standby import Standby

log = structlog.get_logger(__name__)

MOST_FAILURES = 2
"""So many failures without a turn that worked between them, and the standby takes over; its own make the call deaf."""
NOTHING = Transcript("", 0.0, None, None)


class Session:
    """Wraps the stream of `call`; never raises. `open_stream` makes a new one; `watched` does what may hang; `standby`
    has another recogniser, which knows the same `hotwords`."""

    def __init__(
        self,
        call: int,
        open_stream: Callable[[], RecognizerStream],
        watched: Watched | None = None,
        standby: Standby | None = None,
        hotwords: Sequence[str] = (),
    ) -> None:
        self.call = call
        self.why_standby = ""
        """Why the standby hears this call; empty while the configured recogniser does."""
        self._standby, self._hotwords = standby, hotwords
        self._watched = watched or Watched()
        self.why_deaf: str | None = None
        self.sound = bytearray()
        """The running turn so far, s16le: a stream that takes over hears it from the beginning."""
        self._open_stream = open_stream
        self._failures = 0
        self.stream = None
        if standby is not None and standby.why:
            self.take_over(standby.why)
        else:
            self._replace()

    @property
    def stream(self) -> RecognizerStream | None:
        """The one that hears; None while there is none."""
        return self._stream

    @stream.setter
    def stream(self, stream: RecognizerStream | None) -> None:
        self._stream = stream  # what it can do is asked once: asking a protocol takes long
        self._steps = stream if isinstance(stream, InSteps) else None
        self._spelling = stream if isinstance(stream, Spelling) else None

    def accept(self, pcm: bytes, eager: bool = False) -> None:
        """Sound of the running turn; `eager`: its words are wanted at once, for they may interrupt."""
        if self._steps is not None:
            self._steps.eager = eager
        self.sound += pcm
        if self.stream is not None:
            try:
                self.stream.accept(pcm)
            except Exception as error:
                self.broke(error)

    def partial(self) -> str:
        if self.stream is None:
            return ""
        try:
            return self.stream.partial()
        except Exception as error:
            self.broke(error)
            return ""

    def syllables(self) -> Sequence[Syllable] | None:
        """What was heard of the turn before it became words; None where the engine does not tell."""
        return self._spelling.syllables() if self._spelling is not None else None

    def finish(self) -> Transcript | Future[Transcript]:
        """End the turn. A stream that breaks over it leaves it to its successor; of one that hangs over it the words
        so far must do, and the Future says why."""
        finished = self._finished()
        self.sound.clear()
        return finished

    def abandon(self) -> None:
        """Forget the running turn."""
        self.sound.clear()
        if self.stream is not None:
            try:
                self.stream.reset()
            except Exception as error:
                self.broke(error)

    def worked(self) -> None:
        """A turn was read to its end: what failed before is forgiven."""
        self._failures = 0
        if self._standby is not None and not self.why_standby:
            self._standby.worked()

    def broke(self, error: BaseException) -> None:
        """The stream failed: open another one and let it hear the running turn."""
        log.error("a recogniser session broke", call=self.call, error=repr(error))
        self._failures += 1
        if isinstance(error, HungError):
            self.stream = None  # closing it would hang too
        self._drop()
        spare = self._standby if not self.why_standby else None
        if spare is not None:
            spare.broke(self.call, repr(error))
        if self._failures < MOST_FAILURES:
            self._replace()
        elif spare is not None:
            self.take_over(repr(error))
        else:
            self.why_deaf = repr(error)

    def stood_in(self, why: str) -> None:
        """The engine itself had to let another one read a turn: that one goes on."""
        if self._standby is not None and not self.why_standby:
            self._standby.broke(self.call, why)
            self.take_over(why)

    def take_over(self, why: str) -> None:
        """Let the standby hear this call from now on, the running turn from its beginning."""
        if self._standby is None or self.why_standby:
            return
        self.why_standby, self._failures = why, 0
        self._standby.taken_over += 1
        self._drop()
        self._replace()

    def renew(self) -> None:
        """Leave the stream to a thread that hangs with it: another one hears the running turn."""
        self.stream = None
        self._replace()

    def close(self) -> None:
        self._drop()

    def _finished(self) -> Transcript | Future[Transcript]:
        while self.stream is not None:
            try:
                finished: Transcript | Future[Transcript] = self._watched.run(self.stream.finish)
                return finished
            except HungError as error:
                hung: Future[Transcript] = Future()
                hung.set_exception(error)
                return hung
            except Exception as error:
                self.broke(error)
        return NOTHING

    def _replace(self) -> None:
        try:
            spare = self._standby if self.why_standby else None
            self.stream = self._open_stream() if spare is None else spare.open(self._hotwords)
            if self.sound:
                self.stream.accept(bytes(self.sound))
        except Exception as error:
            self.broke(error)

    def _drop(self) -> None:
        stream, self.stream = self.stream, None
        if stream is not None:
            try:
                stream.close()
            except Exception as error:
                log.warning("a recogniser session does not close", call=self.call, error=repr(error))
