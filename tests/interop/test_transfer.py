"""linphone in every role of an attended transfer (REFER with Replaces, RFC 3891), ours in the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from sip.events import Ended, Replaced, TransferRequested
from voicebot.telephony.leg import Answered as LegAnswered
from voicebot.telephony.leg import Ended as LegEnded

from .linphone import linphone
from .peers import requires
from .station import Talk, station
from .test_trunks import line_over, until

pytestmark = requires("linphonec")
OURS_HZ, DEBTOR_HZ, AGENT_HZ = 440, 1000, 1400


async def test_we_join_two_linphones_and_leave(tmp_path: Path) -> None:
    """The warm transfer that leaves us: debtor and agent talk to each other without us."""
    async with (
        station(OURS_HZ) as ours,
        linphone(tmp_path, DEBTOR_HZ, "debtor") as debtor,
        linphone(tmp_path, AGENT_HZ, "agent") as agent,
    ):
        caller = ours.dial(debtor.uri)
        await caller.answered()
        consult = ours.dial(agent.uri)
        await consult.answered()
        await consult.hears(AGENT_HZ, 600)
        result = await caller.call.refer(agent.uri, replaces=consult.call)
        assert result.succeeded, result
        await caller.ended()
        await consult.ended()
        await debtor.says("connected", times=2)
        await agent.hears(DEBTOR_HZ, 1000)
        await debtor.hears(AGENT_HZ, 1000)


async def test_we_send_a_linphone_blindly(tmp_path: Path) -> None:
    async with (
        station(OURS_HZ) as ours,
        station(AGENT_HZ) as agent,
        linphone(tmp_path, DEBTOR_HZ, "debtor") as debtor,
    ):
        talk = ours.dial(debtor.uri)
        await talk.answered()
        result = await talk.call.refer(agent.uri)
        assert result.succeeded, result
        taken = await agent.call()
        await taken.answered()
        await taken.hears(DEBTOR_HZ, 900)
        await talk.ended()


async def test_a_linphone_that_cannot_go_stays(tmp_path: Path) -> None:
    """The target refuses: the call goes on as if nothing had been asked."""
    async with (
        station(OURS_HZ) as ours,
        station(AGENT_HZ, allow=lambda source, request: 404) as nobody,
        linphone(tmp_path, DEBTOR_HZ, "debtor") as debtor,
    ):
        talk = ours.dial(debtor.uri)
        await talk.answered()
        await talk.hear(1.0)
        result = await talk.call.refer(nobody.uri)
        assert not result.succeeded and result.status == 404, result
        assert not talk.of(Ended)


async def test_linphone_transfers_its_call_with_us_to_us(tmp_path: Path) -> None:
    """linphone calls two of ours, holds the first and joins them: one is the transferee, one the target.

    Its Refer-To has the address of record without a port, as a proxy would resolve it; `via` stands for that proxy.
    """
    async with (
        station(OURS_HZ) as first,
        station(AGENT_HZ) as second,
        linphone(tmp_path, DEBTOR_HZ) as peer,
    ):
        await peer.type(f"call {first.uri}")
        transferee = await first.call()
        await transferee.answered()
        await peer.says("connected")
        await peer.type("pause", f"call {second.uri}")
        target = await second.call()
        await target.answered()
        await peer.says("connected", times=2)
        await peer.type("transfer 1 --to-call 2")
        wanted = await transferee.until(TransferRequested)
        assert wanted.replaces is not None
        joined = Talk(transferee.call.accept_transfer(via=("127.0.0.1", second.port)), OURS_HZ)
        await joined.answered()
        replaced = await target.until(Replaced)
        other = Talk(replaced.by, AGENT_HZ)
        await joined.hears(AGENT_HZ, 900)
        await other.hears(OURS_HZ, 1000)
        await transferee.ended()
        await target.ended()
        assert not joined.of(Ended) and not other.of(Ended)


@pytest.mark.parametrize("takes", [True, False], ids=["accepted", "declined"])
async def test_linphone_transfers_us_blindly(tmp_path: Path, takes: bool) -> None:
    async with (
        station(OURS_HZ) as first,
        station(AGENT_HZ) as second,
        linphone(tmp_path, DEBTOR_HZ) as peer,
    ):
        await peer.type(f"call {first.uri}")
        talk = await first.call()
        await talk.answered()
        await peer.says("connected")
        await peer.type(f"transfer 1 {second.uri}")
        await talk.until(TransferRequested)
        if takes:
            moved = Talk(talk.call.accept_transfer(), OURS_HZ)
            await moved.answered()
            await moved.hears(AGENT_HZ, 600)
            await talk.ended()
        else:
            talk.call.decline_transfer()
            await talk.hear(1.5)
            assert not talk.of(Ended) and not second.talks


async def test_two_legs_of_a_line_are_joined_outside_of_us(tmp_path: Path) -> None:
    """What the product does on a trunk with transfer = "refer": debtor's leg to agent's leg, with Replaces."""
    async with (
        line_over([]) as line,
        linphone(tmp_path, DEBTOR_HZ, "debtor") as debtor,
        linphone(tmp_path, AGENT_HZ, "agent") as agent,
    ):
        legs = []
        for peer in (debtor, agent):
            legs.append(await line.dial(peer.uri))
            await until(legs[-1], LegAnswered)
        assert await legs[0].refer(legs[1])
        for leg in legs:
            await until(leg, LegEnded)
        await debtor.says("connected", times=2)
        await agent.hears(DEBTOR_HZ, 800)
        await debtor.hears(AGENT_HZ, 800)
