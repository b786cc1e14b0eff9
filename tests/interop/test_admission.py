"""Who may call, how many at once, and what a server that is about to stop says."""

from __future__ import annotations

import contextlib

from voicebot.domain.journal import FactKind

from .installation import MOST_CALLS, UNKNOWN_PEER, Installation
from .phone import phone


async def test_an_unknown_peer_is_refused(served: Installation) -> None:
    before = served.recordings()
    async with phone(UNKNOWN_PEER) as stranger:
        ended = await stranger.dial(served.uri)
        assert ended is not None and ended.status == 403
    assert served.recordings() == before


async def test_one_call_too_many_is_sent_away_for_a_while(served: Installation) -> None:
    async with contextlib.AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(phone()) for _ in range(MOST_CALLS + 1)]
        for caller in callers[:-1]:
            assert await caller.dial(served.uri) is None
        late = callers[-1]
        ended = await late.dial(served.uri)
        assert ended is not None and ended.status == 503
        assert late.call is not None and late.call.response is not None
        assert int(late.call.response.headers.get("Retry-After") or 0) > 0
        await callers[0].hang_up()
        await served.ready(10)
        assert await late.dial(served.uri) is None


async def test_a_server_told_to_stop_takes_no_call_and_finishes_those_it_has() -> None:
    installation = Installation()
    try:
        await installation.ready()
        async with phone() as caller, installation.recording() as recording:
            assert await caller.dial(installation.uri) is None
            ours = recording()
            await ours.has(FactKind.SAYING)
            installation.terminate()
            assert await installation.refuses(503, 5)
            async with phone() as other:
                ended = await other.dial(installation.uri)
                assert ended is not None and ended.status == 503
            assert (await ours.has(FactKind.SAID)).data["interrupted"] is False
            assert installation.alive
            await caller.hang_up()
            assert await installation.ended(40) == 0, installation.said()
        await ours.sealed(0)
        assert ours.of(FactKind.ENDED)[-1].data["by"] == "remote"
    finally:
        installation.close()
