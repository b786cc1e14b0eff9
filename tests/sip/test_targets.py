"""Several places for one request: the next one is tried where one fails, and a peer behind NAT is found."""

from __future__ import annotations

import asyncio

import pytest

from sip import Call, CallState
from sip.addressing import reachable
from sip.message import Request, Uri
from sip.testing import ScriptedPeer
from sip.transport import Hop, is_local
from sip.user_agent import UserAgent
from tests.sip.laboratory import Laboratory

pytestmark = pytest.mark.looptime
FIRST, SECOND = Hop("UDP", "192.0.2.98", 5060), Hop("UDP", "192.0.2.99", 5060)


async def dialled(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> tuple[Call, ScriptedPeer, ScriptedPeer]:
    """A call to a name that has two addresses."""
    agent = await lab.agent()

    async def two(uri: Uri) -> list[Hop]:
        return [FIRST, SECOND]

    monkeypatch.setattr(agent._transport, "resolve", two)
    call = agent.call("sip:x@carrier.example", from_uri="sip:me@192.0.2.1")
    return call, lab.peer(FIRST.host), lab.peer(SECOND.host)


async def test_503_moves_on_to_the_next_target(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    call, first, second = await dialled(lab, monkeypatch)
    busy = await first.request("INVITE")
    first.reply(busy, 503)
    await first.request("ACK")
    invite = await second.request("INVITE")
    assert invite.via.branch != busy.via.branch and invite.call_id == busy.call_id
    second.reply(invite, 200, sdp="sendrecv")
    await second.request("ACK")
    assert call.state is CallState.CONFIRMED


async def test_the_last_target_s_503_ends_the_call(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    call, first, second = await dialled(lab, monkeypatch)
    first.reply(await first.request("INVITE"), 503)
    second.reply(await second.request("INVITE"), 503)
    await asyncio.sleep(1)
    assert call.state is CallState.ENDED and call.response is not None and call.response.status == 503


@pytest.mark.parametrize("status", [486, 404, 600])
async def test_another_refusal_is_final(lab: Laboratory, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    call, first, second = await dialled(lab, monkeypatch)
    first.reply(await first.request("INVITE"), status)
    await asyncio.sleep(40)
    assert call.state is CallState.ENDED and second.heard == []


async def test_silence_moves_on_long_before_the_caller_gives_up(
    lab: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    call, first, second = await dialled(lab, monkeypatch)
    await first.request("INVITE")
    start = loop.time()
    second.reply(await second.request("INVITE"), 180)
    assert loop.time() - start < 8 and call.state is not CallState.ENDED


async def test_a_target_that_rings_after_all_is_cancelled(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    call, first, second = await dialled(lab, monkeypatch)
    late = await first.request("INVITE")
    invite = await second.request("INVITE")
    first.reply(late, 180, tag="late")
    cancel = await first.request("CANCEL")
    assert cancel.via.branch == late.via.branch
    second.reply(invite, 200, sdp="sendrecv", tag="second")
    await asyncio.sleep(1)
    assert call.state is CallState.CONFIRMED and call.dialog is not None and call.dialog.remote.tag == "second"


async def test_a_target_that_answers_after_all_gets_its_bye(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    call, first, second = await dialled(lab, monkeypatch)
    late = await first.request("INVITE")
    second.reply(await second.request("INVITE"), 200, sdp="sendrecv", tag="second")
    await second.request("ACK")
    first.reply(late, 200, sdp="sendrecv", tag="late")
    await first.request("ACK")
    await first.request("BYE")
    assert call.state is CallState.CONFIRMED


async def test_who_rang_once_is_waited_for(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    call, first, second = await dialled(lab, monkeypatch)
    invite = await first.request("INVITE")
    first.reply(invite, 180)
    await asyncio.sleep(20)
    first.reply(invite, 503)
    await asyncio.sleep(1)
    assert call.state is CallState.ENDED and second.heard == []


# NAT -----------------------------------------------------------------------------------------------

PRIVATE, PUBLIC = Hop("UDP", "192.168.1.5", 5060), Hop("UDP", "203.0.113.9", 40123)


@pytest.mark.parametrize(
    ("hop", "flow", "expected"),
    [
        (PRIVATE, PUBLIC, PUBLIC),
        (PRIVATE, None, PRIVATE),
        (PUBLIC._replace(port=5060), PUBLIC, PUBLIC._replace(port=5060)),
        (PRIVATE, Hop("UDP", "10.0.0.7", 5060), PRIVATE),
        (Hop("TCP", "10.9.9.9", 5060), Hop("TCP", "203.0.113.9", 55555), Hop("TCP", "203.0.113.9", 55555)),
    ],
)
def test_a_private_contact_behind_a_public_source_is_where_its_messages_come_from(
    hop: Hop, flow: Hop | None, expected: Hop
) -> None:
    assert reachable(hop, flow) == expected


@pytest.mark.parametrize(
    ("host", "local"),
    [("10.1.2.3", True), ("172.31.0.1", True), ("172.32.0.1", False), ("192.168.0.1", True), ("127.0.0.1", True),
     ("203.0.113.9", False), ("fe80::1%eth0", True), ("fd00::1", True), ("2001:db8::1", False)],
)  # fmt: skip
def test_networks_that_need_no_translator(host: str, local: bool) -> None:
    assert is_local(host) is local


async def test_a_phone_behind_nat_hears_our_bye(lab: Laboratory) -> None:
    await lab.agent()
    phone = lab.peer("203.0.113.9")
    invite = phone.compose("INVITE", "sip:bot@192.0.2.1", body=phone.sdp())
    headers = invite.headers.with_("Contact", "<sip:phone@192.168.1.5:5060>")
    phone.send(invite.with_headers(headers), ("192.0.2.1", 5060))
    tag = (await phone.response(200)).to.tag
    phone.send(phone.compose("ACK", "sip:bot@192.0.2.1", to_tag=tag), ("192.0.2.1", 5060))
    await asyncio.sleep(0.5)
    hanging_up = asyncio.ensure_future(lab.incoming[0].hangup())
    bye = await phone.request("BYE")
    assert str(bye.uri) == "sip:phone@192.168.1.5:5060", "the request is still addressed to its Contact"
    phone.reply(bye, 200)
    await hanging_up


async def test_public_peers_are_told_the_public_address_and_local_ones_are_not(lab: Laboratory) -> None:
    agent: UserAgent = await lab.agent("192.168.1.2", public_address="198.51.100.7")
    for ip, told in (("203.0.113.9", "198.51.100.7"), ("192.168.1.9", "192.168.1.2")):
        peer = lab.peer(ip)
        call = agent.call(f"sip:x@{ip}", from_uri="sip:me@example.com")
        invite = await peer.request("INVITE")
        assert invite.contact is not None and invite.contact.uri.host == told
        assert f"c=IN IP4 {told}".encode() in invite.body
        assert invite.via.host == "192.168.1.2" and invite.via.has("rport"), "the Via keeps the real address"
        peer.reply(invite, 486)
        await asyncio.sleep(0.1)
        assert call.state is CallState.ENDED


async def test_answers_go_to_the_source_whatever_the_via_says(lab: Laboratory) -> None:
    await lab.agent()
    peer = lab.peer("203.0.113.9")
    request = peer.compose("OPTIONS", "sip:bot@192.0.2.1")
    via = "SIP/2.0/UDP 192.168.1.5:5060;branch=z9hG4bKnat;rport"
    peer.send(Request("OPTIONS", request.uri, request.headers.with_("Via", via)), ("192.0.2.1", 5060))
    response = await peer.response(200)
    assert ("received", "203.0.113.9") in response.via.parameters and ("rport", "5060") in response.via.parameters


async def test_keep_alives_keep_a_binding_open_until_cancelled(lab: Laboratory) -> None:
    agent, peer = await lab.agent(), lab.peer()
    heard: list[bytes] = []
    lab.network.detach(peer.address)
    lab.network.attach(peer.address, lambda data, source: heard.append(data))
    keeping = agent.keep_open(Hop("UDP", *peer.address))
    await asyncio.sleep(60)
    assert heard == [b"\r\n\r\n"] * 2
    keeping.cancel()
    await asyncio.sleep(60)
    assert len(heard) == 2
