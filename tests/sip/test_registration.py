"""Registration on virtual time: challenges, refreshes, refusals, silence, and the way out."""

from __future__ import annotations

import asyncio
import random

import looptime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip import Credentials, Hop, Registration, RegistrationState
from sip.auth import parse_digest
from sip.message import Request
from sip.testing import ScriptedPeer, SimNetwork
from tests.sip.laboratory import Laboratory

pytestmark = pytest.mark.looptime
CHALLENGE = 'Digest realm="r", nonce="{}", qop="auth", algorithm={}'


async def registering(lab: Laboratory, **options: object) -> tuple[ScriptedPeer, Registration, Request]:
    agent = await lab.agent(chance=random.Random(1))
    peer = lab.peer()
    registration = agent.register(
        "sip:192.0.2.99",
        aor="sip:bot@bank.example",
        credentials=Credentials("bot", "secret4"),
        **options,  # type: ignore[arg-type]
    )
    return peer, registration, await peer.request("REGISTER")


def grant(peer: ScriptedPeer, register: Request, expires: int = 300, **options: object) -> None:
    contact = register.contact
    assert contact is not None
    peer.reply(register, 200, headers=[("Contact", f"<{contact.uri}>;expires={expires}")], **options)  # type: ignore[arg-type]


def clock() -> float:
    return asyncio.get_running_loop().time()


async def test_registers_refreshes_and_takes_itself_out(lab: Laboratory) -> None:
    peer, registration, first = await registering(lab)
    assert registration.state is RegistrationState.REGISTERING and registration.status is None
    assert str(first.uri) == "sip:192.0.2.99" and str(first.to.uri) == "sip:bot@bank.example" and first.to.tag is None
    assert first.contact is not None and str(first.contact.uri) == "sip:bot@192.0.2.1:5060"
    assert first.headers.get("Expires") == "300"
    grant(peer, first, 120)
    assert await registration.wait(5)
    assert (registration.status, registration.expires_s) == (200, 120)
    assert registration.contact == "sip:bot@192.0.2.1:5060"
    for _ in range(3):
        began = clock()
        refresh = await peer.request("REGISTER", within_s=100)
        assert 59 <= clock() - began <= 91
        assert refresh.call_id == first.call_id and refresh.cseq.number > first.cseq.number
        assert refresh.from_.tag == first.from_.tag
        grant(peer, refresh, 120)
    stopping = asyncio.gather(registration.stop(), registration.stop())
    last = await peer.request("REGISTER")
    assert last.headers.get("Expires") == "0" and (last.headers.get("Contact") or "").endswith(";expires=0")
    peer.reply(last, 200)
    await stopping
    assert registration.state is RegistrationState.STOPPED and registration.contact is None
    with pytest.raises(TimeoutError):
        await peer.request("REGISTER", within_s=1000)


@pytest.mark.parametrize(("status", "field"), [(401, "WWW-Authenticate"), (407, "Proxy-Authenticate")])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_challenges_are_answered(lab: Laboratory, status: int, field: str, algorithm: str) -> None:
    peer, registration, first = await registering(lab)
    peer.reply(first, status, headers=[(field, CHALLENGE.format("n1", algorithm))])
    second = await peer.request("REGISTER")
    answer = parse_digest(second.headers.get(field.replace("WWW-Authenticate", "Authorization")
                                             .replace("Proxy-Authenticate", "Proxy-Authorization")) or "")  # fmt: skip
    assert (answer["username"], answer["uri"], answer["nc"]) == ("bot", "sip:192.0.2.99", "00000001")
    assert second.cseq.number == first.cseq.number + 1 and second.via.branch != first.via.branch
    grant(peer, second)
    assert await registration.wait(5)
    refresh = await peer.request("REGISTER", within_s=300)
    # The nonce is used again, counted; an old one is replaced without giving up, stale or not.
    assert "nc=00000002" in str(list(refresh.headers))
    peer.reply(refresh, status, headers=[(field, CHALLENGE.format("n2", algorithm))])
    third = await peer.request("REGISTER")
    assert '"n2"' in str(list(third.headers))
    grant(peer, third)
    await asyncio.sleep(1)
    assert registration.state is RegistrationState.REGISTERED


