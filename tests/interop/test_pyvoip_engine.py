"""The pyVoIP engine as an extension of Kamailio: it registers with its password and is rung through it."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sip.auth import Credentials
from voicebot.telephony.leg import CallLeg, Ended
from voicebot.telephony.pyvoip_line import PyVoipLine
from voicebot.telephony.trunk import Account, Inbound, Registering, Trunk
from voicebot.telephony.trunk_choice import Registered

from .installation import free_port
from .kamailio import DOMAIN, Kamailio, kamailio
from .peers import requires
from .sipp import HOST
from .station import FRAME_BYTES, station
from .test_kamailio import PHONES
from .test_trunks import until
from .tones import tone, until_heard

pytest.importorskip("pyVoIP", reason="the extra pyvoip is not installed")
pytestmark = requires("kamailio")
OURS_HZ, CALLER_HZ = 440, 1000


class Sound:
    """Plays a tone and keeps what it hears."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self._tone = tone(OURS_HZ, 1.0)

    def exchange(self, received: bytes, tick: int) -> bytes:
        self.heard += received
        at = tick * FRAME_BYTES % len(self._tone)
        return self._tone[at : at + FRAME_BYTES]


@contextlib.asynccontextmanager
async def registered(proxy: Kamailio, sound: Sound, legs: list[CallLeg]) -> AsyncIterator[PyVoipLine]:
    async def take(leg: CallLeg) -> None:
        legs.append(leg)
        leg.connect(sound)
        await leg.answer()

    extension = Trunk(
        "pbx", HOST, proxy.port, account=Account("bot", "streng"), registering=Registering(),
        inbound=Inbound((ipaddress.ip_network(HOST),)),
    )  # fmt: skip
    listen = (HOST, free_port(socket.SOCK_DGRAM))
    line = PyVoipLine(listen, rtp_ports=(44000, 44098), trunks=[extension], on_incoming=take, refusal=lambda: None)
    await line.start()
    try:
        for _ in range(200):
            if line.trunks.states["pbx"].registered is Registered.DONE:
                break
            await asyncio.sleep(0.1)
        assert line.trunks.states["pbx"].registered is Registered.DONE
        yield line
    finally:
        await line.close()


async def test_the_engine_is_rung_through_kamailio(tmp_path: Path) -> None:
    sound, legs = Sound(), list[CallLeg]()
    async with (
        kamailio(tmp_path, PHONES) as proxy,
        registered(proxy, sound, legs),
        station(CALLER_HZ) as alice,
    ):
        credentials = Credentials("alice", "geheim")
        talk = alice.dial(
            f"sip:bot@{DOMAIN}", from_uri=f"sip:alice@{DOMAIN}", credentials=credentials, via=proxy.address
        )
        await talk.answered(20)
        await talk.hears(OURS_HZ, 900)
        await until_heard(lambda: sound.heard, CALLER_HZ, 900)
        await talk.call.hangup()
        ended = (await asyncio.wait_for(until(legs[0], Ended), 10))[-1]
        assert isinstance(ended, Ended) and ended.by == "remote"
