"""The product's line over trunks whose far ends are SIPp and Kamailio: failover, identity, registration, passwords."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from voicebot.telephony.leg import Answered, CallLeg, Ended, Ringing, TrunkTried
from voicebot.telephony.sip_line import SipLine
from voicebot.telephony.trunk import Account, CallerIdentity, Inbound, NumberFormat, Registering, Shape, Trunk

from .baresip import OVER, baresip
from .kamailio import DOMAIN, kamailio
from .peers import requires
from .sipp import HOST, Sipp, pause, recv, reply, sdp, sipp
from .test_kamailio import PHONES, phone_of_alice

NUMBER = "+8613800138000"
TAKES = [recv("INVITE"), reply(180), reply(200, sdp(), repeats=True), recv("ACK"), recv("BYE"), reply(200)]


async def answer(leg: CallLeg) -> None:
    await leg.answer()


@contextlib.asynccontextmanager
async def line_over(trunks: Sequence[Trunk], allowed: Sequence[str] = ()) -> AsyncIterator[SipLine]:
    line = SipLine(
        (HOST, 0), rtp_ports=(45000, 45098), allowed=allowed, caller_id="voicebot", on_incoming=answer,
        refusal=lambda: None, trunks=trunks,
    )  # fmt: skip
    await line.start()
    try:
        yield line
    finally:
        await line.close()


def trunk(name: str, peer: Sipp, **settings: object) -> Trunk:
    return Trunk(name, HOST, peer.port, options_every_s=0.0, **settings)  # type: ignore[arg-type]


async def until(leg: CallLeg, *kinds: type) -> list[object]:
    """All events up to the first of these kinds."""
    seen: list[object] = []
    async for event in leg.events():
        seen.append(event)
        if isinstance(event, kinds):
            return seen
    raise AssertionError(f"the leg ended before: {seen}")


@requires("sipp")
async def test_a_trunk_without_channels_is_followed_by_the_next(tmp_path: Path) -> None:
    full = [recv("INVITE"), reply(503, headers=["Retry-After: 60"]), recv("ACK")]
    async with (
        sipp(tmp_path, full, name="full") as first,
        sipp(tmp_path, TAKES, name="free") as second,
        line_over([trunk("first", first, priority=1), trunk("second", second)]) as line,
    ):
        leg = await line.dial(NUMBER)
        tried, *_ = await until(leg, Answered)
        assert isinstance(tried, TrunkTried) and (tried.trunk, tried.status) == ("first", 503)
        assert leg.trunk == "second"
        await leg.hang_up()
        await first.is_content()
        await second.is_content()


@requires("sipp")
async def test_a_trunk_that_says_nothing_is_followed_by_the_next(tmp_path: Path) -> None:
    deaf = [recv("INVITE"), pause(4000)]
    async with (
        sipp(tmp_path, deaf, "-nr", name="deaf") as first,
        sipp(tmp_path, TAKES, name="free") as second,
        line_over([trunk("first", first, priority=1, try_s=1.0), trunk("second", second)]) as line,
    ):
        leg = await line.dial(NUMBER)
        await until(leg, Answered)
        assert leg.trunk == "second"
        await leg.hang_up()
        await second.is_content()


@requires("sipp")
async def test_who_is_busy_is_not_rung_again_over_another_trunk(tmp_path: Path) -> None:
    busy = [recv("INVITE"), reply(180), reply(486, headers=["Reason: Q.850;cause=17"]), recv("ACK")]
    async with (
        sipp(tmp_path, busy, name="busy") as first,
        sipp(tmp_path, TAKES, name="free") as second,
        line_over([trunk("first", first, priority=1), trunk("second", second)]) as line,
    ):
        events = await until(await line.dial(NUMBER), Ended)
        assert [type(event) for event in events] == [Ringing, Ended]
        ended = events[-1]
        assert isinstance(ended, Ended) and (ended.status, ended.q850) == (486, 17)
        await first.is_content()
        assert "INVITE" not in second.messages()


@requires("sipp")
async def test_a_carrier_sees_number_and_identity_as_it_wants_them(tmp_path: Path) -> None:
    caller = CallerIdentity(("02166668888",), domain=DOMAIN, asserted=True, diversion="4008001000")
    numbers = NumberFormat(Shape.NATIONAL, prefix="0")
    async with (
        sipp(tmp_path, TAKES) as peer,
        line_over([trunk("carrier", peer, caller=caller, numbers=numbers)]) as line,
    ):
        leg = await line.dial(NUMBER)
        await until(leg, Answered)
        await leg.hang_up()
        await peer.is_content()
        sent = peer.messages()
        assert "INVITE sip:013800138000@" in sent, sent[:800]
        assert f"sip:02166668888@{DOMAIN}" in header(sent, "From")
        assert "02166668888" in header(sent, "P-Asserted-Identity")
        assert "4008001000" in header(sent, "Diversion")


def header(messages: str, name: str) -> str:
    return next(line for line in messages.splitlines() if line.startswith(f"{name}:"))


@requires("baresip")
@pytest.mark.parametrize("password", ["geheim", "falsch"])
async def test_a_trunk_s_calls_in_need_its_password(tmp_path: Path, password: str) -> None:
    """We ask for SHA-256 first and MD5 second (RFC 8760); baresip takes the one it knows."""
    inbound = Inbound((ipaddress.ip_network("127.0.0.0/8"),), Account("carrier", "geheim"))
    where = Trunk("carrier", HOST, 9, options_every_s=0.0, inbound=inbound)
    account = f"auth_user=carrier;auth_pass={password}"
    async with line_over([where]) as line, baresip(tmp_path, 440, account, user="carrier") as peer:
        await peer.tell("dial", f"sip:bot@{HOST}:{line.address[1]}")
        await peer.says("Call established" if password == "geheim" else "session closed: 401")


@requires("kamailio", "baresip")
@pytest.mark.parametrize("direction", ["out", "in"])
async def test_a_registered_trunk(tmp_path: Path, direction: str) -> None:
    """An extension of a PBX: we register, are rung through it, and ring through it with our password."""
    async with kamailio(tmp_path, PHONES) as proxy:
        pbx = Trunk(
            "pbx", DOMAIN, proxy=f"sip:{HOST}:{proxy.port}", account=Account("bot", "streng"),
            registering=Registering(expires_s=60), options_every_s=0.0, caller=CallerIdentity(("bot",)),
            inbound=Inbound((ipaddress.ip_network("127.0.0.1/32"),)),
        )  # fmt: skip
        async with line_over([pbx]) as line, phone_of_alice(tmp_path, proxy) as alice:
            await alice.says("200 OK")
            if direction == "out":
                leg = await line.dial("alice")
                await until(leg, Answered)
                assert leg.trunk == "pbx"
                await leg.hang_up()
                await alice.says(OVER)
            else:
                await alice.tell("dial", f"sip:bot@{DOMAIN}")
                await alice.says("Call established")
                await alice.tell("hangup")
