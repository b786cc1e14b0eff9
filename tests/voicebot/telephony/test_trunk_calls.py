"""Calls over trunks on loopback: failover before anybody rings and never after, channels, identity, passwords."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
from typing import Literal

import pytest

from sip.message import Request, parse_message
from tests.voicebot.telephony.carriers import (
    answer,
    carriers,
    eventually,
    line_over,
    refuse,
    registrar,
    ring_then,
    story,
    until,
)
from voicebot.telephony import trunk_desk
from voicebot.telephony.leg import Answered, CallLeg, Ended, Ringing, TrunkTried, UndiallableError
from voicebot.telephony.sip_leg import SipLeg
from voicebot.telephony.sip_line import SipLine
from voicebot.telephony.trunk import Account, CallerIdentity, Inbound, NumberFormat, Registering, Shape
from voicebot.telephony.trunk_choice import Registered

NUMBER = "+8613800138000"


async def test_a_trunk_that_cannot_is_followed_by_the_next_and_left_alone_as_it_asked() -> None:
    async with (
        carriers(refuse(503, 60), answer) as (first, second),
        line_over([first.trunk("first"), second.trunk("second", priority=20)]) as line,
    ):
        leg = await line.dial(NUMBER)
        tried_id = leg.id
        await until(Answered, leg)
        assert leg.trunk == "second" and leg.id != tried_id
        again = await line.dial(NUMBER)
        assert again.trunk == "second", "Retry-After is respected"
        await again.hang_up()
        await leg.hang_up()
        events = await story(leg)
        assert [type(event) for event in events] == [TrunkTried, Answered, Ended]
        tried = events[0]
        assert isinstance(tried, TrunkTried)
        assert (tried.trunk, tried.status, tried.next, tried.sip_call_id) == ("first", 503, "second", leg.id)
        assert len(first.taken) == 1
        assert line.trunks.tallies["first"].failed == 1 and line.trunks.tallies["second"].answered == 1
        assert {name: state.running for name, state in line.trunks.states.items()} == {"first": 0, "second": 0}


@pytest.mark.parametrize("status", [408, 500, 502, 504, 599])
async def test_failures_of_the_network_go_to_the_next_trunk(status: int) -> None:
    async with (
        carriers(refuse(status), refuse(486)) as (first, second),
        line_over([first.trunk("first", priority=1), second.trunk("second")]) as line,
    ):
        ended = (await story(await line.dial(NUMBER)))[-1]
        assert isinstance(ended, Ended) and ended.status == 486 and len(second.taken) == 1


@pytest.mark.parametrize("status", [404, 480, 486, 403, 603])
async def test_what_the_callee_says_is_said_once(status: int) -> None:
    async with (
        carriers(refuse(status), answer) as (first, second),
        line_over([first.trunk("first", priority=1), second.trunk("second")]) as line,
    ):
        events = await story(await line.dial(NUMBER))
        assert len(events) == 1 and isinstance(events[0], Ended) and events[0].status == status
        assert second.taken == []
        assert line.trunks.states["first"].failures == 0


async def test_nobody_is_rung_twice() -> None:
    async with (
        carriers(ring_then(503), answer) as (first, second),
        line_over([first.trunk("first", priority=1), second.trunk("second")]) as line,
    ):
        events = await story(await line.dial(NUMBER))
        assert [type(event) for event in events] == [Ringing, Ended]
        assert second.taken == []


async def test_a_trunk_that_says_nothing_is_left_after_its_time() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        async with carriers(answer) as (good,):
            dead = good.trunk("dead", port=silent.getsockname()[1], priority=1, try_s=0.3)
            async with line_over([dead, good.trunk("good")]) as line:
                leg = await line.dial(NUMBER)
                tried = await until(TrunkTried, leg)
                assert isinstance(tried, TrunkTried) and "no answer to INVITE within 0.3 s" in tried.reason
                await until(Answered, leg)
                invite = parse_message(silent.recv(4096))
                assert isinstance(invite, Request)
                silent.sendto(invite.reply(486, to_tag="late").encode(), line.address)
                await leg.hang_up()
                assert [type(event) for event in await story(leg)] == [TrunkTried, Answered, Ended], "too late"
                await eventually(lambda: line.trunks.states["dead"].running == 0)


async def test_a_trunk_that_takes_calls_and_never_rings_has_failed_them() -> None:
    async def think(leg: SipLeg) -> None:
        await asyncio.sleep(0)

    async with carriers(think) as (hole,), line_over([hole.trunk("hole")]) as line:
        given_up = await line.dial(NUMBER, ring_timeout_s=0.2)
        ended = (await story(given_up))[-1]
        assert isinstance(ended, Ended) and (ended.by, ended.status) == ("local", 487)
        assert line.trunks.tallies["hole"].last_failure == "took the call and never rang"
        ours = await line.dial(NUMBER)
        await ours.hang_up()
        await story(ours)
        assert line.trunks.tallies["hole"].failed == 1, "who hangs up proves nothing"


async def test_when_no_trunk_can_the_last_answer_stands() -> None:
    async with (
        carriers(refuse(500), refuse(503)) as (first, second),
        line_over([first.trunk("first", priority=1), second.trunk("second")]) as line,
    ):
        events = await story(await line.dial(NUMBER))
        assert [type(event) for event in events] == [TrunkTried, Ended]
        assert isinstance(events[1], Ended) and events[1].status == 503


async def test_who_hangs_up_while_trunks_are_tried_is_obeyed() -> None:
    async with carriers(answer, answer) as (slow, second):

        async def think(leg: SipLeg) -> None:
            await asyncio.sleep(0.1)
            leg.reject(503)

        slow.takes = think
        async with line_over([slow.trunk("slow", priority=1), second.trunk("second")]) as line:
            leg = await line.dial(NUMBER)
            await asyncio.sleep(0.05)
            await leg.hang_up()
            ended = (await story(leg))[-1]
            assert isinstance(ended, Ended) and ended.by == "local" and second.taken == []


async def test_a_trunk_whose_name_has_no_address_is_passed_over() -> None:
    async with carriers(answer) as (good,):
        lost = good.trunk("lost", host="nowhere.invalid", priority=1)
        async with line_over([lost, good.trunk("good")]) as line:
            leg = await line.dial(NUMBER)
            await until(Answered, leg)
            assert leg.trunk == "good" and line.trunks.tallies["lost"].last_failure == "its address can't be found"
            await leg.hang_up()
            with pytest.raises(UndiallableError):
                await line.dial(NUMBER, trunk="lost")


async def test_channels_in_use_send_the_next_call_elsewhere_and_then_make_it_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trunk_desk, "WAIT_S", 0.2)
    async with carriers(answer, answer) as (first, second):
        trunks = [first.trunk("first", max_calls=1, priority=1), second.trunk("second", max_calls=1)]
        async with line_over(trunks) as line:
            one, two = await line.dial(NUMBER), await line.dial(NUMBER)
            assert (one.trunk, two.trunk) == ("first", "second")
            with pytest.raises(UndiallableError, match="first: all channels in use; second: all channels in use"):
                await line.dial(NUMBER)
            waiting = asyncio.create_task(line.dial(NUMBER))
            await until(Answered, one)
            await one.hang_up()
            assert (await waiting).trunk == "first"
            with pytest.raises(UndiallableError, match="there is no trunk 'third'"):
                await line.dial(NUMBER, trunk="third")


async def test_a_call_over_a_named_trunk_goes_over_no_other() -> None:
    async with (
        carriers(refuse(500), answer) as (first, second),
        line_over([first.trunk("first"), second.trunk("second")]) as line,
    ):
        ended = (await story(await line.dial(NUMBER, trunk="first")))[-1]
        assert isinstance(ended, Ended) and ended.status == 500 and second.taken == []


async def test_number_and_identity_as_the_trunk_wants_them() -> None:
    caller = CallerIdentity(("01012345678", "02112345678"), display="客服中心", domain="ims.example.net", asserted=True,
                            privacy="id", diversion="4001")  # fmt: skip
    async with carriers(answer) as (carrier,):
        wanted = carrier.trunk("carrier", caller=caller, numbers=NumberFormat(Shape.NATIONAL, prefix="9"))
        async with line_over([wanted]) as line:
            leg = await line.dial(NUMBER, caller_id="02112345678")
            await until(Answered, leg)
            assert leg.remote.startswith("sip:913800138000@127.0.0.1")
            assert leg.local == "sip:02112345678@ims.example.net"
            assert "客服中心" in carrier.header("From")
            assert carrier.header("P-Asserted-Identity") == "<sip:02112345678@ims.example.net>"
            assert carrier.header("Privacy") == "id"
            assert carrier.header("Diversion").startswith("<sip:4001@ims.example.net>")
            await leg.hang_up()


@pytest.mark.parametrize("digest", ["MD5", "SHA-256"])
async def test_the_password_opens_a_trunk_and_a_wrong_one_goes_to_the_next(digest: Literal["MD5", "SHA-256"]) -> None:
    ours = Inbound((ipaddress.ip_network("127.0.0.1"),), Account("bot", "right"), digest)
    async with carriers(answer, answer) as (plain, spare):
        from tests.voicebot.telephony.carriers import Carrier

        guarded = Carrier(5, answer, trunks=[plain.trunk("us", inbound=ours)])
        await guarded.line.start()
        try:
            right = guarded.trunk("right", account=Account("bot", "right"), priority=1)
            wrong = guarded.trunk("wrong", account=Account("bot", "wrong"), priority=1)
            async with line_over([right]) as line:
                leg = await line.dial(NUMBER)
                await until(Answered, leg)
                await leg.hang_up()
                extension = await line.dial(f"sip:8001@127.0.0.1:{guarded.line.address[1]}")
                await until(Answered, extension)
                assert extension.local == "sip:bot@127.0.0.1" and extension.trunk is None
                await extension.hang_up()
            async with line_over([wrong, spare.trunk("spare")]) as line:
                leg = await line.dial(NUMBER)
                tried = await until(TrunkTried, leg)
                assert isinstance(tried, TrunkTried) and tried.status == 401
                await until(Answered, leg)
                await leg.hang_up()
        finally:
            await guarded.line.close()


async def test_a_registered_trunk_is_used_once_it_knows_us() -> None:
    async with registrar() as registers, carriers(answer) as (carrier,):
        to = Registering(f"sip:127.0.0.1:{registers.port}")
        good = carrier.trunk("good", account=Account("bot", "right"), registering=to)
        bad = carrier.trunk("bad", account=Account("bot", "wrong"), registering=to, priority=1)
        async with line_over([good, bad]) as line:
            leg = await line.dial(NUMBER)  # waits for the registration
            assert leg.trunk == "good"
            assert line.trunks.states["good"].registered is Registered.DONE
            assert any("sip:bot@127.0.0.1" in contact for contact in registers.contacts)
            await until(Answered, leg)
            await leg.hang_up()
            await eventually(lambda: line.trunks.states["bad"].registered is Registered.FAILED)
            assert "REGISTER: 401" in line.trunks.tallies["bad"].last_failure


async def test_a_registration_is_handed_from_line_to_line() -> None:
    async with registrar() as registers, carriers(answer) as (carrier,):
        to = Registering(f"sip:127.0.0.1:{registers.port}")
        trunk = carrier.trunk("good", account=Account("bot", "right"), registering=to)
        async with line_over([trunk], register=False) as one, line_over([trunk], register=False) as two:
            ours, others = (f":{line.address[1]}>" for line in (one, two))
            for _ in range(2):  # it is said every second
                one.registers("good", True)
                two.registers("good", False)
            await eventually(lambda: one.trunks.states["good"].registered is Registered.DONE)
            leg = await two.dial(NUMBER)
            await until(Answered, leg)
            await leg.hang_up()
            one.registers("good", False)
            one.registers("good", False)
            assert one.trunks.states["good"].registered is Registered.ELSEWHERE
            await eventually(lambda: ours in registers.contacts[-1] and "expires=0" in registers.contacts[-1])
            two.registers("good", True)
            await eventually(lambda: two.trunks.states["good"].registered is Registered.DONE)
            assert others in registers.contacts[-1]
            assert one.trunks.states["good"].registered is Registered.ELSEWHERE, "and it still places calls"
            await eventually(lambda: not one._care._leaving)
            one.registers("good", True)
            await eventually(lambda: one.trunks.states["good"].registered is Registered.DONE)


async def test_options_tell_whether_a_trunk_is_there() -> None:
    async with carriers(answer) as (carrier,), line_over([carrier.trunk("carrier", options_every_s=0.02)]) as line:
        states = line.trunks.states
        await eventually(lambda: states["carrier"].probes >= 3)
        assert states["carrier"].healthy
        carrier.open = False
        await eventually(lambda: not states["carrier"].healthy)
        assert line.trunks.choose() is None
        carrier.open = True
        await eventually(lambda: states["carrier"].healthy)
        assert line.trunks.choose() is not None


async def test_an_incoming_call_belongs_to_its_trunk() -> None:
    seen: list[tuple[str | None, str, str | None, int]] = []

    async def take(leg: CallLeg) -> None:
        seen.append((leg.trunk, leg.remote, line.script_of(leg), line.trunks.states["carrier"].running))
        await leg.answer()

    inbound = Inbound((ipaddress.ip_network("127.0.0.1"),), script="reception", called=(("95588", "vip"),))
    async with carriers(answer) as (carrier,):
        trunk = carrier.trunk("carrier", inbound=inbound)
        async with line_over([trunk], on_incoming=take) as line:
            port = line.address[1]
            for called in ("95588", "95599"):
                leg = carrier.line._agent.call(
                    f"sip:{called}@127.0.0.1:{port}",
                    from_uri="sip:anonymous@anonymous.invalid",
                    headers=[("P-Asserted-Identity", "<sip:+8613800138000@ims.example.net>")],
                )
                await until(Answered, SipLeg(leg))
                await leg.hangup()
            assert [row[:3] for row in seen] == [
                ("carrier", "sip:+8613800138000@ims.example.net", "vip"),
                ("carrier", "sip:+8613800138000@ims.example.net", "reception"),
            ]
            assert line.trunks.tallies["carrier"].inbound == 2
            await eventually(lambda: line.trunks.states["carrier"].running == 0)


async def test_a_stranger_is_not_let_in() -> None:
    async with carriers(answer) as (carrier,):
        elsewhere = Inbound((ipaddress.ip_network("198.51.100.0/24"),))
        async with line_over([carrier.trunk("carrier", inbound=elsewhere)]) as line:
            call = carrier.line._agent.call(f"sip:1@127.0.0.1:{line.address[1]}", from_uri="sip:2@127.0.0.1")
            ended = (await story(SipLeg(call)))[-1]
            assert isinstance(ended, Ended) and ended.status == 403


async def test_many_calls_leave_no_task_socket_or_channel_behind() -> None:
    answers = [answer, refuse(486), refuse(503), ring_then(603)]
    number = 0

    async def take(leg: SipLeg) -> None:
        nonlocal number
        number += 1
        await answers[number % len(answers)](leg)

    async def one(line: SipLine) -> None:
        leg = await line.dial(NUMBER)
        async for event in leg.events():
            if isinstance(event, Answered):
                await leg.hang_up()

    async with (
        carriers(take, take) as (first, second),
        line_over([first.trunk("first", calls_per_second=1000.0), second.trunk("second")]) as line,
    ):
        await one(line)
        tasks, sockets = len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))
        for _ in range(8):
            await asyncio.gather(*(one(line) for _ in range(10)))
            for state in line.trunks.states.values():
                line.trunks.rang(state.trunk)  # else three failures in a row would leave it alone
        await eventually(lambda: len(asyncio.all_tasks()) <= tasks)
        await eventually(lambda: len(os.listdir("/proc/self/fd")) <= sockets)
        assert {state.running for state in line.trunks.states.values()} == {0}
        assert not line._tasks
