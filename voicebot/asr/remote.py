"""Recognition on another machine: a sherpa-onnx or FunASR server over WebSocket, with a way out when it is gone.

A turn's sound is kept until its text is final. A connection that breaks is made again and hears the whole turn from its
beginning, so no word is lost; when there is no server in time, the fallback recogniser reads the turn here.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import numpy as np
import soxr
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from voicebot.asr.hot_words import BySound
from voicebot.asr.recognizer import Recognizer, RecognizerStream, Transcript, load_recognizer
from voicebot.asr.remote_protocols import PROTOCOLS, Protocol

log = structlog.get_logger(__name__)

RATE, SERVER_RATE = 8000, 16000
FINAL_WITHIN_S = 2.0
"""How long a turn's last words are waited for before the fallback reads the turn."""
CONNECT_WITHIN_S = 1.0
RETRY_S = 0.2
REFUSED_WITHIN_S = 0.5
"""The same of a turn that no connection was made for: the next try, and no more."""
_TAIL_S = 0.6
_UNSURE = 0.8
T = TypeVar("T")


class _Turn:
    """One turn of one caller on its way through the server; lives in the loop of the connections."""

    def __init__(
        self, address: str, protocol: Protocol, hotwords: Sequence[str], on_text: Callable[[str], None]
    ) -> None:
        self._address, self._protocol, self._hotwords, self._on_text = address, protocol, hotwords, on_text
        self._pieces: list[bytes] = []
        self._ended = False
        self.refused, self._reached = False, False
        """Whether connections failed and none was ever made for this turn."""
        self._news = asyncio.Event()

    def start(self) -> None:
        """First of all, and like everything below in the loop of the connections."""
        self.final: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._task = asyncio.get_running_loop().create_task(self._run())

    def feed(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()

    def cancel(self) -> None:
        self._task.cancel()
        self.final.cancel()

    async def _run(self) -> None:
        while not self.final.done():
            try:
                async with asyncio.timeout(CONNECT_WITHIN_S):
                    connection = await connect(self._address, max_queue=64, ping_interval=None, compression=None)
            except (OSError, TimeoutError, WebSocketException) as error:
                self.refused = not self._reached
                log.warning("the recognition server can't be reached", address=self._address, error=str(error))
                await asyncio.sleep(RETRY_S)
                continue
            self.refused, self._reached = False, True
            async with connection:
                with contextlib.suppress(OSError, WebSocketException):
                    await self._hold(connection)
            if not self.final.done():
                await asyncio.sleep(RETRY_S)

    async def _hold(self, connection: ClientConnection) -> None:
        """One connection: everything from the beginning of the turn, then what comes, until the text is final."""
        speaking = asyncio.create_task(self._speak(connection))
        try:
            reading = self._protocol.reading()
            async for message in connection:
                text, is_final = reading.take(message)
                self._on_text(text)
                if is_final and self._ended:
                    if not self.final.done():
                        self.final.set_result(text)
                    return
        finally:
            speaking.cancel()

    async def _speak(self, connection: ClientConnection) -> None:
        for message in self._protocol.hello(self._hotwords):
            await connection.send(message)
        sent = 0
        while True:
            self._news.clear()
            while sent < len(self._pieces):
                await connection.send(self._protocol.sound(self._pieces[sent]))
                sent += 1
            if self._ended:
                for message in self._protocol.goodbye():
                    await connection.send(message)
                return
            await self._news.wait()


class RemoteStream:
    """One caller's sound."""

    def __init__(self, engine: RemoteRecognizer, hotwords: Sequence[str]) -> None:
        self._engine, self._words = engine, BySound(hotwords)
        self._heard = 0
        self._closed = False
        self._turn: _Turn | None = None
        self.reset()

    def accept(self, pcm: bytes) -> None:
        if self._closed:
            return
        pcm = pcm[: len(pcm) & ~1]
        self._kept += pcm
        self._heard += len(pcm) // 2
        self._send(np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768), last=False)

    def partial(self) -> str:
        return self._words.spell(self._text)

    def finish(self) -> Future[Transcript]:
        self._send(np.zeros(int(_TAIL_S * RATE), np.float32), last=True)
        turn, self._turn = self._turn, None
        final = self._engine.conclude(turn, bytes(self._kept), self._words, self._began / RATE, self._heard / RATE)
        self.reset()
        return final

    def reset(self) -> None:
        if self._turn is not None:
            self._engine.call(self._turn.cancel)
        self._turn = None
        self._kept = bytearray()
        self._began, self._text = self._heard, ""
        self._resampler = soxr.ResampleStream(RATE, SERVER_RATE, 1, dtype="float32")

    def close(self) -> None:
        self._closed = True
        self.reset()

    def _send(self, samples: Any, *, last: bool) -> None:
        if self._turn is None:
            self._turn = self._engine.begin(self._words.words, self._hear)
        piece = np.asarray(self._resampler.resample_chunk(samples, last=last), np.float32).tobytes()
        self._engine.call(self._turn.feed, piece)
        if last:
            self._engine.call(self._turn.end)

    def _hear(self, text: str) -> None:
        self._text = text


