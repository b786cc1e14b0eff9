"""We send a peer elsewhere: REFER and the reports about it, whatever comes back."""

from __future__ import annotations

import asyncio

import looptime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip import (
    CallState,
    CallStateError,
    Ended,
    SipParseError,
    TransferResult,
)
from sip.message import Request
from sip.testing import SimNetwork
from tests.sip.laboratory import Laboratory, ended
from tests.sip.standing import Standing, standing

pytestmark = pytest.mark.looptime

BOT = "sip:95588@192.0.2.1"
TOKENS = st.text("abcXYZ0189-._~", min_size=1, max_size=12)


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
