"""BrainLink: the line's end of the tick protocol."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import structlog

from voicebot.domain.talk import Flush, GiveUp, HandOver, HangUpCall, MachineFound, Note, Order, Play, Report, Stored
from voicebot.telemetry.cpu_clock import CLOCK
from voicebot.worker.ticks import Ack, Decoder, Hello, Sound, Tick, TickProtocolError, encode, encode_all

log = structlog.get_logger(__name__)

LOST_MS = 460
"""A brain that answers no tick for this long is lost: noticed and acted upon within half a second."""
BEHIND_MS = 5_000
"""One that does answer, but so late, is lost too, with all its calls. Not sooner: where fifty callers of a small
machine speak at once, it is three seconds behind, and works that off."""
HUNG_MS = 10_000
"""A brain that has not answered for this long never will: it is ended, so that the supervisor starts another."""
STALL_S = 0.1
"""What a tick may count for at most: after a stall of our own the brain's answers still wait unread."""
MOST_WAITING = 2 * 1024 * 1024
"""Bytes that may wait for the brain; beyond that ticks are dropped and counted."""
READ_BYTES = 256 * 1024
_PEER = struct.Struct("3i")
"""struct ucred of unix(7): pid, uid, gid."""


class BrainLink:
    """The line's end: a BrainSeat that sends one tick per 20 ms and watches the answers.

    `end(pid)` ends a brain that hangs.
    """

    def __init__(
        self,
        on_order: Callable[[Order], None],
        on_sound: Callable[[Sound], None],
        on_lost: Callable[[int], None],
        end: Callable[[int], None] = lambda pid: os.kill(pid, signal.SIGKILL),
    ) -> None:
        self._end = end
        self._on_order = on_order
        self._on_sound = on_sound
        self._on_lost = on_lost
        self._writer: asyncio.StreamWriter | None = None
        self._server: asyncio.Server | None = None
        self._frames: list[tuple[int, bytes]] = []
        self._reports: list[Report] = []
        self._stored: dict[str, bytearray] = {}
        self._arriving: dict[str, bytearray] = {}
        self._unanswered: deque[tuple[int, float]] = deque()
        self._lost = True
        self.ready = asyncio.Event()
        self._awake, self._seen = 0.0, time.monotonic()
        self._heard = 0.0
        self.ticks_dropped = 0
        self.lag_ms = 0.0

    async def listen(self, path: Path) -> None:
        path.unlink(missing_ok=True)  # noqa: ASYNC240  # once, before anything runs
        self._server = await asyncio.start_unix_server(self._serve, path)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._writer is not None:
            self._writer.close()

    # --- BrainSeat -----------------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        return self._writer is not None and not self._lost

    def report(self, report: Report) -> None:
        if self._writer is not None:
            self._reports.append(report)

    def frame(self, call: int, pcm: bytes) -> None:
        self._frames.append((call, pcm))

    def stored(self, name: str) -> bytes | None:
        sound = self._stored.get(name)
        return bytes(sound) if sound else None

    # --- the tick ------------------------------------------------------------------------------------------

    def tick(self, number: int) -> None:
        """Send what was gathered since the last tick; called by the wheel after all calls had their turn."""
        with CLOCK.part("link"):
            self._tick(number)

    def _tick(self, number: int) -> None:
        self._awake, self._seen = self._awake_s(), time.monotonic()
        frames, self._frames = tuple(self._frames), []
        reports, self._reports = self._reports, []
        if self._writer is None:
            return
        if self._writer.transport.get_write_buffer_size() > MOST_WAITING:
            self.ticks_dropped += 1
            self._writer.write(encode_all(reports))
        else:
            self._writer.write(encode_all([*reports, Tick(number, frames)]))
            self._unanswered.append((number, self._awake_s()))
        self._watch()

    def _awake_s(self) -> float:
        """Seconds in which this process was awake to read answers."""
        return self._awake + min(time.monotonic() - self._seen, STALL_S)

    def _watch(self) -> None:
        if not self._unanswered:
            return
        oldest, now = self._unanswered[0][1], self._awake_s()
        silent_ms, behind_ms = int((now - max(oldest, self._heard)) * 1000), int((now - oldest) * 1000)
        if silent_ms >= HUNG_MS:
            self._end_hung(silent_ms)
        elif (silent_ms >= LOST_MS or behind_ms >= BEHIND_MS) and not self._lost:
            self._lose(behind_ms)

    def _lose(self, silent_ms: int) -> None:
        self._lost = True
        log.error("the brain is lost", silent_ms=silent_ms)
        self._on_lost(silent_ms)

    def _end_hung(self, silent_ms: int) -> None:
        if self._writer is None or not hasattr(socket, "SO_PEERCRED"):  # Linux
            return
        self._unanswered.clear()
        pid, _, _ = _PEER.unpack(
            self._writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        )
        log.error("the brain hangs, ending it", silent_ms=silent_ms, pid=pid)
        with contextlib.suppress(ProcessLookupError):
            self._end(pid)

    # --- the socket ----------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._writer is not None:
            self._writer.close()  # a restarted brain replaces the one that hangs
        self._writer = writer
        self._unanswered.clear()
        self._arriving.clear()
        writer.write(encode(Hello()))
        decoder = Decoder()
        try:
            while data := await reader.read(READ_BYTES):
                for message in decoder.feed(data):
                    self._take(message)
        except (TickProtocolError, ConnectionError) as error:
            log.error("the brain's connection broke", error=str(error))
        finally:
            writer.close()
            if self._writer is writer:
                self._writer = None
                if not self._lost:
                    self._lose(0)

    def _take(self, message: object) -> None:
        match message:
            case Ack():
                self._answered(message.number)
            case Sound(call=0):
                self._arriving.setdefault(message.utterance_id, bytearray()).extend(message.pcm)
            case Stored(name=name):
                self._stored[name] = self._arriving.pop(name, bytearray())
            case Sound():
                self._on_sound(message)
            case Play() | Flush() | HangUpCall() | HandOver() | Note() | MachineFound() | GiveUp():
                self._on_order(message)
            case Hello():
                pass
            case _:
                log.warning("the brain sent what only the line may send", message=type(message).__name__)

    def _answered(self, number: int) -> None:
        self._heard = self._awake_s()
        while self._unanswered and self._unanswered[0][0] <= number:
            _, sent = self._unanswered.popleft()
            self.lag_ms = (self._awake_s() - sent) * 1000
        if self._lost and self.lag_ms < LOST_MS:
            self._lost = False
            self.ready.set()
            log.info("the brain is ready")
