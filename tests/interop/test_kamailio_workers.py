"""A whole worker behind Kamailio's dispatcher: it is asked how it is, gets calls in turn, and is spared when full."""

from __future__ import annotations

import asyncio
from pathlib import Path

from .installation import MOST_CALLS, Installation
from .kamailio import kamailio
from .peers import requires
from .sipp import ANSWERED, ack, bye, invite, pause, recv, sipp
from .station import station

pytestmark = requires("kamailio", "sipp")


async def test_a_full_worker_is_spared(served: Installation, tmp_path: Path) -> None:
    """Twice as many calls as the worker takes: it gets all it can have, the other one the rest, nobody a refusal."""
    steps = [invite(), *ANSWERED, ack(), pause(6000), bye(), recv(200)]
    many = 2 * MOST_CALLS + 2
    before = served.recordings()
    async with station() as other:
        workers = [f"sip:{served.sip[0]}:{served.sip[1]}", other.uri]
        async with kamailio(tmp_path, workers=workers, carrier_address="127.0.0.1") as proxy:
            await asyncio.sleep(2.5)  # the proxy has asked both
            async with sipp(tmp_path, steps, "-r", "4", target=proxy.port, calls=many) as carrier:
                await carrier.is_content()
        ours = served.recordings() - before
        assert len(ours) == MOST_CALLS
        assert len(other.talks) == many - MOST_CALLS
    await served.ready()
