"""The far end: answers, talks, hangs up after a while; some of its calls fall silent without a word."""

import asyncio
import random
from typing import Final

import uvloop

from benchmarks.soak.places import FAR, RTP_PORTS, SIP_PORT
from benchmarks.soak.tone import Tone
from sip import Call, CallStateError, UserAgent
from sip.media import MediaSession, MediaWheel, PortPool

VANISHING: Final = 0.06
BUSY: Final = 0.05
MEAN_S: Final = 25.0


async def attend(call: Call) -> None:
    chance = random.random()
    try:
        if chance < BUSY:
            call.reject(486)
            return
        call.ring()
        await asyncio.sleep(random.uniform(0, 1.5))
        await call.answer()
    except CallStateError:
        return  # the caller was quicker
    assert call.media is not None
    call.media.set_port(Tone())
    await asyncio.sleep(min(random.expovariate(1 / MEAN_S) + 1, 120))
    if chance < BUSY + VANISHING:
        call.media.close()
    else:
        await call.hangup()


async def run() -> None:
    wheel, ports = MediaWheel(), PortPool(*RTP_PORTS)
    wheel.start()
    agent = UserAgent((FAR, SIP_PORT), media_factory=lambda: MediaSession(wheel, FAR, ports), on_incoming=attend)
    await agent.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(run())
