"""OPTIONS as a question whether anybody is there (RFC 3261 section 11)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sip.endpoint import Endpoint
from sip.message import CSeq, Headers, NameAddr, Request, Uri
from sip.transport import Hop


async def probe(endpoint: Endpoint, name: str, target: Uri, hops: Sequence[Hop], timeout_s: float) -> int:
    """The final status; 408 where nobody answers within `timeout_s`. `hops` are tried in their order."""
    host, port = endpoint.transport.local_address(hops[0])
    me = NameAddr(Uri("sip", name, f"[{host}]" if ":" in host else host, port)).with_tag(endpoint.new_id())
    fields = [("Max-Forwards", "70"), ("From", str(me)), ("To", f"<{target}>"), ("Call-ID", endpoint.new_id())]
    fields += [("CSeq", str(CSeq(1, "OPTIONS"))), ("Accept", "application/sdp"), ("User-Agent", name)]
    status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def settle(value: int) -> None:
        if value >= 200 and not status.done():
            status.set_result(value)

    outgoing = endpoint.request(
        Request("OPTIONS", target, Headers(fields)),
        lambda response: settle(response.status),
        lambda failed: settle(failed.status),
        destination=hops[0],
        alternatives=hops[1:],
    )
    timer = endpoint.clock.call_later(timeout_s, lambda: settle(408))
    try:
        return await status
    finally:
        timer.cancel()
        outgoing.stop()
