"""Whole calls over real TCP and TLS connections on this machine: who connects, who is believed, what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sip import Call, CallState
from sip.events import Ended
from sip.message import Request, Response, parse_message
from sip.transport import Hop, TlsSettings
from sip.user_agent import UserAgent
from tests.sip.laboratory import answer_at_once
from tests.sip.transport.authority import Authority

HOST = "127.0.0.1"


class House:
    """User agents that are closed when the test is over, and the calls that came in."""

    def __init__(self) -> None:
        self.agents: list[UserAgent] = []
        self.incoming: list[Call] = []

    async def agent(self, takes: Callable[[Call], Awaitable[None]] = answer_at_once, **options: Any) -> UserAgent:
        def on_incoming(call: Call) -> Awaitable[None]:
            self.incoming.append(call)
            return takes(call)

        agent = UserAgent((HOST, 0), media_factory=None, on_incoming=on_incoming, **options)
        await agent.start()
        self.agents.append(agent)
        return agent


@pytest_asyncio.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    yield house
    await asyncio.gather(*(agent.close() for agent in house.agents))


async def until(condition: Callable[[], object], within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  real sockets: there is no event to wait for
            await asyncio.sleep(0.005)


async def ended(call: Call) -> Ended:
    async with asyncio.timeout(10):
        return [event async for event in call.events() if isinstance(event, Ended)][-1]


def tcp_uri(agent: UserAgent) -> str:
    return f"sip:bot@{HOST}:{agent.address[1]};transport=tcp"


async def test_a_call_over_tcp_uses_one_connection_and_says_so(house: House) -> None:
    callee, caller = await house.agent(tcp=True), await house.agent(tcp=True)
    call = caller.call(tcp_uri(callee), from_uri="sip:me@example.com")
    await until(lambda: call.state is CallState.CONFIRMED and house.incoming)
    invite = caller.trace.rungs(call.id)[0].message
    assert invite.via.transport == "TCP" and invite.contact and invite.contact.uri.parameter("transport") == "tcp"
    await call.hangup()
    await until(lambda: house.incoming[0].state is CallState.ENDED)
    rungs = caller.trace.rungs(call.id)
    assert all(rung.peer.protocol == "TCP" for rung in rungs)
    sent = [str(rung.message.cseq) for rung in rungs if rung.sent]
    assert sent == ["1 INVITE", "1 ACK", "2 BYE"], "on TCP nothing is sent twice"


async def test_the_callee_hangs_up_over_its_own_connection(house: House) -> None:
    callee, caller = await house.agent(tcp=True), await house.agent(tcp=True)
    call = caller.call(tcp_uri(callee), from_uri="sip:me@example.com")
    await until(lambda: call.state is CallState.CONFIRMED)
    await house.incoming[0].hangup()
    assert (await ended(call)).by == "remote"


async def test_nobody_listens_there_and_the_call_fails_at_once(house: House) -> None:
    caller, gone = await house.agent(tcp=True), await house.agent(tcp=True)
    uri = tcp_uri(gone)
    await gone.close()
    end = await ended(caller.call(uri, from_uri="sip:me@example.com"))
    assert (end.by, end.status) == ("error", 503)


async def test_a_transport_that_is_switched_off_is_named(house: House) -> None:
    caller = await house.agent()
    end = await ended(caller.call("sip:a@127.0.0.1;transport=tcp", from_uri="sip:me@example.com"))
    assert end.by == "error" and "TCP" in end.reason


async def test_a_large_invite_goes_by_tcp_and_by_udp_where_there_is_none(house: House) -> None:
    caller = await house.agent(tcp=True)
    for options, protocol in (({"tcp": True}, "TCP"), ({}, "UDP")):
        callee = await house.agent(**options)
        headers = [("X-Case", "9" * 1400)]
        call = caller.call(f"sip:bot@{HOST}:{callee.address[1]}", from_uri="sip:me@example.com", headers=headers)
        await until(lambda call=call: call.state is CallState.CONFIRMED)
        assert [rung.peer.protocol for rung in caller.trace.rungs(call.id) if not rung.sent][-1] == protocol
        await call.hangup()


class RawClient:
    """A TCP peer that sends bytes and reads messages."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, agent: UserAgent) -> RawClient:
        return cls(*await asyncio.open_connection(HOST, agent.address[1]))

    def options(self, number: int) -> bytes:
        return (
            f"OPTIONS sip:bot@{HOST} SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.7:5060;branch=z9hG4bK{number}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:raw@192.0.2.7>;tag=r\r\nTo: <sip:bot@{HOST}>\r\nCall-ID: raw{number}\r\n"
            f"CSeq: {number} OPTIONS\r\nContent-Length: 0\r\n\r\n"
        ).encode()

    async def answer(self) -> Response:
        async with asyncio.timeout(3):
            head = await self.reader.readuntil(b"\r\n\r\n")
        message = parse_message(head)
        assert not isinstance(message, Request)
        return message