class RemoteRecognizer:
    """All connections live in one thread's event loop; `fallback` reads turns whose server is gone."""

    sample_rate = RATE

    def __init__(self, address: str, protocol: Protocol, fallback: Callable[[], Recognizer]) -> None:
        self.name = f"remote:{address}"
        self._address, self._protocol = address, protocol
        self._make_fallback = fallback
        self._fallback: Recognizer | None = None
        self._here = ThreadPoolExecutor(1, thread_name_prefix="asr-fallback")
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="asr-remote", daemon=True).start()
        self.fallbacks = 0

    def open(self, hotwords: Sequence[str] = ()) -> RecognizerStream:
        return RemoteStream(self, hotwords)

    def decode(self, streams: Sequence[RecognizerStream]) -> None:
        """Nothing to do here: the server decodes."""

    def close(self) -> None:
        """Break off what is under way and end the thread."""
        self._run(self._break_off())

    async def _break_off(self) -> None:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        self._loop.call_later(0.01, self._loop.stop)

    def call(self, work: Callable[..., object], *arguments: object) -> None:
        self._loop.call_soon_threadsafe(work, *arguments)

    def begin(self, hotwords: Sequence[str], on_text: Callable[[str], None]) -> _Turn:
        """Returns at once: the caller of a tick must not wait for another thread."""
        turn = _Turn(self._address, self._protocol, hotwords, on_text)
        self.call(turn.start)
        return turn

    def conclude(
        self, turn: _Turn | None, pcm: bytes, words: BySound, began: float, heard: float
    ) -> Future[Transcript]:
        async def work() -> Transcript:
            text, sure, why = await self._final(turn, pcm, words.words)
            if not text:
                return Transcript("", 0.0, None, None, why)
            return Transcript(words.spell(text), sure, round(began, 2), round(heard, 2), why)

        return self._run(work())

    async def _final(self, turn: _Turn | None, pcm: bytes, hotwords: Sequence[str]) -> tuple[str, float, str]:
        if turn is None:
            return "", 0.0, ""
        try:
            async with asyncio.timeout(min(FINAL_WITHIN_S, REFUSED_WITHIN_S) if turn.refused else FINAL_WITHIN_S):
                return await turn.final, _UNSURE, ""
        except TimeoutError:
            turn.cancel()
            self.fallbacks += 1
            log.error("the recognition server is gone, reading the turn here", address=self._address)
            transcript = await asyncio.get_running_loop().run_in_executor(self._here, self._read_here, pcm, hotwords)
            return transcript.text, transcript.confidence, f"the recognition server {self._address} is gone"

    def _read_here(self, pcm: bytes, hotwords: Sequence[str]) -> Transcript:
        self._fallback = self._fallback or self._make_fallback()
        stream = self._fallback.open(hotwords)
        stream.accept(pcm)
        finished = stream.finish()
        return finished.result() if isinstance(finished, Future) else finished

    def _run(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)


def load_remote(address: str) -> RemoteRecognizer:
    """`ws://HOST:PORT` or `wss://…`, of a sherpa-onnx server; `?protocol=funasr` for a FunASR one.

    Raises ValueError for an address that is none.
    """
    parts = urlsplit(address)
    protocol = parse_qs(parts.query).get("protocol", ["sherpa"])[0]
    if parts.scheme not in ("ws", "wss") or not parts.hostname or protocol not in PROTOCOLS:
        raise ValueError(
            f"{address!r} is no recognition server: write remote:ws://HOST:PORT, with ?protocol=funasr for FunASR"
        )
    bare = parts._replace(query="").geturl()
    return RemoteRecognizer(bare, PROTOCOLS[protocol](), lambda: load_recognizer("embedded"))