async def test_a_stale_nonce_is_replaced(lab: Laboratory) -> None:
    peer, registration, register = await registering(lab)
    for nonce in ("n1", "n2"):
        stale = "" if nonce == "n1" else ", stale=true"
        peer.reply(register, 401, headers=[("WWW-Authenticate", CHALLENGE.format(nonce, "MD5") + stale)])
        register = await peer.request("REGISTER")
    grant(peer, register)
    assert await registration.wait(5)


async def test_a_wrong_password_is_said_once_and_not_hammered(lab: Laboratory) -> None:
    peer, registration, register = await registering(lab)
    for nonce in ("n1", "n2"):
        peer.reply(register, 401, headers=[("WWW-Authenticate", CHALLENGE.format(nonce, "MD5"))])
        register = await peer.request("REGISTER") if nonce == "n1" else register
    assert not await registration.wait(5)
    assert (registration.state, registration.status) == (RegistrationState.FAILED, 401)
    with pytest.raises(TimeoutError):
        await peer.request("REGISTER", within_s=55)
    again = await peer.request("REGISTER")
    grant(peer, again)
    await asyncio.sleep(1)
    assert registration.state is RegistrationState.REGISTERED


async def test_423_asks_for_more(lab: Laboratory) -> None:
    peer, registration, register = await registering(lab, expires_s=60)
    peer.reply(register, 423, headers=[("Min-Expires", "1800")])
    register = await peer.request("REGISTER")
    assert register.headers.get("Expires") == "1800"
    peer.reply(register, 200, headers=[("Expires", "1800")])
    assert await registration.wait(5) and registration.expires_s == 1800


@pytest.mark.parametrize("least", ["", "x", "-1", "1", "99999999999999"])
async def test_423_that_makes_no_sense_is_a_refusal(lab: Laboratory, least: str) -> None:
    peer, registration, register = await registering(lab)
    peer.reply(register, 423, headers=[("Min-Expires", least)])
    assert not await registration.wait(5) and registration.status == 423


async def test_retry_after_is_respected_and_pauses_grow(lab: Laboratory) -> None:
    peer, registration, register = await registering(lab)
    peer.reply(register, 503, headers=[("Retry-After", "100")])
    began = clock()
    register = await peer.request("REGISTER", within_s=150)
    assert clock() - began >= 99
    pauses = []
    for _ in range(8):
        peer.reply(register, 503)
        began = clock()
        register = await peer.request("REGISTER", within_s=400)
        pauses.append(clock() - began)
    assert pauses[0] < 20 and max(pauses) <= 301 and pauses[-1] >= 150
    assert registration.state is RegistrationState.FAILED and registration.status == 503


async def test_silence_is_408_and_tried_again(lab: Laboratory) -> None:
    peer, registration, first = await registering(lab)
    assert not await registration.wait(40) and registration.status == 408
    while (again := await peer.request("REGISTER")).cseq == first.cseq:
        pass
    grant(peer, again)
    await asyncio.sleep(1)
    assert registration.state is RegistrationState.REGISTERED


async def test_changes_are_told(lab: Laboratory) -> None:
    peer, registration, register = await registering(lab)
    told: list[tuple[str, int | None]] = []
    registration.on_change = lambda one: told.append((one.state.value, one.status))
    grant(peer, register, 100)
    peer.reply(await peer.request("REGISTER", within_s=100), 500)
    grant(peer, await peer.request("REGISTER"), 100)
    grant(peer, await peer.request("REGISTER", within_s=100), 100)  # no news
    await asyncio.sleep(1)
    assert told == [("registered", 200), ("failed", 500), ("registered", 200)]


async def test_our_own_contact_among_others(lab: Laboratory) -> None:
    peer, registration, register = await registering(lab)
    contacts = "<sip:bot@203.0.113.5:5060>;expires=30, <sip:bot@192.0.2.1:5060>;expires=77;q=1"
    response = register.reply(200, headers=[("Contact", contacts), ("Expires", "999")])
    peer.send(response, ("192.0.2.1", 5060))
    assert await registration.wait(5) and registration.expires_s == 77


