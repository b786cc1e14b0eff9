"""SIPp over TCP: calls in and out on one port with UDP, a connection that is cut, a message too long for a datagram."""

from __future__ import annotations

from pathlib import Path

from sip.events import Answered

from .peers import requires
from .sipp import ANSWERED, ack, bye, invite, pause, recv, reply, sdp, sipp
from .station import station

pytestmark = requires("sipp")


async def test_sipp_calls_over_tcp(tmp_path: Path) -> None:
    steps = [invite(), *ANSWERED, ack(), pause(300), bye(), recv(200)]
    async with station(tcp=True) as ours:
        async with sipp(tmp_path, steps, "-t", "t1", "-r", "20", target=ours.port, calls=20) as peer:
            await peer.is_content()
        assert len(ours.talks) == 20
        each = ("-t", "tn", "-max_socket", "100")  # a connection per call
        async with sipp(tmp_path, steps, *each, target=ours.port, calls=3, name="each") as peer:
            await peer.is_content()
        async with sipp(tmp_path, steps, target=ours.port, name="udp") as peer:
            await peer.is_content()
        assert await ours.is_idle()


async def test_we_call_over_tcp(tmp_path: Path) -> None:
    rung = [recv("INVITE", has="Via: SIP/2.0/TCP"), reply(180), reply(200, sdp()), recv("ACK")]
    async with station(tcp=True) as ours, sipp(tmp_path, [*rung, recv("BYE"), reply(200)], "-t", "t1") as peer:
        talk = ours.dial(f"{peer.uri};transport=tcp")
        await talk.answered()
        await talk.call.hangup()
        await peer.is_content()


async def test_what_does_not_fit_a_datagram_goes_by_tcp(tmp_path: Path) -> None:
    """RFC 3261 18.1.1: above 1300 bytes a request leaves by TCP although its URI asks for nothing of the kind."""
    rung = [recv("INVITE", has="Via: SIP/2.0/TCP"), reply(180), reply(200, sdp()), recv("ACK")]
    long = [("X-Long", "x" * 1200)]
    async with station(tcp=True) as ours, sipp(tmp_path, [*rung, recv("BYE"), reply(200)], "-t", "t1") as peer:
        talk = ours.dial(peer.uri, headers=long)
        await talk.answered()
        await talk.call.hangup()
        await peer.is_content()


async def test_a_peer_without_tcp_gets_long_requests_all_the_same(tmp_path: Path) -> None:
    rung = [recv("INVITE", has="Via: SIP/2.0/UDP"), reply(180), reply(200, sdp(), repeats=True), recv("ACK")]
    async with station(tcp=True) as ours, sipp(tmp_path, [*rung, recv("BYE"), reply(200)]) as peer:
        talk = ours.dial(peer.uri, headers=[("X-Long", "x" * 1200)])
        await talk.answered()
        await talk.call.hangup()
        await peer.is_content()


async def test_a_call_outlives_the_connection_it_came_by(tmp_path: Path) -> None:
    """SIPp ends without a word and its connection with it; the call is ended by us without harm to the next one."""
    async with station(tcp=True) as ours:
        async with sipp(tmp_path, [invite(), *ANSWERED, ack(), pause(20_000)], "-t", "t1", target=ours.port) as peer:
            talk = await ours.call()
            await talk.answered()
            await talk.hear(0.5)
            peer.process.kill()
            await peer.ends(3)
        await talk.call.hangup()
        steps = [invite(), *ANSWERED, ack(), pause(100), bye(), recv(200)]
        async with sipp(tmp_path, steps, "-t", "t1", target=ours.port, name="next") as peer:
            await peer.is_content()
        assert ours.talks[-1].of(Answered)
