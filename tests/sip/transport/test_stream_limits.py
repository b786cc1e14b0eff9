"""Peers that are slow, silent, deaf or too many lose their connections, and nobody else does."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from sip.transport.base import Hop
from sip.transport.stream import StreamLimits, StreamTransport

HOST = "127.0.0.1"


PATIENCE = StreamLimits(connections=6, per_source=4, connect_s=0.5, first_message_s=0.3, message_s=0.3, idle_s=1.5)
OPTIONS = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"


class Station:
    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.lost: list[tuple[Hop, bool]] = []
        self.transport = StreamTransport("TCP", limits=PATIENCE)

    async def start(self) -> Station:
        await self.transport.start(
            (HOST, 0), lambda data, hop: self.heard.append(data), lambda hop, opened: self.lost.append((hop, opened))
        )
        return self

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self.transport.address)


@pytest_asyncio.fixture
async def station() -> AsyncIterator[Station]:
    station = await Station().start()
    yield station
    await station.transport.close()


async def closed(reader: asyncio.StreamReader, within_s: float = 5.0) -> float:
    """Seconds until the other side has closed."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    async with asyncio.timeout(within_s):
        with contextlib.suppress(ConnectionError):
            while await reader.read(1000):
                pass
    return loop.time() - start


async def test_who_says_nothing_or_stops_midway_is_dropped_and_who_finished_may_be_idle(station: Station) -> None:
    silent, midway, done = [await station.connect() for _ in range(3)]
    midway[1].write(OPTIONS[:-1])
    done[1].write(OPTIONS)
    silent_s, midway_s, done_s = await asyncio.gather(closed(silent[0]), closed(midway[0]), closed(done[0]))
    assert station.heard == [OPTIONS]
    assert max(silent_s, midway_s) < done_s and done_s > PATIENCE.idle_s
    await asyncio.sleep(0)
    assert station.transport.connections == 0 and not station.transport._inbound


async def test_a_message_that_drips_in_is_not_waited_for(station: Station) -> None:
    reader, writer = await station.connect()
    dripping = asyncio.ensure_future(_drip(writer))
    assert await closed(reader) < 3
    dripping.cancel()
    assert station.heard == []


async def _drip(writer: asyncio.StreamWriter) -> None:
    for byte in OPTIONS * 10:
        writer.write(bytes([byte]))
        await asyncio.sleep(0.1)


async def test_keep_alives_keep_a_connection(station: Station) -> None:
    reader, writer = await station.connect()
    writer.write(OPTIONS)
    for _ in range(5):
        await asyncio.sleep(0.5)
        writer.write(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"\r\n"
    writer.close()


async def test_one_source_has_so_many_connections_and_gets_them_back(station: Station) -> None:
    first = [await station.connect() for _ in range(PATIENCE.per_source)]
    reader, _ = await station.connect()
    assert await closed(reader) < PATIENCE.first_message_s
    assert station.transport.refused == 1
    first[0][1].close()
    await asyncio.sleep(0.1)
    _, writer = await station.connect()
    writer.write(OPTIONS)
    await asyncio.sleep(0.1)
    assert station.heard == [OPTIONS]
    writer.close()


async def test_when_all_places_are_taken_the_quietest_peer_leaves(station: Station) -> None:
    station.transport.limits = replace(PATIENCE, connections=3)
    peers = []
    for _ in range(3):
        peers.append(await station.connect())
        peers[-1][1].write(OPTIONS)
        await asyncio.sleep(0.05)
    peers[0][1].write(OPTIONS)
    await asyncio.sleep(0.05)
    _, newcomer = await station.connect()
    newcomer.write(OPTIONS)
    assert await closed(peers[1][0]) < 0.5
    await asyncio.sleep(0.05)
    assert len(station.heard) == 5 and station.transport.connections == 3
    for _, writer in (*peers, (None, newcomer)):
        writer.close()


async def test_a_deaf_peer_is_dropped_before_it_costs_memory(station: Station) -> None:
    listener = socket.create_server((HOST, 0))
    hop = Hop("TCP", *listener.getsockname())
    station.transport.send(OPTIONS, hop)
    await asyncio.sleep(0.1)
    with pytest.raises(OSError):
        for _ in range(2000):
            station.transport.send(b"x" * 10_000, hop)
            if not station.transport.has(hop):
                raise OSError("dropped")
            await asyncio.sleep(0)
    listener.close()
    assert station.lost[-1] == (hop, True)


async def test_a_connection_that_never_stands_is_reported_in_time(station: Station) -> None:
    listener = socket.socket()
    listener.bind((HOST, 0))
    listener.listen(0)
    fillers = [socket.socket() for _ in range(3)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
    hop = Hop("TCP", *listener.getsockname())
    station.transport.send(OPTIONS, hop)
    async with asyncio.timeout(3):
        while not station.lost:  # noqa: ASYNC110  a real socket
            await asyncio.sleep(0.02)
    assert station.lost == [(hop, False)] and not station.transport.has(hop)
    for each in (listener, *fillers):
        each.close()


async def test_an_alias_sends_requests_back_by_the_peer_s_own_connection(station: Station) -> None:
    reader, writer = await station.connect()
    writer.write(OPTIONS)
    await asyncio.sleep(0.1)
    source = Hop("TCP", *writer.get_extra_info("sockname"))
    station.transport.alias(source, 5060)
    station.transport.send(b"to the alias", Hop("TCP", HOST, 5060))
    assert await reader.readexactly(12) == b"to the alias"
    writer.close()


async def test_nothing_stays_behind(station: Station) -> None:
    pairs = [await station.connect() for _ in range(3)]
    station.transport.send(OPTIONS, Hop("TCP", *station.transport.address))
    await asyncio.sleep(0.05)
    await station.transport.close()
    assert [await closed(reader) for reader, _ in pairs]
    await asyncio.sleep(0.05)
    assert station.transport.connections == 0
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not task.done()]
