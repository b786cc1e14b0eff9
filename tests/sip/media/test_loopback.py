"""Two sessions talk to each other over real sockets and the real clock, for one second."""

import asyncio

import numpy as np

from sip.media import MediaSession, MediaWheel, PortPool
from sip.sdp import Negotiated


class Phone:
    """Plays a tone and keeps what it hears."""

    def __init__(self, hertz: float) -> None:
        self.hertz = hertz
        self.heard: list[bytes] = []

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        self.heard.append(received)
        at = np.arange(tick * 160, (tick + 1) * 160)
        return (8000 * np.sin(2 * np.pi * self.hertz * at / 8000)).astype("<i2").tobytes()


async def test_two_sessions_hear_each_other_and_each_others_digits():
    wheel, pool = MediaWheel(), PortPool(46_000, 46_999)
    phones = Phone(500), Phone(1500)
    first, second = (MediaSession(wheel, "127.0.0.1", pool, port=phone) for phone in phones)
    pressed: list[str] = []
    second.on_dtmf = lambda digit, duration_ms: pressed.append(digit)
    await first.open()
    await second.open()
    first.start(Negotiated(("127.0.0.1", second.local_port), "PCMA", 8, 101))
    second.start(Negotiated(("127.0.0.1", first.local_port), "PCMA", 8, 101))
    first.send_dtmf("9")
    wheel.start()
    await asyncio.sleep(1.0)
    figures = first.stats
    first.close()
    second.close()
    wheel.stop()
    heard = np.frombuffer(b"".join(phones[0].heard[-16:]), "<i2").astype(float)
    assert np.argmax(np.abs(np.fft.rfft(heard))) * 8000 / len(heard) == 1500
    assert pressed == ["9"]
    assert figures.lost == 0
    assert 40 <= figures.sent <= 52
    assert pool.in_use == 0
