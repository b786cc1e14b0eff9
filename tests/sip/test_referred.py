"""A peer sends us elsewhere: we go, or say why not, and report how it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import strategies as st

from sip import (
    CallState,
    CallStateError,
    TransferRequested,
)
from sip.message import Request
from tests.sip.laboratory import Laboratory, ended
from tests.sip.standing import Standing, standing

pytestmark = pytest.mark.looptime

BOT = "sip:95588@192.0.2.1"
TOKENS = st.text("abcXYZ0189-._~", min_size=1, max_size=12)


async def asked(
    lab: Laboratory, target: str = "<sip:agent@192.0.2.50>", headers: Sequence[tuple[str, str]] = ()
) -> tuple[Standing, Request]:
    there = await standing(lab)
    fields = [("Refer-To", target), ("Referred-By", "<sip:peer@192.0.2.99>"), *headers]
    return there, there.within("REFER", headers=fields)


async def report(there: Standing) -> tuple[str, str]:
    """Body and subscription state of the next NOTIFY, which is answered."""
    request = await there.peer.request("NOTIFY")
    there.peer.reply(request, 200)
    assert request.content_type == "message/sipfrag" and request.headers.get("Event") == "refer"
    return request.body.decode().strip(), (request.headers.get("Subscription-State") or "").partition(";")[0]


async def test_we_go_where_we_are_sent_and_tell_how_it_goes(lab: Laboratory) -> None:
    there, _ = await asked(lab, "<sip:agent@192.0.2.50?Replaces=c1%40h%3bto-tag%3dT%3bfrom-tag%3dF>")
    agent = lab.peer("192.0.2.50")
    await asyncio.sleep(0.1)
    new = there.call.accept_transfer()
    assert (await there.peer.response(202)).status == 202
    assert await report(there) == ("SIP/2.0 100 Trying", "active")
    invite = await agent.request("INVITE")
    assert invite.headers.get("Replaces") == "c1@h;to-tag=T;from-tag=F"
    assert invite.headers.get("Referred-By") == "<sip:peer@192.0.2.99>"
    agent.reply(invite, 180)
    assert await report(there) == ("SIP/2.0 180 Ringing", "active")
    agent.reply(invite, 200, sdp="sendrecv")
    assert await report(there) == ("SIP/2.0 200 OK", "terminated")
    await there.bye()
    assert new.state is CallState.CONFIRMED and (await ended(there.call)).by == "remote"
    events = [event async for event in there.call.events()]
    assert TransferRequested("sip:agent@192.0.2.50", "c1@h;to-tag=T;from-tag=F") in events


async def test_a_target_that_is_busy_is_reported_and_the_call_goes_on(lab: Laboratory) -> None:
    there, _ = await asked(lab)
    agent = lab.peer("192.0.2.50")
    await asyncio.sleep(0.1)
    there.call.accept_transfer()
    await there.peer.response(202)
    agent.reply(await agent.request("INVITE"), 486)
    assert await report(there) == ("SIP/2.0 100 Trying", "active")
    assert await report(there) == ("SIP/2.0 486 Busy Here", "terminated")
    assert there.call.state is CallState.CONFIRMED


async def test_reports_go_one_after_the_other(lab: Laboratory) -> None:
    there, _ = await asked(lab)
    agent = lab.peer("192.0.2.50")
    await asyncio.sleep(0.1)
    there.call.accept_transfer()
    agent.reply(await agent.request("INVITE"), 200, sdp="sendrecv")
    first = await there.peer.request("NOTIFY")
    await asyncio.sleep(0.2)
    assert not any(m.body.startswith(b"SIP/2.0 200") for m, _ in there.peer.heard)
    there.peer.reply(first, 200)
    assert (await report(there))[1] == "terminated"


@pytest.mark.parametrize("how", ["declined", "forgotten"])
async def test_a_transfer_nobody_wants_is_declined(lab: Laboratory, how: str) -> None:
    there, _ = await asked(lab)
    await asyncio.sleep(0.1)
    if how == "declined":
        there.call.decline_transfer()
    await there.peer.response(603, within_s=6)
    with pytest.raises(CallStateError):
        there.call.accept_transfer()
    assert there.call.state is CallState.CONFIRMED


async def test_a_peer_that_wants_no_reports_gets_none(lab: Laboratory) -> None:
    there, _ = await asked(lab, headers=[("Refer-Sub", "false")])
    await asyncio.sleep(0.1)
    there.call.accept_transfer()
    assert (await there.peer.response(202)).headers.get("Refer-Sub") == "false"
    with pytest.raises(TimeoutError):
        await there.peer.request("NOTIFY", within_s=5)


@pytest.mark.parametrize("target", ["<sip:a@b>, <sip:c@d>", "<sip:a@b;method=BYE>", "nothing"])
async def test_a_refer_we_cannot_read(lab: Laboratory, target: str) -> None:
    there, _ = await asked(lab, target)
    await there.peer.response(400)
    assert there.call.state is CallState.CONFIRMED


async def test_a_second_refer_while_one_is_open(lab: Laboratory) -> None:
    there, _ = await asked(lab)
    there.within("REFER", headers=[("Refer-To", "<sip:c@192.0.2.9>")])
    await there.peer.response(491)


async def test_a_second_transfer_is_told_from_the_first_by_its_number(lab: Laboratory) -> None:
    there, first = await asked(lab)
    await asyncio.sleep(0.1)
    there.call.decline_transfer()
    await there.peer.response(603)
    second = there.within("REFER", headers=[("Refer-To", "<sip:agent@192.0.2.50>")])
    await asyncio.sleep(0.1)
    there.call.accept_transfer()
    notified = await there.peer.request("NOTIFY")
    assert notified.headers.get("Event") == f"refer;id={second.cseq.number}" != f"refer;id={first.cseq.number}"


async def test_hanging_up_instead_of_deciding_answers_the_refer(lab: Laboratory) -> None:
    there, _ = await asked(lab)
    await asyncio.sleep(0.1)
    there.within("BYE")
    statuses = {(await there.peer.receive(200)).cseq.method, (await there.peer.receive(481)).cseq.method}
    assert statuses == {"BYE", "REFER"} and there.agent._running.faults == 0
