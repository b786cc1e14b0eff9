"""Kamailio as registrar and as the edge that speaks TLS: we register there, and are called through it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sip.auth import Credentials
from sip.registration import RegistrationState
from sip.transport import Hop

from .baresip import OVER
from .certificate import Certificate
from .kamailio import DOMAIN, kamailio
from .peers import requires
from .station import station, with_tls
from .test_kamailio import BOT, OURS_HZ, PHONES, THEIRS_HZ, phone_of_alice

pytestmark = requires("kamailio", "baresip", "openssl")
BOT_URI = f"sip:bot@{DOMAIN}"



async def test_we_register_and_are_called(tmp_path: Path) -> None:
    async with kamailio(tmp_path, PHONES) as proxy, station(OURS_HZ) as ours:
        trunk = ours.agent.register(f"sip:{DOMAIN}", aor=BOT_URI, credentials=BOT, expires_s=60, via=proxy.address)
        assert await trunk.wait(30)
        assert trunk.expires_s == 60 and trunk.seen_as == ("127.0.0.1", ours.port)
        async with phone_of_alice(tmp_path, proxy) as alice:
            await alice.says("200 OK")
            await alice.tell("dial", BOT_URI)
            talk = await ours.call()
            await talk.answered()
            await talk.hears(THEIRS_HZ, 600)
            await talk.call.hangup()
            await alice.says(OVER)
            await trunk.stop()
            await alice.tell("dial", BOT_URI)
            await alice.says("503")  # nobody of that name any more, and no worker either
        assert trunk.state is RegistrationState.STOPPED


async def test_a_registration_is_renewed_in_time(tmp_path: Path) -> None:
    async with kamailio(tmp_path, PHONES) as proxy, station(OURS_HZ) as ours:
        trunk = ours.agent.register(f"sip:{DOMAIN}", aor=BOT_URI, credentials=BOT, expires_s=4, via=proxy.address)
        assert await trunk.wait(30)
        async with phone_of_alice(tmp_path, proxy) as alice:
            await asyncio.sleep(6)
            await alice.tell("dial", BOT_URI)
            await (await ours.call()).answered()


async def test_a_wrong_password_fails_and_says_so(tmp_path: Path) -> None:
    async with kamailio(tmp_path, PHONES) as proxy, station(OURS_HZ) as ours:
        wrong = Credentials("bot", "falsch")
        trunk = ours.agent.register(f"sip:{DOMAIN}", aor=BOT_URI, credentials=wrong, via=proxy.address)
        assert not await trunk.wait(5)
        assert (trunk.state, trunk.status) == (RegistrationState.FAILED, 401)


async def test_we_register_over_tls_and_are_called_from_udp(tmp_path: Path) -> None:
    """The edge changes the transport: TLS with SRTP keys in the clear nowhere but between us and it."""
    certificate = Certificate(tmp_path)
    async with (
        kamailio(tmp_path, PHONES, certificate=certificate) as proxy,
        station(OURS_HZ, **with_tls(certificate)) as ours,
        phone_of_alice(tmp_path, proxy) as alice,
    ):
        edge = Hop("TLS", "127.0.0.1", proxy.tls_port, "127.0.0.1")
        trunk = ours.agent.register(f"sip:{DOMAIN}", aor=BOT_URI, credentials=BOT, expires_s=60, via=edge)
        assert await trunk.wait(30)
        await alice.says("200 OK")
        await alice.tell("dial", BOT_URI)
        talk = await ours.call()
        await talk.answered()
        await talk.hears(THEIRS_HZ, 600)
        await alice.tell("hangup")
        assert (await talk.ended()).by == "remote"
        out = ours.dial(f"sip:alice@{DOMAIN}", from_uri=BOT_URI, credentials=BOT, via=edge)
        await out.answered()
        await out.hears(THEIRS_HZ, 600)
        await out.call.hangup()
        await alice.says(OVER)
