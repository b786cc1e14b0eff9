"""Session timers (RFC 4028) in both roles, on virtual time: refreshed calls live on, silent peers are hung up."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip import Call, CallState, Held, Resumed
from sip.message import Headers, Request, Response, Uri
from sip.session_timer import Agreement, agree_as_client, agree_as_server, too_brief
from sip.testing import SimNetwork
from tests.sip.laboratory import Laboratory, ended
from tests.sip.standing import Standing, pair, standing

pytestmark = pytest.mark.looptime
BOT = "sip:bot@192.0.2.1"


def asking(*fields: tuple[str, str]) -> Request:
    return Request("INVITE", Uri.parse(BOT), Headers(fields))


TIMER = ("Supported", "timer")


@pytest.mark.parametrize(
    ("fields", "wanted", "agreed"),
    [
        ([], 1800, None),
        ([TIMER], 1800, Agreement(1800, True)),
        ([TIMER], None, None),
        ([TIMER, ("Min-SE", "3600")], 1800, Agreement(3600, True)),
        ([TIMER, ("Session-Expires", "600")], 1800, Agreement(600, True)),
        ([TIMER, ("Session-Expires", "600;refresher=uac")], 1800, Agreement(600, False)),
        ([TIMER, ("Session-Expires", "600;refresher=uas")], 1800, Agreement(600, True)),
        ([TIMER, ("x", "7200 ; refresher=UAC")], 1800, Agreement(1800, False)),
        ([TIMER, ("x", "7200"), ("Min-SE", "3600")], 1800, Agreement(3600, True)),
        ([("Session-Expires", "600;refresher=uac")], 1800, Agreement(600, True)),
        ([("Session-Expires", "30")], 1800, Agreement(90, True)),
        ([TIMER, ("Session-Expires", "soon")], 1800, Agreement(1800, True)),
        ([TIMER, ("Session-Expires", "600")], None, Agreement(600, True)),
    ],
)
def test_what_our_answer_lays_down(
    fields: list[tuple[str, str]], wanted: int | None, agreed: Agreement | None
) -> None:
    assert agree_as_server(asking(*fields), wanted) == agreed


@pytest.mark.parametrize(
    ("text", "agreed"),
    [
        (None, None),
        ("1800", Agreement(1800, True)),
        ("1800;refresher=uac", Agreement(1800, True)),
        ("1800;foo=1; refresher = uas", Agreement(1800, False)),
        ("5;refresher=uas", Agreement(30, False)),
        ("-7", None),
    ],
)
def test_what_the_peers_answer_lays_down(text: str | None, agreed: Agreement | None) -> None:
    fields = [] if text is None else [("Session-Expires", text)]
    assert agree_as_client(Response(200, "OK", Headers(fields))) == agreed


@given(st.text(max_size=30), st.text(max_size=10), st.sampled_from([None, 90, 1800]))
def test_no_text_breaks_the_reading(expires: str, least: str, wanted: int | None) -> None:
    request = asking(TIMER, ("Session-Expires", expires), ("Min-SE", least))
    agreed = agree_as_server(request, wanted)
    assert agreed is None or 90 <= agreed.interval_s <= 86_400
    assert too_brief(request) in (True, False)


@given(st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1), st.sampled_from([None, 90, 1800]))
def test_an_interval_is_never_below_what_either_side_allows(asked: int, least: int, wanted: int | None) -> None:
    agreed = agree_as_server(asking(TIMER, ("Session-Expires", str(asked)), ("Min-SE", str(least))), wanted)
    assert agreed is not None and agreed.interval_s >= max(90, min(least, 86_400))


# We call ----------------------------------------------------------------------------------------------


async def test_every_invite_says_that_we_know_session_timers(lab: Laboratory) -> None:
    there = await standing(lab)
    assert "timer" in (there.invite.headers.get("Supported") or "")
    assert there.invite.headers.get("Session-Expires") == "1800"
    agent = await lab.agent("192.0.2.7", session_expires_s=None)
    agent.call("sip:x@192.0.2.99", from_uri="sip:a@b")
    quiet = await there.peer.request("INVITE")
    assert "Session-Expires" not in quiet.headers and "timer" in (quiet.headers.get("Supported") or "")


async def test_we_refresh_by_update_where_the_peer_allows_it(lab: Laboratory) -> None:
    answer = [("Session-Expires", "200;refresher=uac"), ("Allow", "INVITE, ACK, BYE, UPDATE")]
    there = await standing(lab, answer=answer)
    for _ in range(3):
        update = await there.peer.request("UPDATE", within_s=101)
        assert update.body == b"" and update.headers.get("Session-Expires") == "200;refresher=uac"
        there.peer.reply(update, 200, headers=[("Session-Expires", "200;refresher=uac")])
    assert there.call.state is CallState.CONFIRMED


async def test_we_refresh_by_reinvite_where_it_does_not(lab: Laboratory) -> None:
    there = await standing(lab, answer=[("Session-Expires", "200;refresher=uac"), ("Allow", "INVITE, ACK, BYE")])
    for _ in range(3):
        invite = await there.peer.request("INVITE", within_s=101)
        assert invite.body == there.invite.body  # nothing changes, not even the version
        there.peer.reply(invite, 200, sdp="sendrecv", headers=[("Session-Expires", "200;refresher=uac")])
        await there.peer.request("ACK")
    assert len(lab.medias[0].starts) == 1 and there.call.state is CallState.CONFIRMED


async def test_a_refresh_while_the_peer_holds_us_does_not_ask_to_be_released(lab: Laboratory) -> None:
    there = await standing(lab, answer=[("Session-Expires", "200;refresher=uac"), ("Allow", "INVITE, ACK, BYE")])
    there.within("INVITE", body=there.peer.sdp("sendonly"), headers=[TIMER, ("x", "200;refresher=uas")])
    await there.peer.response(200)
    there.within("ACK")
    refresh = await there.peer.request("INVITE", within_s=101)
    assert b"a=recvonly" in refresh.body
    there.peer.reply(refresh, 491)
    await there.peer.request("ACK")
    there.within("INVITE", body=there.peer.sdp("sendrecv"), headers=[TIMER, ("x", "200;refresher=uas")])
    assert b"a=sendrecv" in (await there.peer.response(200)).body
    there.within("ACK")
    again = await there.peer.request("INVITE", within_s=101)
    assert b"a=sendrecv" in again.body
    there.peer.reply(again, 200, sdp="sendrecv", headers=[("Session-Expires", "200;refresher=uac")])
    await there.bye()
    events = [event async for event in there.call.events()]
    assert [event for event in events if isinstance(event, Held | Resumed)] == [Held("recvonly"), Resumed()]


async def test_an_update_that_is_not_understood_after_all_becomes_a_reinvite(lab: Laboratory) -> None:
    there = await standing(lab, answer=[("Session-Expires", "200;refresher=uac"), ("Allow", "INVITE, UPDATE")])
    there.peer.reply(await there.peer.request("UPDATE", within_s=101), 501)
    there.peer.reply(await there.peer.request("INVITE"), 200, sdp="sendrecv")
    await there.peer.request("ACK")
    await asyncio.sleep(1000)  # the answer without Session-Expires ended the timer
    assert there.call.state is CallState.CONFIRMED


async def test_a_peer_without_session_timers_is_never_refreshed(lab: Laboratory) -> None:
    there = await standing(lab)
    with pytest.raises(TimeoutError):
        await there.peer.request("INVITE", within_s=10_000)
    assert there.call.state is CallState.CONFIRMED


async def test_a_peer_that_promised_to_refresh_and_does_not_is_hung_up(lab: Laboratory) -> None:
    there = await standing(lab, answer=[("Session-Expires", "200;refresher=uas")])
    began = asyncio.get_running_loop().time()
    there.peer.reply(await there.peer.request("BYE", within_s=201), 200)
    # RFC 4028 section 10: the lesser of 32 s and a third before the interval ends.
    assert 167 <= asyncio.get_running_loop().time() - began <= 169
    assert "no longer refreshes" in (await ended(there.call)).reason


@pytest.mark.parametrize("method", ["UPDATE", "INVITE"])
async def test_a_peer_that_refreshes_stays(lab: Laboratory, method: str) -> None:
    there = await standing(lab, answer=[("Session-Expires", "200;refresher=uas")])
    for _ in range(4):
        await asyncio.sleep(100)
        headers = [("Supported", "timer"), ("Session-Expires", "200;refresher=uac")]
        there.within(method, headers=headers, body=there.peer.sdp() if method == "INVITE" else b"")
        response = await there.peer.response(200)
        assert response.headers.get("Session-Expires") == "200;refresher=uac"
        assert response.headers.get("Require") == "timer"
        if method == "INVITE":
            there.within("ACK")
    assert there.call.state is CallState.CONFIRMED and len(lab.medias[0].starts) == 1


async def test_422_is_answered_with_the_larger_interval(lab: Laboratory) -> None:
    agent, peer = await lab.agent(session_expires_s=120), lab.peer()
    call = agent.call("sip:x@192.0.2.99", from_uri="sip:a@192.0.2.1")
    first = await peer.request("INVITE")
    peer.reply(first, 422, headers=[("Min-SE", "600")])
    second = await peer.request("INVITE")
    assert (second.headers.get("Session-Expires"), second.headers.get("Min-SE")) == ("600", "600")
    assert second.cseq.number == first.cseq.number + 1
    peer.reply(second, 200, sdp="sendrecv", headers=[("Session-Expires", "600;refresher=uac")])
    await peer.request("ACK")
    assert call.state is CallState.CONFIRMED


async def test_a_peer_that_answers_422_for_ever_ends_the_call(lab: Laboratory) -> None:
    agent, peer = await lab.agent(), lab.peer()
    call = agent.call("sip:x@192.0.2.99", from_uri="sip:a@192.0.2.1")
    for _ in range(2):
        peer.reply(await peer.request("INVITE"), 422, headers=[("Min-SE", "3600")])
    assert (await ended(call)).status == 422


@pytest.mark.parametrize("status", [None, 481, 408])
async def test_a_refresh_that_nobody_knows_of_ends_the_call(lab: Laboratory, status: int | None) -> None:
    there = await standing(lab, answer=[("Session-Expires", "200;refresher=uac"), ("Allow", "UPDATE")])
    update = await there.peer.request("UPDATE", within_s=101)
    if status is not None:
        there.peer.reply(update, status)
    assert (await ended(there.call)).by == "error"


async def test_a_refused_refresh_is_tried_again_and_the_end_of_the_interval_is_the_end(lab: Laboratory) -> None:
    there = await standing(lab, answer=[("Session-Expires", "200;refresher=uac"), ("Allow", "UPDATE")])
    asked = 0
    began = asyncio.get_running_loop().time()
    while there.call.state is CallState.CONFIRMED:
        try:
            there.peer.reply(await there.peer.request("UPDATE", within_s=101), 503)
            asked += 1
        except TimeoutError:
            break
    assert 3 <= asked <= 8
    assert "never got through" in (await ended(there.call)).reason
    assert asyncio.get_running_loop().time() - began <= 310


# We are called ----------------------------------------------------------------------------------------


async def called(lab: Laboratory, *fields: tuple[str, str]) -> tuple[Standing, Response]:
    agent, peer = await lab.agent(), lab.peer()
    invite = peer.compose("INVITE", BOT, body=peer.sdp(), headers=fields)
    peer.send(invite, agent.address)
    response = await peer.response(200)
    call: Call = lab.incoming[-1]
    there = Standing(agent, peer, call, invite, cseq=1)
    there.within("ACK")
    await asyncio.sleep(0.1)
    return there, response


async def test_a_caller_with_session_timers_gets_one_and_we_refresh(lab: Laboratory) -> None:
    there, response = await called(lab, TIMER, ("Session-Expires", "300"), ("Allow", "UPDATE"))
    assert response.headers.get("Session-Expires") == "300;refresher=uas"
    assert response.headers.get("Require") == "timer"
    update = await there.peer.request("UPDATE", within_s=151)
    there.peer.reply(update, 200, headers=[("Session-Expires", "300;refresher=uac")])


async def test_a_caller_that_refreshes_itself_is_left_to_it(lab: Laboratory) -> None:
    there, response = await called(lab, TIMER, ("Session-Expires", "300;refresher=uac"), ("Allow", "UPDATE"))
    assert response.headers.get("Session-Expires") == "300;refresher=uac"
    await there.peer.request("BYE", within_s=301)


async def test_a_caller_that_knows_no_timers_gets_none(lab: Laboratory) -> None:
    there, response = await called(lab)
    assert "Session-Expires" not in response.headers and "Require" not in response.headers
    await asyncio.sleep(10_000)
    assert there.call.state is CallState.CONFIRMED


async def test_too_brief_an_interval_is_refused_with_ours(lab: Laboratory) -> None:
    agent, peer = await lab.agent(), lab.peer()
    peer.send(peer.compose("INVITE", BOT, body=peer.sdp(), headers=[TIMER, ("x", "30")]), agent.address)
    assert (await peer.response(422)).headers.get("Min-SE") == "90" and lab.incoming == []


async def test_too_brief_a_refresh_is_refused_and_the_call_goes_on(lab: Laboratory) -> None:
    there, _ = await called(lab, TIMER, ("Session-Expires", "300;refresher=uac"))
    there.within("UPDATE", headers=[TIMER, ("Session-Expires", "30;refresher=uac")])
    assert (await there.peer.response(422)).headers.get("Min-SE") == "90"


@pytest.mark.parametrize("seed", range(4))
async def test_an_hour_long_call_on_a_bad_network_is_kept_by_its_refreshes(seed: int) -> None:
    lab = Laboratory(SimNetwork(loss=0.1, delay_s=0.03, jitter_s=0.2, seed=seed))
    ours, theirs = await pair(lab, session_expires_s=180)
    before = lab.network.sent
    await asyncio.sleep(3600)
    assert ours.state is theirs.state is CallState.CONFIRMED and lab.network.sent - before >= 80
    assert all(len(media.starts) == 1 for media in lab.medias)
    lab.network.loss = 1.0
    ends = await asyncio.gather(ended(ours), ended(theirs))
    assert all(end.by == "error" for end in ends)
    for agent in lab.agents:
        await agent.close()
