"""Trunk probe: asks every trunk of a file once, with OPTIONS and where it wants that with REGISTER."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sip.transport import TlsSettings
from sip.user_agent import UserAgent
from voicebot.telephony.trunk import Trunk
from voicebot.telephony.trunk_care import ask, is_alive, register

REGISTERED_WITHIN_S = 8.0


@dataclass(frozen=True, slots=True)
class Probed:
    """`options`: SIP status, 408 for silence, after `options_ms`. `register`: status, None where none is wanted."""

    trunk: str
    address: str
    options: int
    options_ms: int
    register: int | None
    register_said: str

    @property
    def works(self) -> bool:
        return is_alive(self.options) and self.register in (None, 200)


async def probe_trunks(trunks: Sequence[Trunk], host: str, tls: TlsSettings | None = None) -> list[Probed]:
    """Ask them one after the other from a free port of `host`. A registration is taken back at once."""
    if tls is None and any(trunk.transport == "tls" for trunk in trunks):
        tls = TlsSettings()
    tcp = any(trunk.transport == "tcp" for trunk in trunks)
    agent = UserAgent((host, 0), media_factory=None, tcp=tcp, tls=tls)
    await agent.start()
    try:
        return [await _probe(agent, trunk) for trunk in trunks]
    finally:
        await agent.close()


async def _probe(agent: UserAgent, trunk: Trunk) -> Probed:
    began = time.monotonic()
    status = await ask(agent, trunk)
    took_ms = round((time.monotonic() - began) * 1000)
    register, said = await _register(agent, trunk) if trunk.registering else (None, "")
    return Probed(trunk.name, f"{trunk.host}:{trunk.port}/{trunk.transport}", status, took_ms, register, said)


async def _register(agent: UserAgent, trunk: Trunk) -> tuple[int, str]:
    registration = await register(agent, trunk)
    if registration is None:
        return 408, "its address can't be found"
    await registration.wait(REGISTERED_WITHIN_S)
    status, said = registration.status or 408, registration.reason
    await registration.stop()
    return status, said
