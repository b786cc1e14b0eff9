"""PyVoipLine against our own user agent as registrar and far end: sound both ways, limits, and a watchdog."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from sip.call import Call
from sip.media import MediaSession, MediaWheel, PortPool
from sip.message import Request, parse_message
from sip.transport import Address, UdpTransport
from sip.transport.base import Receive
from sip.user_agent import UserAgent
from tests.voicebot.telephony.carriers import HOST, eventually, rtp_ports, until
from voicebot.config import Settings, SettingsError
from voicebot.telephony import pyvoip_line
from voicebot.telephony.engines import open_line
from voicebot.telephony.leg import Answered, CallLeg, Ended, UndiallableError
from voicebot.telephony.pyvoip_line import MOST_CALLS, PyVoipLine
from voicebot.telephony.pyvoip_process import to_linear, to_unsigned
from voicebot.telephony.trunk import Account, Inbound, Registering, Trunk
from voicebot.telephony.trunk_choice import Registered

pytest.importorskip("pyVoIP", reason="the extra pyvoip is not installed")
RATE = 8000


class Tone:
    """Sends a tone and keeps what it hears."""

    def __init__(self, hertz: float) -> None:
        self._hertz, self._at = hertz, 0
        self.heard = bytearray()

    def exchange(self, received: bytes, tick: int) -> bytes:
        self.heard += received
        at = np.arange(self._at, self._at + 160)
        self._at += 160
        return (8000 * np.sin(2 * np.pi * self._hertz * at / RATE)).astype("<i2").tobytes()

    def hears(self, hertz: float) -> bool:
        """Whether a tone within 20 Hz of this is nearly all that was heard in the last second."""
        samples = np.frombuffer(bytes(self.heard[-2 * RATE :]), "<i2").astype(float)
        if len(samples) < RATE:
            return False
        power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
        at = int(power.argmax())
        is_tone = power[max(at - 5, 0) : at + 6].sum() > 0.8 * power.sum()
        return bool(is_tone and abs(np.fft.rfftfreq(len(samples), 1 / RATE)[at] - hertz) < 20)


class RegistrarTransport(UdpTransport):
    """Takes every REGISTER, so that the user agent behind it is a registrar too. `is_deaf`: hears nothing else."""

    is_deaf = False

    async def start(self, listen: Address, receive: Receive) -> None:
        def tapped(data: bytes, source: Address) -> None:
            message = parse_message(data)
            if isinstance(message, Request) and message.method == "REGISTER":
                contact = f"{message.headers.get('Contact')};expires=300"
                self.send(message.reply(200, to_tag="r", headers=[("Contact", contact)]).encode(), source)
            elif not self.is_deaf:
                receive(data, source)

        await super().start(listen, tapped)


class Exchange:
    """The far end: a PBX with one registered extension."""

    def __init__(self, on_call: Callable[[Call], Awaitable[None]]) -> None:
        self.transport = RegistrarTransport()
        self.wheel, ports = MediaWheel(), PortPool(*rtp_ports(8))
        self.agent = UserAgent(
            (HOST, 0), media_factory=lambda: MediaSession(self.wheel, HOST, ports), on_incoming=on_call,
            transport_factory=lambda: self.transport,
        )  # fmt: skip

    @property
    def trunk(self) -> Trunk:
        return Trunk(
            "pbx", HOST, self.agent.address[1], account=Account("bot", "secret"), registering=Registering(),
            calls_per_second=100.0, inbound=Inbound((ipaddress.ip_network(HOST),), script="reception"),
        )  # fmt: skip


@contextlib.asynccontextmanager
async def both(
    on_call: Callable[[Call], Awaitable[None]], on_incoming: Callable[[CallLeg], Awaitable[None]]
) -> AsyncIterator[tuple[Exchange, PyVoipLine]]:
    exchange = Exchange(on_call)
    await exchange.agent.start()
    exchange.wheel.start()
    line = PyVoipLine(
        (HOST, free_port()), rtp_ports=rtp_ports(9), trunks=[exchange.trunk], on_incoming=on_incoming,
        refusal=lambda: None,
    )  # fmt: skip
    await line.start()
    try:
        await eventually(lambda: line.trunks.states["pbx"].registered is Registered.DONE, 20)
        yield exchange, line
    finally:
        await line.close()
        await exchange.agent.close()
        exchange.wheel.stop()


def free_port() -> int:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


async def nobody(leg: CallLeg) -> None:
    leg.reject(486)


def plug(call: Call, port: Tone) -> None:
    assert call.media is not None
    call.media.set_port(port)


@pytest.mark.slow
@pytest.mark.realtime
async def test_sound_goes_both_ways_on_a_call_that_it_places() -> None:
    theirs, ours = Tone(1000), Tone(440)
    calls: list[Call] = []

    async def take(call: Call) -> None:
        calls.append(call)
        call.ring()
        await call.answer()
        plug(call, theirs)

    async with both(take, nobody) as (_, line):
        leg = await line.dial("8001")
        leg.connect(ours)
        await until(Answered, leg, 15)
        await eventually(lambda: ours.hears(1000), 20)
        await eventually(lambda: theirs.hears(440), 20)
        assert calls[0].remote_uri.startswith("sip:bot@")
        assert not await leg.refer("sip:elsewhere@192.0.2.9") and not leg.refers
        await leg.hang_up()
        await eventually(lambda: calls[0].state.value == "ended")
        assert line.trunks.states["pbx"].running == 0


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
async def test_it_answers_and_hears_the_end(codec: Literal["PCMA", "PCMU"]) -> None:
    legs: list[CallLeg] = []
    ours, theirs = Tone(440), Tone(700)

    async def take(leg: CallLeg) -> None:
        legs.append(leg)
        leg.connect(ours)
        await leg.answer()

    async def none(call: Call) -> None:
        call.reject(486)

    async with both(none, take) as (exchange, line):
        call = exchange.agent.call(
            f"sip:bot@{HOST}:{line.address[1]}", from_uri=f"sip:13800138000@{HOST}", codecs=(codec,)
        )
        await eventually(lambda: call.state.value == "confirmed", 10)
        plug(call, theirs)
        assert legs[0].remote == f"sip:13800138000@{HOST}"
        assert line.script_of(legs[0]) == "reception"
        await eventually(lambda: ours.hears(700), 20)
        await eventually(lambda: theirs.hears(440), 20)
        await call.hangup()
        ended = await until(Ended, legs[0])
        assert isinstance(ended, Ended) and ended.by == "remote"


@pytest.mark.slow
@pytest.mark.realtime
async def test_a_call_that_hangs_in_pyvoip_is_ended_and_the_next_one_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any answer to the INVITE `call()` never comes back, and deafens the telephone."""
    monkeypatch.setattr(pyvoip_line, "DIAL_HUNG_S", 1.0)

    async def take(call: Call) -> None:
        call.ring()
        await call.answer()

    async with both(take, nobody) as (exchange, line):
        exchange.transport.is_deaf = True
        ended = await until(Ended, await line.dial("8001"), 10)
        assert isinstance(ended, Ended) and ended.by == "error" and "hung in call()" in ended.reason
        exchange.transport.is_deaf = False
        monkeypatch.setattr(pyvoip_line, "DIAL_HUNG_S", 10.0)
        await eventually(lambda: line.engine.restarts == 1, 10)
        await until(Answered, await line.dial("8001"), 20)
        assert line.trunks.states["pbx"].running == 1


