"""SIPp floods our port from an address that may not call, while a call of baresip goes on."""

from __future__ import annotations

from pathlib import Path

from sip.message import Request

from .baresip import OVER, baresip
from .peers import requires
from .sipp import TRYING, invite, recv, refused_ack, sipp
from .station import station
from .tones import tone_ms

pytestmark = requires("sipp", "baresip")
STRANGER = "127.0.0.2"
THEIRS_HZ = 1000
CALLS_PER_S, SECONDS = 300, 4


def known_peers(source: tuple[str, int], request: Request) -> int | None:
    return 403 if source[0] == STRANGER else None


async def test_a_flood_harms_no_call(tmp_path: Path) -> None:
    flood = [invite(), TRYING, recv(403, within_ms=500), refused_ack()]
    many = ("-r", str(CALLS_PER_S), "-l", "5000", "-nr")
    async with (
        station(allow=known_peers) as ours,
        baresip(tmp_path, THEIRS_HZ, "answermode=auto") as peer,
    ):
        talk = ours.dial(peer.uri)
        await talk.answered()
        await talk.hear(0.5)
        async with sipp(
            tmp_path, flood, *many, target=ours.port, calls=CALLS_PER_S * SECONDS, host=STRANGER, name="flood"
        ) as stranger:
            heard = await talk.hear(SECONDS)
            assert stranger.messages().count("SIP/2.0 403") > 100, "that was no flood"
        assert tone_ms(heard, THEIRS_HZ) > SECONDS * 1000 * 0.7
        assert len(ours.talks) == 1
        await talk.call.hangup()
        await peer.says(OVER)
        again = ours.dial(peer.uri)
        await again.answered()
