"""Probe: is anybody ready to take calls at a SIP address? Asked with OPTIONS."""

from __future__ import annotations

import ipaddress

from sip.errors import SipError
from sip.user_agent import UserAgent


async def probe(address: tuple[str, int], timeout_s: float = 2.0) -> int:
    """The SIP status: 200 ready, 503 full, draining or not yet ready, 408 nobody there."""
    host, port = address
    agent = UserAgent((_from(host), 0), media_factory=None)
    await agent.start()
    try:
        return await agent.options(f"sip:probe@{f'[{host}]' if ':' in host else host}:{port}", timeout_s)
    except SipError:  # a name without an address
        return 408
    finally:
        await agent.close()


def _from(host: str) -> str:
    """Which address of ours to ask from: loopback for loopback, else any."""
    try:
        target = ipaddress.ip_address(host)
    except ValueError:
        return "0.0.0.0"
    if target.version == 6:
        return "::1" if target.is_loopback else "::"
    return "127.0.0.1" if target.is_loopback else "0.0.0.0"
