"""The near end, which is judged: keeps so many calls up, and counts how they end and what they leave."""

import asyncio
import gc
import os
import random
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Final

from benchmarks.soak.places import FAR_SEEN_BY_NEAR, NEAR, RTP_PORTS, SIP_PORT
from benchmarks.soak.tone import Tone
from sip import Answered, Call, Ended, UserAgent
from sip.media import MediaSession, MediaWheel, PortPool

MEAN_S: Final = 30.0
SILENT_AFTER_S: Final = 8.0
RINGS_S: Final = 12.0


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the process holds at one moment."""

    sockets_and_files: int
    tasks: int
    threads: int
    memory_mb: float

    @classmethod
    def now(cls) -> "Holdings":
        gc.collect()
        with open("/proc/self/status") as status:
            resident_kb = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
        return cls(len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks()), threading.active_count(),
                   round(resident_kb / 1024, 1))


class Near:
    """A user agent that calls the far end again and again."""

    def __init__(self) -> None:
        self.wheel, self._ports = MediaWheel(), PortPool(*RTP_PORTS)
        self.outcomes, self.media = Counter[str](), Counter[str]()
        self._agent = UserAgent((NEAR, SIP_PORT), media_factory=self._media_session)
        self.calls = 0

    def _media_session(self) -> MediaSession:
        return MediaSession(self.wheel, NEAR, self._ports, timeout_s=SILENT_AFTER_S)

    async def start(self) -> None:
        await self._agent.start()
        self.wheel.start()

    async def close(self) -> None:
        await self._agent.close()
        self.wheel.stop()

    @property
    def up(self) -> int:
        return len(self._agent.calls)

    async def keep_calling(self, until: float) -> None:
        """One line of the exchange: a call, a pause, the next call."""
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            await self.call(min(random.expovariate(1 / MEAN_S) + 1, until - loop.time() + 1))
            await asyncio.sleep(random.uniform(0, 0.5))

    async def call(self, talk_s: float) -> None:
        """One call, at most `talk_s` seconds long."""
        self.calls += 1
        target = f"sip:far@{FAR_SEEN_BY_NEAR}:{SIP_PORT}"
        call = self._agent.call(target, from_uri=f"sip:near@{NEAR}", ring_timeout_s=RINGS_S)
        tone = Tone()
        hanging_up: asyncio.Task[None] | None = None
        async for event in call.events():
            if isinstance(event, Answered) and call.media is not None:
                call.media.set_port(tone)
                hanging_up = asyncio.create_task(_hang_up_after(call, talk_s))
            elif isinstance(event, Ended):
                self._note(call, event, tone)
        if hanging_up is not None:
            hanging_up.cancel()
            await asyncio.gather(hanging_up, return_exceptions=True)

    def _note(self, call: Call, ended: Ended, tone: Tone) -> None:
        self.outcomes[outcome(ended)] += 1
        if call.media is not None:
            figures = call.media.stats
            self.media.update(received=figures.received, lost=figures.lost, late=figures.late,
                              concealed=figures.concealed, frames=tone.frames, loud=tone.loud)


async def _hang_up_after(call: Call, talk_s: float) -> None:
    await asyncio.sleep(talk_s)
    await call.hangup()


def outcome(ended: Ended) -> str:
    """In the words of the table."""
    if ended.status is not None and ended.status >= 300:
        return f"refused or not answered ({ended.status})"
    if ended.by == "local":
        return "we hung up"
    return "the far end hung up" if ended.by == "remote" else f"error: {ended.reason}"
