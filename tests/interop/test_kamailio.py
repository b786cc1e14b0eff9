"""Behind and through Kamailio: 407, recorded routes, and a dispatcher that spares a worker which drains."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sip.auth import Credentials
from sip.message import Request

from .baresip import OVER, baresip
from .kamailio import DOMAIN, Kamailio, kamailio
from .peers import requires
from .sipp import ANSWERED, ack, bye, invite, pause, recv, refused_ack, reply, sdp, sipp
from .station import station

pytestmark = requires("kamailio")
PHONES = {"alice": "geheim", "bot": "streng"}
BOT = Credentials("bot", "streng")
OURS_HZ, THEIRS_HZ = 440, 1000


def phone_of_alice(folder: Path, proxy: Kamailio):  # type: ignore[no-untyped-def]
    account = "auth_user=alice;auth_pass=geheim;answermode=auto"
    return baresip(folder, THEIRS_HZ, account, registrar=DOMAIN, outbound=f"sip:127.0.0.1:{proxy.port}", user="alice")


@requires("baresip")
@pytest.mark.parametrize("ends", ["we", "they"])
async def test_we_call_through_407_and_a_recorded_route(tmp_path: Path, ends: str) -> None:
    async with kamailio(tmp_path, PHONES) as proxy, phone_of_alice(tmp_path, proxy) as alice, station(OURS_HZ) as ours:
        await alice.says("200 OK")
        talk = ours.dial(proxy.aor("alice"), from_uri=f"sip:bot@{DOMAIN}", credentials=BOT, via=proxy.address)
        await talk.answered()
        await talk.hears(THEIRS_HZ, 600)
        await alice.hears(OURS_HZ, 1000)
        trace = "\n".join(str(step) for step in ours.agent.trace.rungs(talk.call.id))
        assert "407" in trace
        assert talk.call.dialog is not None and talk.call.dialog.routes
        if ends == "we":
            await talk.call.hangup()
            await alice.says(OVER)
        else:
            await alice.tell("hangup")
            assert (await talk.ended()).by == "remote"


@requires("baresip")
async def test_a_wrong_password_is_not_tried_for_ever(tmp_path: Path) -> None:
    async with kamailio(tmp_path, PHONES) as proxy, station() as ours:
        wrong = Credentials("bot", "falsch")
        talk = ours.dial(proxy.aor("alice"), from_uri=f"sip:bot@{DOMAIN}", credentials=wrong, via=proxy.address)
        assert (await talk.ended()).status == 407


class Door:
    """A worker's admission: None lets calls in, 503 sends them to the next worker."""

    def __init__(self) -> None:
        self.status: int | None = None

    def judge(self, source: tuple[str, int], request: Request) -> int | None:
        return self.status


@requires("sipp")
async def test_the_dispatcher_spares_a_worker_that_drains(tmp_path: Path) -> None:
    steps = [invite(), *ANSWERED, ack(), pause(200), bye(), recv(200)]
    one, two = Door(), Door()
    async with station(allow=one.judge) as first, station(allow=two.judge) as second:
        workers = [first.uri, second.uri]
        async with kamailio(tmp_path, workers=workers, carrier_address="127.0.0.1") as proxy:
            async with sipp(tmp_path, steps, "-r", "20", target=proxy.port, calls=10, name="both") as carrier:
                await carrier.is_content()
            assert (len(first.talks), len(second.talks)) == (5, 5)
            one.status = 503
            async with sipp(tmp_path, steps, "-r", "20", target=proxy.port, calls=4, name="drain") as carrier:
                await carrier.is_content()  # at once, before any OPTIONS told it: 503 goes to the next worker
            assert (len(first.talks), len(second.talks)) == (5, 9)
            one.status = None
            await asyncio.sleep(2.5)
            async with sipp(tmp_path, steps, "-r", "20", target=proxy.port, calls=4, name="again") as carrier:
                await carrier.is_content()
            assert (len(first.talks), len(second.talks)) == (7, 11)


@requires("sipp")
async def test_the_dispatcher_spares_a_worker_that_is_gone(tmp_path: Path) -> None:
    steps = [invite(), *ANSWERED, ack(), pause(200), bye(), recv(200)]
    async with station() as second:
        async with station() as first:
            workers = [first.uri, second.uri]
            proxy = Kamailio(tmp_path, {}, workers, None, "127.0.0.1", None)
            await proxy.begin()
        try:
            async with sipp(tmp_path, steps, target=proxy.port, calls=3) as carrier:
                await carrier.is_content()
            assert len(second.talks) == 3
        finally:
            await proxy.stop()


@requires("sipp")
async def test_no_worker_left_is_said_with_a_time_to_come_back(tmp_path: Path) -> None:
    full = Door()
    full.status = 503
    steps = [invite(), recv(100, optional=True), recv(503, has="Retry-After: [0-9]+"), refused_ack()]
    async with (
        station(allow=full.judge) as worker,
        kamailio(tmp_path, workers=[worker.uri], carrier_address="127.0.0.1") as proxy,
    ):
        await asyncio.sleep(2.5)
        async with sipp(tmp_path, steps, target=proxy.port) as carrier:
            await carrier.is_content()
        assert not worker.talks


@requires("sipp", "baresip")
async def test_a_worker_rings_the_carrier_and_an_agent_s_phone_without_a_password(tmp_path: Path) -> None:
    rung = [recv("INVITE", has=r"INVITE sip:\+8613800138000@"), reply(180), reply(200, sdp(), repeats=True)]
    steps = [*rung, recv("ACK"), recv("BYE"), reply(200)]
    async with station(OURS_HZ) as worker, sipp(tmp_path, steps) as carrier:
        where = f"sip:127.0.0.1:{carrier.port}"
        async with kamailio(tmp_path, PHONES, [worker.uri], carrier=where) as proxy:
            talk = worker.dial(f"sip:+8613800138000@{DOMAIN}", via=proxy.address)
            await talk.answered()
            await talk.call.hangup()
            await carrier.is_content()
            async with phone_of_alice(tmp_path, proxy) as alice:
                await alice.says("200 OK")
                agent = worker.dial(f"sip:alice@{DOMAIN}", via=proxy.address)
                await agent.answered()
                assert "407" not in str(worker.agent.trace.ladder(agent.call.id))
