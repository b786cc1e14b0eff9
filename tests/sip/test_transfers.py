"""REFER, NOTIFY and Replaces in all three roles: who sends elsewhere, who goes, and whose place is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import looptime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip import (
    Answered,
    Call,
    CallState,
    CallStateError,
    Ended,
    Replaced,
    SipParseError,
    TransferRequested,
    TransferResult,
)
from sip.message import Headers, Request, Uri
from sip.replaces import ReferTo, Replaces, frag_status
from sip.testing import SimNetwork
from tests.sip.laboratory import Laboratory, ended
from tests.sip.standing import Standing, standing

pytestmark = pytest.mark.looptime

BOT = "sip:95588@192.0.2.1"
TOKENS = st.text("abcXYZ0189-._~", min_size=1, max_size=12)


# Values -----------------------------------------------------------------------------------------------


@given(TOKENS, TOKENS, TOKENS, TOKENS, st.booleans())
def test_replaces_survives_the_way_through_a_uri(a: str, b: str, to_tag: str, from_tag: str, early: bool) -> None:
    replaces = Replaces(f"{a}@{b}", to_tag, from_tag, early)
    assert Replaces.parse(str(replaces)) == replaces
    where = ReferTo(Uri.parse("sip:bob@192.0.2.4;transport=tcp"), replaces)
    assert ReferTo.of(Headers([("Refer-To", str(where))])) == where


@pytest.mark.parametrize(
    "text",
    [
        "<sip:bob@127.0.0.1?Replaces=a1%40b%3bto-tag%3dT1%3bfrom-tag%3dF1>",  # as linphone writes it
        "sip:bob@127.0.0.1 ",
        "<sip:bob@127.0.0.1?REPLACES=a1%40b%3Bfrom-tag%3DF1%3Bto-tag%3DT1&Require=replaces>",
    ],
)
def test_refer_to_as_the_world_writes_it(text: str) -> None:
    where = ReferTo.of(Headers([("r", text)]))
    assert str(where.uri) == "sip:bob@127.0.0.1"
    assert where.replaces in (None, Replaces("a1@b", "T1", "F1"))
    assert (where.replaces is None) == ("?" not in text)


@pytest.mark.parametrize(
    "values",
    [
        [],
        ["<sip:a@b>", "<sip:c@d>"],
        ["<sip:a@b>, <sip:c@d>"],
        ["<sip:a@b;method=BYE>"],
        ["<mailto:a@b>"],
        ["<sip:a@b?Replaces=x>"],
        ["nonsense"],
    ],
)
def test_a_refer_that_points_nowhere(values: list[str]) -> None:
    with pytest.raises(SipParseError):
        ReferTo.of(Headers([("Refer-To", value) for value in values]))


@given(st.text(max_size=60))
def test_any_text_is_refer_to_or_one_error(text: str) -> None:
    for read in (Replaces.parse, lambda value: ReferTo.of(Headers([("Refer-To", value)]))):
        try:
            read(text)
        except SipParseError:
            continue


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"SIP/2.0 200 OK\r\n", (200, "OK")),
        (b"SIP/2.0 180 Ringing", (180, "Ringing")),
        (b"\r\nsip/2.0 486 Busy Here\nVia: x\r\n", (486, "Busy Here")),
        (b"SIP/2.0 200", (200, "")),
        (b"SIP/3.0 200 OK", None),
        (b"SIP/2.0 99 x", None),
        (b"SIP/2.0 999 x", None),
        (b"", None),
        (b"\xff\xfe", None),
    ],
)
def test_fragments(body: bytes, told: tuple[int, str] | None) -> None:
    assert frag_status(body) == told


# We send the peer elsewhere ---------------------------------------------------------------------------


def notify(there: Standing, status: str, state: str = "active;expires=60") -> Request:
    fields = [("Event", "refer"), ("Subscription-State", state), ("Content-Type", "message/sipfrag;version=2.0")]
    return there.within("NOTIFY", headers=fields, body=f"SIP/2.0 {status}\r\n".encode())


async def referring(lab: Laboratory, **options: object) -> tuple[Standing, asyncio.Future[TransferResult], Request]:
    there = await standing(lab)
    asking = asyncio.ensure_future(there.call.refer("sip:agent@192.0.2.50", **options))  # type: ignore[arg-type]
    return there, asking, await there.peer.request("REFER")


async def test_blind_transfer_reports_and_we_leave(lab: Laboratory) -> None:
    there, asking, refer = await referring(lab)
    assert refer.headers.get("Refer-To") == "<sip:agent@192.0.2.50>"
    assert refer.headers.get("Referred-By") == "<sip:95588@192.0.2.1>" and refer.contact is not None
    there.peer.reply(refer, 202)
    for status in ("100 Trying", "180 Ringing"):
        notify(there, status)
        await there.peer.response(200)
    assert not asking.done()
    notify(there, "200 OK", "terminated;reason=noresource")
    await there.peer.response(200)
    assert await asking == TransferResult(200, "OK")
    there.peer.reply(await there.peer.request("BYE"), 200)
    assert await ended(there.call) == Ended("local", None, "transferred")


async def test_a_report_that_overtakes_the_202(lab: Laboratory) -> None:
    there, asking, refer = await referring(lab)
    notify(there, "200 OK", "terminated")
    await there.peer.response(200)
    there.peer.reply(refer, 202)
    assert (await asking).succeeded


async def test_a_transfer_that_fails_leaves_the_call_up(lab: Laboratory) -> None:
    there, asking, refer = await referring(lab)
    there.peer.reply(refer, 202)
    notify(there, "486 Busy Here", "terminated;reason=noresource")
    assert await asking == TransferResult(486, "Busy Here") and there.call.state is CallState.CONFIRMED
    notify(there, "200 OK")
    await there.peer.response(481)  # that subscription is over
    again = asyncio.ensure_future(there.call.refer("sip:other@192.0.2.50"))
    there.peer.reply(await there.peer.request("REFER"), 603)
    assert (await again).status == 603


async def test_a_peer_that_never_reports(lab: Laboratory) -> None:
    there, asking, refer = await referring(lab, timeout_s=20)
    there.peer.reply(refer, 202)
    before = asyncio.get_running_loop().time()
    assert (await asking).status == 408 and there.call.state is CallState.CONFIRMED
    assert 19 <= asyncio.get_running_loop().time() - before <= 21


async def test_a_peer_that_never_answers_the_refer(lab: Laboratory) -> None:
    there, asking, _ = await referring(lab)
    assert (await asking).status == 408 and there.call.state is CallState.CONFIRMED


async def test_a_peer_that_will_not_report_has_agreed(lab: Laboratory) -> None:
    there, asking, refer = await referring(lab)
    there.peer.reply(refer, 200, headers=[("Refer-Sub", "false")])
    assert (await asking).succeeded


@pytest.mark.parametrize(("status", "succeeded"), [(202, True), (None, False)])
async def test_a_peer_that_hangs_up_meanwhile(lab: Laboratory, status: int | None, succeeded: bool) -> None:
    there, asking, refer = await referring(lab)
    if status is not None:
        there.peer.reply(refer, status)
        await asyncio.sleep(0.1)
    await there.bye()
    assert (await asking).succeeded is succeeded


async def test_only_one_transfer_at_a_time_and_only_in_a_call(lab: Laboratory) -> None:
    there, asking, refer = await referring(lab)
    with pytest.raises(CallStateError):
        await there.call.refer("sip:x@192.0.2.3")
    with pytest.raises(SipParseError):
        await there.call.refer("no uri")
    there.peer.reply(refer, 603)
    await asking
    await there.bye()
    with pytest.raises(CallStateError):
        await there.call.refer("sip:x@192.0.2.3")


async def test_notify_without_a_refer_or_about_something_else(lab: Laboratory) -> None:
    there = await standing(lab)
    notify(there, "200 OK")
    await there.peer.response(481)
    there.within("NOTIFY", headers=[("Event", "presence")], body=b"x")
    await there.peer.response(489)


async def test_a_broken_report_is_refused_and_a_good_one_still_counts(lab: Laboratory) -> None:
    there, asking, refer = await referring(lab)
    there.peer.reply(refer, 202)
    there.within("NOTIFY", headers=[("Event", "refer"), ("Content-Type", "text/plain")], body=b"all is well")
    await there.peer.response(415)
    there.within("NOTIFY", headers=[("Event", "refer"), ("Subscription-State", "active")])
    await there.peer.response(400)
    notify(there, "200 OK", "terminated")
    assert (await asking).succeeded


async def test_a_subscription_that_ends_without_a_result_has_failed(lab: Laboratory) -> None:
    there, asking, refer = await referring(lab)
    there.peer.reply(refer, 202)
    notify(there, "100 Trying", "terminated;reason=timeout")
    assert (await asking).status == 500


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("reply"), st.sampled_from([100, 202, 200, 407, 481, 603])),
            st.tuples(st.just("notify"), st.sampled_from([100, 180, 200, 302, 487, 603])),
            st.tuples(st.just("closes"), st.sampled_from([100, 180])),
            st.tuples(st.just("bye"), st.just(0)),
            st.tuples(st.just("wait"), st.integers(0, 40)),
        ),
        max_size=6,
    )
)
def test_whatever_comes_back_a_transfer_has_one_result_in_time(script: list[tuple[str, int]]) -> None:
    with asyncio.Runner(loop_factory=lambda: looptime.patch_event_loop(asyncio.new_event_loop())) as runner:
        runner.run(_play(script))


async def _play(script: list[tuple[str, int]]) -> None:
    lab = Laboratory(SimNetwork())
    there, asking, refer = await referring(lab, timeout_s=30)
    final = [status for kind, status in script if kind == "notify" and status >= 200]
    is_over = False
    for kind, status in script:
        if kind == "reply":
            there.peer.reply(refer, status)
        elif kind == "bye" and not is_over:
            there.within("BYE")
            is_over = True
        elif kind in ("notify", "closes"):
            notify(there, f"{status} x", "active" if kind == "notify" else "terminated")
        else:
            await asyncio.sleep(status)
    before = asyncio.get_running_loop().time()
    result = await asking
    assert asyncio.get_running_loop().time() - before <= 64
    assert 200 <= result.status <= 699
    assert not result.succeeded or final or "reply" in dict(script)
    await asyncio.sleep(60)
    assert (there.call.state is CallState.CONFIRMED) == (not result.succeeded and not is_over)
    await there.agent.close()


# The peer sends us elsewhere --------------------------------------------------------------------------


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


# Somebody takes a place -------------------------------------------------------------------------------


async def test_a_call_with_replaces_takes_the_place_of_the_old_one(lab: Laboratory) -> None:
    there = await standing(lab)
    seen: list[object] = []
    there.call.on_event = seen.append
    newcomer = lab.peer("192.0.2.60")
    names = f"{there.call.id};to-tag={there.call.local_tag};from-tag=peer"
    invite = newcomer.compose(
        "INVITE", "sip:95588@192.0.2.1", call_id="new", body=newcomer.sdp(), headers=[("Replaces", names)]
    )
    newcomer.send(invite, there.agent.address)
    assert (await newcomer.response(200)).call_id == "new"
    there.peer.reply(await there.peer.request("BYE"), 200)
    assert isinstance(seen[0], Replaced) and seen[1:] == [Ended("local", None, "replaced")]
    new = seen[0].by
    assert new.state is CallState.CONFIRMED and new in there.agent.calls and lab.incoming == []
    newcomer.send(newcomer.compose("ACK", "sip:x@192.0.2.1", call_id="new", to_tag=new.local_tag), there.agent.address)


@pytest.mark.parametrize(("refusal", "answer"), [(503, 200), (403, 403)])
async def test_a_full_house_still_lets_a_call_be_taken_over_but_a_stranger_stays_out(
    lab: Laboratory, refusal: int, answer: int
) -> None:
    agent = await lab.agent(allow=lambda source, request: refusal)
    there = await standing(lab, agent=agent)
    newcomer = lab.peer("192.0.2.60")
    for names, status in (("x;to-tag=1;from-tag=2", refusal), (str(there.call.as_replaced()), refusal)):
        newcomer.send(
            newcomer.compose("INVITE", BOT, call_id=names, body=newcomer.sdp(), headers=[("Replaces", names)]),
            agent.address,
        )
        await newcomer.response(status)
    own = f"{there.call.id};to-tag={there.call.local_tag};from-tag=peer"
    newcomer.send(
        newcomer.compose("INVITE", BOT, call_id="own", body=newcomer.sdp(), headers=[("Replaces", own)]), agent.address
    )
    await newcomer.response(answer)


@pytest.mark.parametrize(
    ("names", "status"),
    [
        ("nobody;to-tag=1;from-tag=2", 481),
        ("{id};to-tag={ours};from-tag=wrong", 481),
        ("{id};to-tag=peer;from-tag={ours}", 481),
        ("{id};to-tag={ours};from-tag=peer;early-only", 486),
        ("{id};to-tag={ours}", 400),
        ("", 400),
    ],
)
async def test_a_place_that_may_not_be_taken(lab: Laboratory, names: str, status: int) -> None:
    there = await standing(lab)
    newcomer = lab.peer("192.0.2.60")
    replaces = names.format(id=there.call.id, ours=there.call.local_tag)
    invite = newcomer.compose("INVITE", "sip:x@192.0.2.1", call_id="new", body=newcomer.sdp(),
                              headers=[("Replaces", replaces)])  # fmt: skip
    newcomer.send(invite, there.agent.address)
    await newcomer.response(status)
    assert there.call.state is CallState.CONFIRMED and lab.incoming == []


async def test_the_place_of_a_call_of_ours_that_still_rings(lab: Laboratory) -> None:
    agent, callee, newcomer = await lab.agent(), lab.peer(), lab.peer("192.0.2.60")
    call = agent.call("sip:x@192.0.2.99", from_uri="sip:bot@192.0.2.1")
    ringing = await callee.request("INVITE")
    callee.reply(ringing, 180)
    await asyncio.sleep(0.1)
    names = f"{call.id};to-tag={call.local_tag};from-tag=peer;early-only"
    newcomer.send(
        newcomer.compose("INVITE", BOT, call_id="new", body=newcomer.sdp(), headers=[("Replaces", names)]),
        agent.address,
    )
    await newcomer.response(200)
    callee.reply(await callee.request("CANCEL"), 200)
    callee.reply(ringing, 487)
    assert (await ended(call)).reason == "replaced"


@pytest.mark.parametrize("seed", range(8))
async def test_attended_transfer_between_three_of_our_own_on_a_bad_network(seed: int) -> None:
    """Carol calls Alice and Bob and puts them together: they talk, she is gone."""
    lab = Laboratory(SimNetwork(loss=0.1, delay_s=0.03, jitter_s=0.15, seed=seed))
    carol, _, _ = [await lab.agent(f"192.0.2.{n}") for n in (1, 2, 3)]
    to_alice = carol.call("sip:alice@192.0.2.2", from_uri="sip:carol@192.0.2.1")
    to_bob = carol.call("sip:bob@192.0.2.3", from_uri="sip:carol@192.0.2.1")
    for call in (to_alice, to_bob):
        async for event in call.events():
            if event == Answered():
                break
    await asyncio.sleep(40)
    alice = next(call for call in lab.incoming if "alice" in call.local_uri)
    bob = next(call for call in lab.incoming if "bob" in call.local_uri)
    taken: list[Call] = []
    placed: list[Call] = []
    bob.on_event = lambda event: taken.append(event.by) if isinstance(event, Replaced) else None
    alice.on_event = lambda event: (
        placed.append(alice.accept_transfer()) if isinstance(event, TransferRequested) else None
    )
    await to_alice.hold()
    result = await to_alice.refer(to_bob.remote_target or "", replaces=to_bob, timeout_s=120)
    assert result.succeeded
    ends = await asyncio.gather(ended(to_alice), ended(to_bob), ended(alice), ended(bob))
    assert {end.reason for end in ends} <= {"transferred", "the peer hung up", "replaced"}
    await asyncio.sleep(60)
    assert placed[0].state is taken[0].state is CallState.CONFIRMED and placed[0].id == taken[0].id
    assert carol.calls == ()
    await placed[0].hangup()
    await asyncio.sleep(100)
    for agent in lab.agents:
        assert agent.calls == () and agent._running.faults == 0
        await agent.close()
