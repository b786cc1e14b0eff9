"""Probe: is anybody ready to take calls at a SIP address? Asked with OPTIONS."""

from __future__ import annotations

from sip.user_agent import UserAgent


async def probe(address: tuple[str, int], timeout_s: float = 2.0) -> int:
    """The SIP status: 200 ready, 503 full, draining or not yet ready, 408 nobody there."""
    agent = UserAgent(("127.0.0.1", 0), media_factory=None)
    await agent.start()
    try:
        return await agent.options(f"sip:probe@{address[0]}:{address[1]}", timeout_s)
    finally:
        await agent.close()
