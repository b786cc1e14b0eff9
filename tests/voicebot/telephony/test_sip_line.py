"""SipLine over real sockets: the address we give, numbers without a trunk, and asking who is there."""

from __future__ import annotations

import pytest

from voicebot.telephony.leg import CallLeg, Ended, UndiallableError
from voicebot.telephony.probe import probe
from voicebot.telephony.sip_line import SipLine


async def refuse(leg: CallLeg) -> None:
    leg.reject(486)


async def line(listen: str = "127.0.0.1", ports: tuple[int, int] = (45000, 45099)) -> SipLine:
    made = SipLine(
        (listen, 0),
        rtp_ports=ports,
        allowed=("127.0.0.0/8", "::1/128"),
        caller_id="95588",
        on_incoming=refuse,
        refusal=lambda: None,
    )
    await made.start()
    return made


@pytest.mark.parametrize("listen", ["127.0.0.1", "0.0.0.0"])
async def test_our_from_holds_an_address_the_other_side_can_use(listen: str) -> None:
    ours, theirs = await line(listen), await line(ports=(45100, 45199))
    try:
        leg = await ours.dial(f"sip:somebody@127.0.0.1:{theirs.address[1]}")
        assert leg.local == f"sip:95588@127.0.0.1:{ours.address[1]}"
        ended = [event async for event in leg.events()][-1]
        assert isinstance(ended, Ended) and ended.status == 486, "and the INVITE arrived"
    finally:
        await ours.close()
        await theirs.close()


async def test_a_number_without_a_trunk_names_the_setting() -> None:
    ours = await line()
    try:
        with pytest.raises(UndiallableError, match="VOICEBOT_TRUNK") as refused:
            await ours.dial("+8613812345678")
        assert "13812345678" not in str(refused.value)
        with pytest.raises(UndiallableError, match="can't be rung"):
            await ours.dial("sip:no one@nowhere:x")
    finally:
        await ours.close()


@pytest.mark.parametrize("listen", ["127.0.0.1", "0.0.0.0"])
async def test_probing(listen: str) -> None:
    ours = await line(listen)
    port = ours.address[1]
    assert await probe((ours.address[0], port)) == 200
    assert await probe(("localhost", port)) == 200
    await ours.close()
    assert await probe(("127.0.0.1", port), timeout_s=0.1) == 408