async def test_answers_return_on_the_connection_of_the_request(house: House) -> None:
    peer = await RawClient.connect(await house.agent(tcp=True))
    peer.writer.write(b"\r\n\r\n" + peer.options(1) + peer.options(2)[:50])
    assert await peer.reader.readexactly(2) == b"\r\n", "a ping wants its pong"
    assert (await peer.answer()).cseq.number == 1
    peer.writer.write(peer.options(2)[50:])
    assert (await peer.answer()).cseq.number == 2
    peer.writer.close()


async def test_many_messages_in_one_piece_are_all_answered(house: House) -> None:
    peer = await RawClient.connect(await house.agent(tcp=True))
    peer.writer.write(b"".join(map(peer.options, range(1, 101))))
    assert [(await peer.answer()).cseq.number for _ in range(100)] == list(range(1, 101))
    peer.writer.close()


@pytest.mark.parametrize(
    "lie", [b"OPTIONS sip:a SIP/2.0\r\n\r\n", b"A: b\r\nContent-Length: 99999\r\n\r\n", b"x" * 70_000]
)
async def test_a_connection_that_can_not_be_cut_is_closed_and_harms_no_other(house: House, lie: bytes) -> None:
    agent = await house.agent(tcp=True)
    liar, honest = await RawClient.connect(agent), await RawClient.connect(agent)
    liar.writer.write(lie)
    async with asyncio.timeout(3):
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await liar.reader.readexactly(1)
    honest.writer.write(honest.options(1))
    assert (await honest.answer()).status == 200
    honest.writer.close()


async def test_a_request_that_a_dying_connection_swallowed_is_sent_again_once(house: House) -> None:
    """No timer repeats it on TCP, so the connection's end has to (and a second loss is a failure)."""
    heard: list[bytes] = []

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    server = await asyncio.start_server(swallow, HOST, 0)
    caller = await house.agent(tcp=True)
    port = server.sockets[0].getsockname()[1]
    end = await ended(caller.call(f"sip:x@{HOST}:{port};transport=tcp", from_uri="sip:me@example.com"))
    assert len(heard) == 2 and len({parse_message_head(data) for data in heard}) == 1, "the same INVITE"
    assert (end.by, end.status) == ("error", 503)
    server.close()


def parse_message_head(data: bytes) -> str:
    return parse_message(data.replace(b"Content-Length:", b"X-Length:")).via.branch


async def test_an_idle_connection_that_was_closed_is_opened_again(house: House) -> None:
    callee, caller = await house.agent(tcp=True), await house.agent(tcp=True)
    assert await caller.options(tcp_uri(callee), 3) == 200
    for connection in set(callee._transport.stream("TCP")._connections.values()):  # type: ignore[union-attr]
        connection.close()
    await asyncio.sleep(0.05)
    assert await caller.options(tcp_uri(callee), 3) == 200


# TLS -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


