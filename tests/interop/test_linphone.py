"""linphone (belle-sip) calls our stack and is called: sound both ways, hold, keys, transfer."""

from __future__ import annotations

from pathlib import Path

from sip.events import Ended, Held, Resumed

from .linphone import linphone
from .peers import requires
from .station import station
from .tones import tone_ms

pytestmark = requires("linphonec")
OURS_HZ, THEIRS_HZ = 440, 1000


async def test_linphone_calls_us(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, linphone(tmp_path, THEIRS_HZ) as peer:
        await peer.type(f"call {ours.uri}")
        talk = await ours.call()
        await talk.answered()
        assert tone_ms(await talk.hear(2.5), THEIRS_HZ) > 1200
        await peer.type("terminate")
        assert (await talk.ended()).by == "remote"
        await peer.stop()
        assert tone_ms(peer.heard(), OURS_HZ) > 1200


async def test_we_call_linphone(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, linphone(tmp_path, THEIRS_HZ) as peer:
        talk = ours.dial(peer.uri)
        await talk.answered()
        assert tone_ms(await talk.hear(2.5), THEIRS_HZ) > 1200
        await talk.call.hangup()
        await peer.says("(?i)call .*ended|Call terminated|Released")
        await peer.stop()
        assert tone_ms(peer.heard(), OURS_HZ) > 1200


async def test_linphone_holds_and_resumes(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, linphone(tmp_path, THEIRS_HZ) as peer:
        await peer.type(f"call {ours.uri}")
        talk = await ours.call()
        await talk.answered()
        await talk.hear(1.0)
        await peer.type("pause")
        await talk.until(Held)
        await peer.type("resume 1")
        await talk.until(Resumed)
        assert tone_ms(await talk.hear(2.0), THEIRS_HZ) > 1000
        assert not talk.of(Ended)


async def test_keys_of_linphone_by_rfc_4733(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, linphone(tmp_path, THEIRS_HZ) as peer:
        await peer.type(f"call {ours.uri}")
        talk = await ours.call()
        await talk.answered()
        await talk.hear(1.0)
        await peer.type("5", "*", "#")
        assert await talk.keys(3) == "5*#"


async def test_keys_of_linphone_by_info(tmp_path: Path) -> None:
    async with station(OURS_HZ) as ours, linphone(tmp_path, THEIRS_HZ, info=True) as peer:
        await peer.type(f"call {ours.uri}")
        talk = await ours.call()
        await talk.answered()
        await talk.hear(1.0)
        await peer.type("5", "*", "#")
        assert await talk.keys(3) == "5*#"