@pytest.mark.slow
@pytest.mark.realtime
async def test_a_call_that_pyvoip_dials_for_ever_ends_with_its_time() -> None:
    """After 407 behind 100 pyVoIP dials for ever, and can't cancel: its process is started again."""

    async def take(call: Call) -> None:
        call.reject(407)

    async with both(take, nobody) as (_, line):
        ended = await until(Ended, await line.dial("8001", ring_timeout_s=1.0), 5)
        assert isinstance(ended, Ended) and (ended.by, ended.status) == ("local", 487)
        await eventually(lambda: line.engine.restarts == 1, 10)


async def test_what_it_cannot_do_is_told_beforehand() -> None:
    trunk = Trunk("pbx", HOST, account=Account("bot", "secret"), registering=Registering(), max_calls=500)

    def build(*trunks: Trunk) -> PyVoipLine:
        return PyVoipLine((HOST, 5060), rtp_ports=(1, 2), trunks=trunks, on_incoming=nobody, refusal=lambda: None)

    line = build(trunk)
    assert line.trunk.max_calls == MOST_CALLS == line.capabilities.max_calls
    assert not (line.capabilities.transfer or line.capabilities.hold or line.capabilities.tls)
    with pytest.raises(UndiallableError, match="VOICEBOT_LINE_ENGINE=sip"):
        await line.dial("sip:agent@192.0.2.9")
    for odd in (replace(trunk, transport="tls"), replace(trunk, codecs=("PCMA",)), replace(trunk, registering=None)):
        with pytest.raises(SettingsError, match=r"pyvoip|pyVoIP"):
            build(odd)
    with pytest.raises(SettingsError):
        build(trunk, trunk)


def test_without_the_extra_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicebot.telephony.pyvoip_engine.importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"\[pyvoip\]"):
        open_line(Settings(line_engine="pyvoip"), 0, (HOST, 0), (1, 2), on_incoming=nobody, refusal=lambda: None)


def test_samples_survive_eight_bits() -> None:
    pcm = (np.arange(-128, 128) * 256).astype("<i2").tobytes()
    assert to_linear(to_unsigned(pcm)) == pcm
    assert to_linear(b"\x80" * 160) == bytes(320)
