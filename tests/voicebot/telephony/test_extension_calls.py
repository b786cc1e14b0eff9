"""Extension calls on the wire: a fellow rings an agent by another's line; nobody else does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from voicebot.telephony.fellows import Fellows, extension
from voicebot.telephony.leg import Answered, CallLeg, Ended, LegEvent
from voicebot.telephony.sip_line import SipLine

HOST = "127.0.0.1"


@contextlib.asynccontextmanager
async def line(fellows: Fellows | None, refuses: int | None = None) -> AsyncIterator[tuple[SipLine, list[CallLeg]]]:
    """A line on a free port that answers extension calls and takes no others; `refuses`: as a draining one does."""
    rung: list[CallLeg] = []

    async def answer(leg: CallLeg) -> None:
        rung.append(leg)
        await leg.answer()

    async def never(leg: CallLeg) -> None:
        raise AssertionError(f"an extension call was taken for a caller's: {leg.local}")

    one = SipLine((HOST, 0), rtp_ports=(38200, 38298), allowed=["127.0.0.0/8"], caller_id="voicebot",
                  on_incoming=never, refusal=lambda: refuses, fellows=fellows, on_extension=answer)  # fmt: skip
    await one.start()
    try:
        yield one, rung
    finally:
        await one.close()


def met(*lines: SipLine) -> dict[str, str]:
    return {f"w-{number}": f"{HOST}:{one.address[1]}" for number, one in enumerate(lines)}


async def outcome(leg: CallLeg) -> LegEvent:
    async with asyncio.timeout(30):
        async for event in leg.events():
            if isinstance(event, Answered | Ended):
                return event
    raise AssertionError("the call vanished")


async def test_a_fellow_rings_an_agent_even_while_the_other_drains() -> None:
    here, there = Fellows("one secret", "w-0"), Fellows("one secret", "w-1")
    async with line(here) as (caller, _), line(there, refuses=503) as (callee, rung):
        here.lines = there.lines = met(caller, callee)
        way = here.way_to("王/1", "w-1")
        assert way is not None
        leg = await caller.dial(way)
        assert isinstance(await outcome(leg), Answered)
        assert len(rung) == 1
        await leg.hang_up()
        assert isinstance(await outcome(rung[0]), Answered | Ended)


async def test_another_fleets_password_opens_nothing() -> None:
    here, there = Fellows("another secret", "w-0"), Fellows("one secret", "w-1")
    async with line(here) as (caller, _), line(there) as (callee, rung):
        there.lines = met(caller, callee)
        ended = await outcome(await caller.dial(extension("a1", f"{HOST}:{callee.address[1]}")))
        assert isinstance(ended, Ended) and ended.status == 401 and not rung


async def test_whoever_is_at_no_fellows_address_is_not_even_asked_for_it() -> None:
    here, there = Fellows("one secret", "w-0"), Fellows("one secret", "w-1")
    async with line(here) as (caller, _), line(there) as (callee, rung):
        there.lines = {"w-9": "192.0.2.9:5060"}
        ended = await outcome(await caller.dial(extension("a1", f"{HOST}:{callee.address[1]}")))
        assert isinstance(ended, Ended) and ended.status == 403 and not rung
