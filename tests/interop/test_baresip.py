"""baresip (libre) calls our stack and is called: sound both ways, hold, keys, codecs."""

from __future__ import annotations

import re
from pathlib import Path

from sip.events import Ended, Held, Resumed, TransferRequested

from .baresip import OVER, baresip
from .peers import requires
from .station import Talk, station
from .tones import tone_ms

pytestmark = requires("baresip")
OURS_HZ, THEIRS_HZ, AGENT_HZ = 440, 1000, 1400


async def test_baresip_calls_us(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, baresip(tmp_path, THEIRS_HZ) as peer:
        await peer.tell("dial", ours.uri)
        talk = await ours.call()
        await talk.answered()
        await talk.hears(THEIRS_HZ, 900)
        await peer.hears(OURS_HZ, 900)
        await peer.tell("hangup")
        assert (await talk.ended()).by == "remote"


async def test_we_call_baresip(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, baresip(tmp_path, THEIRS_HZ, "answermode=auto") as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        await talk.hears(THEIRS_HZ, 900)
        await peer.hears(OURS_HZ, 900)
        await talk.call.hangup()
        await peer.says(OVER)


async def test_baresip_holds_and_resumes(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, baresip(tmp_path, THEIRS_HZ) as peer:
        await peer.tell("dial", ours.uri)
        talk = await ours.call()
        await talk.answered()
        await peer.tell("hold")
        await talk.until(Held)
        assert tone_ms(await talk.hear(1.0), THEIRS_HZ) < 300, "a peer that holds is still heard"
        await peer.tell("resume")
        await talk.until(Resumed)
        await talk.hears(THEIRS_HZ, 600)
        assert not talk.of(Ended)
        await peer.tell("hangup")
        await talk.ended()


async def test_keys_of_baresip(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, baresip(tmp_path, THEIRS_HZ) as peer:
        await peer.tell("dial", ours.uri)
        talk = await ours.call()
        await talk.answered()
        await peer.says("Call established")
        for key in "7*#":
            await peer.tell("sndcode", key)
        assert await talk.keys(3) == "7*#"


async def test_our_keys_reach_baresip(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, baresip(tmp_path, THEIRS_HZ, "answermode=auto") as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        talk.call.send_dtmf("42#")
        for key in "42#":
            await peer.says(rf"received event: '{re.escape(key)}' \(end=0")


async def test_over_tcp(tmp_path: Path) -> None:
    async with (
        station(OURS_HZ, tcp=True) as ours,
        baresip(tmp_path, THEIRS_HZ, "answermode=auto", transport="tcp") as peer,
    ):
        await peer.tell("dial", f"{ours.uri};transport=tcp")
        talk = await ours.call()
        await talk.answered()
        await talk.hears(THEIRS_HZ, 600)
        await talk.call.hangup()
        await peer.says(OVER)
        out = ours.dial(peer.uri)
        await out.answered()
        await out.hears(THEIRS_HZ, 600)
        await out.call.hangup()
        await peer.says(OVER, times=2)


async def test_baresip_is_held_by_us(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, baresip(tmp_path, THEIRS_HZ, "answermode=auto") as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        await talk.hear(0.5)
        await talk.call.hold()
        await talk.hear(0.3)
        assert tone_ms(await talk.hear(1.0), THEIRS_HZ) < 300
        await talk.call.resume()
        await talk.hears(THEIRS_HZ, 600)
        await talk.call.hangup()


async def test_we_send_baresip_elsewhere(tmp_path: Path) -> None:
    async with (
        station(OURS_HZ) as ours,
        station(AGENT_HZ) as agent,
        baresip(tmp_path, THEIRS_HZ, "answermode=auto") as peer,
    ):
        talk = ours.dial(peer.uri)
        await talk.answered()
        result = await talk.call.refer(agent.uri)
        assert result.succeeded, result
        taken = await agent.call()
        await taken.answered()
        await taken.hears(THEIRS_HZ, 600)
        await talk.ended()


async def test_baresip_sends_us_elsewhere(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, station(AGENT_HZ) as agent, baresip(tmp_path, THEIRS_HZ) as peer:
        await peer.tell("dial", ours.uri)
        talk = await ours.call()
        await talk.answered()
        await peer.says("Call established")
        await peer.tell("transfer", agent.uri)
        await talk.until(TransferRequested)
        moved = Talk(talk.call.accept_transfer(), OURS_HZ)
        await moved.answered()
        await moved.hears(AGENT_HZ, 600)
        await talk.ended()


async def test_a_baresip_that_knows_no_replaces_stays(tmp_path: Path) -> None:
    """The attended transfer fails, and nobody loses a call over it: the bridge stays as it was."""
    async with (
        station(OURS_HZ) as ours,
        station(AGENT_HZ) as agent,
        baresip(tmp_path, THEIRS_HZ, "answermode=auto") as peer,
    ):
        caller, consult = ours.dial(peer.uri), ours.dial(agent.uri)
        await caller.answered()
        await consult.answered()
        result = await caller.call.refer(agent.uri, replaces=consult.call)
        assert not result.succeeded, result
        assert not caller.of(Ended) and not consult.of(Ended)
        await caller.call.resume()
        await caller.hears(THEIRS_HZ, 600)