async def test_the_address_the_registrar_sees_is_noted_and_the_path_kept_open(lab: Laboratory) -> None:
    agent = await lab.agent()
    kept: list[bytes] = []
    peer = lab.peer()
    registration = agent.register("sip:192.0.2.99", aor="sip:bot@bank.example", credentials=None,
                                  via=Hop("UDP", "192.0.2.99", 5060))  # fmt: skip
    register = await peer.request("REGISTER")
    lab.network.detach(peer.address)
    lab.network.attach(peer.address, lambda data, source: kept.append(data))
    via = str(register.via).replace(";rport", ";received=203.0.113.7;rport=40123")
    response = register.reply(200, headers=[("Expires", "3600")])
    peer.send(response.__class__(200, "OK", response.headers.with_("Via", via)), agent.address)
    assert await registration.wait(5) and registration.seen_as == ("203.0.113.7", 40123)
    await asyncio.sleep(100)
    assert kept and all(data == b"\r\n\r\n" for data in kept)
    lab.network.loss = 1.0


async def test_several_at_once_and_closing_takes_all_out(lab: Laboratory) -> None:
    agent = await lab.agent()
    peers = [lab.peer(f"192.0.2.{n}") for n in (50, 51, 52)]
    registrations = [
        agent.register(f"sip:{peer.address[0]}", aor=f"sip:bot{n}@bank.example", credentials=None)
        for n, peer in enumerate(peers)
    ]
    for peer in peers:
        grant(peer, await peer.request("REGISTER"))
    assert all([await one.wait(5) for one in registrations])
    closing = asyncio.ensure_future(agent.close())
    for peer in peers:
        peer.reply(await peer.request("REGISTER"), 200)
    await closing
    assert {one.state for one in registrations} == {RegistrationState.STOPPED}
    lab.agents.clear()


async def test_stopping_does_not_wait_for_a_dead_registrar(lab: Laboratory) -> None:
    peer, registration, register = await registering(lab)
    grant(peer, register)
    await registration.wait(5)
    lab.network.loss = 1.0
    began = clock()
    await registration.stop()
    assert clock() - began <= 3 and registration.state is RegistrationState.STOPPED


async def test_stopping_before_the_first_answer(lab: Laboratory) -> None:
    peer, registration, register = await registering(lab)
    await registration.stop()
    grant(peer, register)
    await asyncio.sleep(100)
    assert registration.state is RegistrationState.STOPPED and len(peer.heard) == 1


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([100, 200, 200, 301, 401, 403, 408, 423, 480, 500, 503, 600, 0]),
            st.integers(0, 150),
            st.sampled_from(["n1", "n2"]),
        ),
        max_size=4,
    ),
    st.integers(0, 3),
    st.integers(0, 2**32),
)
def test_any_registrar_is_neither_hammered_nor_forgotten(
    script: list[tuple[int, int, str]], lost: int, seed: int
) -> None:
    """Whatever it answers: requests stay rare, a patient registrar is found again, and stop leaves nothing."""
    with asyncio.Runner(loop_factory=lambda: looptime.patch_event_loop(asyncio.new_event_loop())) as runner:
        runner.run(_play(script, lost, seed))


async def _play(script: list[tuple[int, int, str]], lost: int, seed: int) -> None:
    lab = Laboratory(SimNetwork(loss=lost / 10, delay_s=0.02, jitter_s=0.1, seed=seed))
    agent, peer = await lab.agent(chance=random.Random(seed)), lab.peer()
    answers = iter(script)

    async def serve() -> None:
        answered: dict[str, tuple[int, int, str]] = {}
        while True:
            register = await peer.request("REGISTER", within_s=100_000)
            status, number, nonce = answered.setdefault(register.via.branch, next(answers, (200, 100, "")))
            fields = [("Expires", str(number)), ("Min-Expires", str(number)), ("Retry-After", str(number))]
            fields += [("WWW-Authenticate", CHALLENGE.format(nonce, "MD5"))] if status == 401 else []
            if status:
                peer.send(register.reply(status, headers=fields), agent.address)

    serving = asyncio.ensure_future(serve())
    registration = agent.register("sip:192.0.2.99", aor="sip:b@c", credentials=Credentials("b", "p"))
    await asyncio.sleep(1800)
    branches = {message.via.branch for message, _ in peer.heard}
    assert len(branches) <= 1800 / 45 + 30
    assert registration.state is RegistrationState.REGISTERED
    await registration.stop()
    serving.cancel()
    await asyncio.sleep(100)
    assert not agent._running._outgoing
    await agent.close()