async def tls_pair(house: House, server: TlsSettings, client: TlsSettings) -> Call:
    callee = await house.agent(tls=server)
    caller = await house.agent(tls=client)
    port = callee._transport.stream("TLS").address[1]  # type: ignore[union-attr]
    return caller.call(f"sip:bot@{HOST}:{port};transport=tls", from_uri="sip:me@example.com")


async def test_a_call_over_tls(house: House, authority: Authority) -> None:
    certificate, key = authority.sign("server", HOST)
    server = TlsSettings(certificate, key, authority.path)
    call = await tls_pair(house, server, TlsSettings(certificate, key, authority.path))
    await until(lambda: call.state is CallState.CONFIRMED)
    await call.hangup()
    await until(lambda: house.incoming[0].state is CallState.ENDED)


async def test_a_sips_call_has_sips_contacts_and_ends_over_tls(house: House, authority: Authority) -> None:
    certificate, key = authority.sign("sips", HOST)
    settings = TlsSettings(certificate, key, authority.path)
    callee, caller = await house.agent(tls=settings), await house.agent(tls=settings)
    port = callee._transport.stream("TLS").address[1]  # type: ignore[union-attr]
    call = caller.call(f"sips:bot@{HOST}:{port}", from_uri="sips:me@example.com")
    await until(lambda: call.state is CallState.CONFIRMED)
    contacts = [rung.message.contact for rung in caller.trace.rungs(call.id) if rung.message.contact is not None]
    assert {contact.uri.scheme for contact in contacts} == {"sips"}
    await house.incoming[0].hangup()
    assert (await ended(call)).by == "remote"
    assert {rung.peer.protocol for rung in caller.trace.rungs(call.id)} == {"TLS"}


async def test_mutual_tls_wants_a_certificate_of_the_caller(house: House, authority: Authority) -> None:
    certificate, key = authority.sign("mutual", HOST)
    server = TlsSettings(certificate, key, authority.path, client_certificate=True)
    refused = await tls_pair(house, server, TlsSettings(authorities=authority.path))
    assert (await ended(refused)).status == 503
    call = await tls_pair(house, server, TlsSettings(certificate, key, authority.path))
    await until(lambda: call.state is CallState.CONFIRMED)


@pytest.mark.parametrize("subject", ["192.0.2.1", "example.com", "sip:127.0.0.1"])
async def test_a_certificate_for_somebody_else_is_not_believed(
    house: House, authority: Authority, subject: str
) -> None:
    certificate, key = authority.sign("other", subject)
    call = await tls_pair(house, TlsSettings(certificate, key), TlsSettings(authorities=authority.path))
    assert (await ended(call)).status == 503 and house.incoming == []


async def test_a_hop_without_a_name_is_held_to_its_address(house: House, authority: Authority) -> None:
    certificate, key = authority.sign("nameless", "example.com")
    callee = await house.agent(tls=TlsSettings(certificate, key))
    caller = await house.agent(tls=TlsSettings(authorities=authority.path))
    hop = Hop("TLS", *callee._transport.stream("TLS").address)  # type: ignore[union-attr]
    end = await ended(caller.call("sip:bot@example.com", from_uri="sip:me@example.com", via=hop))
    assert end.status == 503 and house.incoming == []
    named = caller.call("sip:bot@example.com", from_uri="sip:me@example.com", via=hop._replace(name="example.com"))
    await until(lambda: named.state is CallState.CONFIRMED)


async def test_a_strange_authority_is_believed_only_when_nothing_is_verified(
    house: House, authority: Authority, tmp_path: Path
) -> None:
    certificate, key = Authority(tmp_path, "strange").sign("strange server", HOST)
    server = TlsSettings(certificate, key)
    assert (await ended(await tls_pair(house, server, TlsSettings(authorities=authority.path)))).status == 503
    call = await tls_pair(house, server, TlsSettings(verify=False))
    await until(lambda: call.state is CallState.CONFIRMED)
