"""Connecting: a dead or unwilling server delays nobody, the order of the URL is kept, and nothing is left open."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.exc import OperationalError

from voicebot.store.connecting import connect, each_server, first
from voicebot.store.database import Database


class Link:
    def __init__(self) -> None:
        self.closed = False

    async def close(self) -> None:
        self.closed = True


def way(link: Link, after_s: float = 0.0, fails: str = "") -> Callable[[], Awaitable[Link]]:
    async def open_it() -> Link:
        await asyncio.sleep(after_s)
        if fails:
            raise psycopg.OperationalError(fails)
        return link

    return open_it


@pytest.mark.looptime
async def test_the_first_server_wins_when_it_answers_within_its_head_start() -> None:
    one, two = Link(), Link()
    assert await first([way(one, 0.2), way(two)], 0.3) is one


@pytest.mark.looptime
async def test_a_silent_server_costs_its_head_start_and_no_more() -> None:
    one, two = Link(), Link()
    began = asyncio.get_running_loop().time()
    assert await first([way(one, 60), way(two, 0.1)], 0.3) is two
    assert asyncio.get_running_loop().time() - began == pytest.approx(0.4)


@pytest.mark.looptime
async def test_a_server_that_refuses_costs_nothing() -> None:
    one, two = Link(), Link()
    began = asyncio.get_running_loop().time()
    assert await first([way(one, fails="refused"), way(two)], 0.3) is two
    assert asyncio.get_running_loop().time() == began


@pytest.mark.looptime
async def test_what_a_slower_server_opened_is_closed() -> None:
    one, two = Link(), Link()
    assert await first([way(one, 0.5), way(two, 0.2)], 0.3) is one
    assert two.closed and not one.closed


@pytest.mark.looptime
async def test_when_all_refuse_each_is_heard() -> None:
    with pytest.raises(psycopg.OperationalError, match=r"refused; read-only"):
        await first([way(Link(), fails="refused"), way(Link(), 0.2, fails="read-only")], 0.3)


def test_each_server_has_its_own_string() -> None:
    told = [conninfo_to_dict(one) for one in each_server("postgresql://u:p@one:1,two:2/d")]
    assert [(one["host"], one["port"], one["dbname"], one["target_session_attrs"]) for one in told] == [
        ("one", "1", "d", "read-write"), ("two", "2", "d", "read-write")]  # fmt: skip
    assert len(each_server("postgresql://u@/d?host=/run/pg")) == 1


@pytest.fixture
def silent() -> Iterator[int]:
    """A port of 127.0.0.1 that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def test_a_connection_past_a_silent_server(database_url: str, silent: int) -> None:
    given = conninfo_to_dict(each_server(database_url)[0])
    folder = str(given["host"]).replace("/", "%2F")
    url = f"postgresql://{given['user']}@127.0.0.1:{silent},{folder}:{given.get('port', 5432)}/{given['dbname']}"
    connection = await connect(url, autocommit=True)
    async with connection:
        row = await (await connection.execute("SHOW transaction_read_only")).fetchone()
    assert row == ("off",)
    database = Database(url)
    try:
        await database.notify("nobody", "listens")
    finally:
        await database.close()


async def test_a_server_that_is_away_is_the_store_s_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    database = Database(f"postgresql://u@127.0.0.1:{port}/d")
    with pytest.raises(OperationalError):
        await database.notify("nobody", "listens")
    await database.close()
