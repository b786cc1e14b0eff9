"""The process under attack: a user agent on UDP, TCP and TLS that answers calls and speaks. Obeys lines on stdin."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import sys
import threading
import time
from pathlib import Path

import uvloop

from sip import Call, CallState, SipError, UserAgent
from sip.media import MediaSession, MediaWheel, PortPool
from sip.transport import TlsSettings

HOST = "127.0.0.1"
RTP_PORTS = 29_000, 29_999
#: From here nobody may call.
STRANGER = "127.0.0.10"
#: Calls at once; whoever comes later gets 503.
MOST_CALLS = 60
TONE = b"\x00\x10" * 160


class Lines(logging.Handler):
    """Counts log lines instead of writing them."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.count = 0
        self.samples: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
        if len(self.samples) < 20:
            self.samples.append(record.getMessage()[:160])


class Speaker:
    def exchange(self, received: bytes, tick: int) -> bytes | None:
        return TONE


def memory_kb() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


class Victim:
    def __init__(self, certificate: Path, key: Path) -> None:
        self.lines = Lines()
        self._wheel, self._pool = MediaWheel(), PortPool(*RTP_PORTS)
        self.agent = UserAgent(
            (HOST, 0),
            media_factory=lambda: MediaSession(self._wheel, HOST, self._pool),
            on_incoming=self._take,
            allow=lambda source, request: 403 if source[0] == STRANGER else None,
            tcp=True,
            tls=TlsSettings(certificate, key),
        )

    async def start(self) -> None:
        logging.getLogger().addHandler(self.lines)
        logging.getLogger().setLevel(logging.INFO)
        self._wheel.start()
        await self.agent.start()

    async def _take(self, call: Call) -> None:
        if len(self.agent.calls) > MOST_CALLS:
            call.reject(503, headers=[("Retry-After", "5")])
            return
        call.ring()
        with contextlib.suppress(SipError):  # it has been cancelled meanwhile
            await call.answer()
        if call.media is not None:
            call.media.set_port(Speaker())

    def report(self, command: str) -> dict[str, object]:
        if command == "media":
            return {"ports": [call.media.local_port for call in self.agent.calls if call.media is not None]}
        gc.collect()
        endpoint, layer = self.agent._running, self.agent._transport
        friends = [call for call in self.agent.calls if "friend" in call.remote_uri]
        return {
            "friends_up": sum(call.state is CallState.CONFIRMED for call in friends),
            "friends_lost": [call.media.stats.lost for call in friends if call.media is not None],
            "calls": len(self.agent.calls),
            "faults": endpoint.faults,
            "unreadable": endpoint.unreadable,
            "dropped_unread": endpoint.flood.dropped,
            "transactions": len(endpoint._incoming) + len(endpoint._outgoing),
            "connections": sum(stream.connections for stream in layer._streams.values()),
            "log_lines": self.lines.count,
            "log_samples": self.lines.samples,
            "memory_kb": memory_kb(),
            "files": len(os.listdir("/proc/self/fd")),
            "tasks": len(asyncio.all_tasks()),
            "threads": threading.active_count(),
            "ticks": self._wheel.lateness.count,
            "ticks_late_over_20_ms": self._wheel.lateness.later_than(20.0),
            "cpu_s": round(time.process_time(), 2),
        }


async def main() -> None:
    victim = Victim(Path(sys.argv[1]), Path(sys.argv[2]))
    await victim.start()
    tls = victim.agent._transport.stream("TLS")
    assert tls is not None
    print(json.dumps({"udp": victim.agent.address[1], "tls": tls.address[1]}), flush=True)
    while command := (await asyncio.to_thread(sys.stdin.readline)).strip():
        print(json.dumps(victim.report(command)), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
