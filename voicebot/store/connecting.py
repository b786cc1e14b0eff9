"""Connecting: of several database servers the one that may be written to, without waiting for the dead ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from voicebot.store.urls import conninfo

HEAD_START_S = 0.3
"""How long a server is waited for before the next one in the list is asked as well."""
WE_NOTICE: Mapping[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""A cut cable or a dead host says nothing: within 10 s a connection is given up."""
SERVER_NOTICES = (
    "-c tcp_keepalives_idle=4 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c tcp_user_timeout=10s"
)
"""The server must notice as soon: what a dead host held (the lead, row locks) would be held for two hours."""


class Closable(Protocol):
    def close(self) -> Awaitable[None]: ...


Opened = TypeVar("Opened", bound=Closable)


async def connect(url: str, *, options: str = "", autocommit: bool = False) -> psycopg.AsyncConnection[Any]:
    """A connection that notices when the other end is gone. Raises psycopg.OperationalError.

    Servers get a head start in the order of the URL; a dead first one delays nobody for longer than that.
    """
    told = f"{SERVER_NOTICES} {options}".strip()

    def opening(one: str) -> Callable[[], Awaitable[psycopg.AsyncConnection[Any]]]:
        return lambda: psycopg.AsyncConnection.connect(one, autocommit=autocommit, options=told, **WE_NOTICE)

    return await first([opening(one) for one in each_server(url)], HEAD_START_S)


def each_server(url: str) -> list[str]:
    """A libpq connection string per server, in the order of the URL."""
    given: dict[str, Any] = dict(conninfo_to_dict(conninfo(url)))
    hosts, ports = str(given.pop("host", "")).split(","), str(given.pop("port", "")).split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    places = zip(hosts, ports, strict=True)
    return [make_conninfo(**given, host=host or None, port=port or None) for host, port in places]


async def first(ways: Sequence[Callable[[], Awaitable[Opened]]], head_start_s: float) -> Opened:
    """What the first of these ways opens; each begins a little later than the one before, or as soon as that failed.

    When all fail what they raised is raised in one. What another way opened meanwhile is closed.
    """
    tries: list[asyncio.Future[Opened]] = []
    try:
        for way in ways:
            tries.append(asyncio.ensure_future(way()))
            waiting = [one for one in tries if not one.done()]
            await asyncio.wait(waiting, timeout=head_start_s, return_when=asyncio.FIRST_COMPLETED)
            if (winner := _won(tries)) is not None:
                return winner.result()
        while any(not one.done() for one in tries):
            await asyncio.wait([one for one in tries if not one.done()], return_when=asyncio.FIRST_COMPLETED)
            if (winner := _won(tries)) is not None:
                return winner.result()
        raise _all_said(tries)
    finally:
        await _leave(tries, _won(tries))


def _all_said(tries: Sequence[asyncio.Future[Opened]]) -> BaseException:
    """One error that says what every server said."""
    errors = [error for one in tries if (error := one.exception()) is not None]
    if len(errors) == 1 or not all(isinstance(error, psycopg.OperationalError) for error in errors):
        return errors[-1]
    return psycopg.OperationalError("; ".join(str(error).strip() for error in errors))


def _won(tries: Sequence[asyncio.Future[Opened]]) -> asyncio.Future[Opened] | None:
    return next((one for one in tries if one.done() and not one.cancelled() and one.exception() is None), None)


async def _leave(tries: Sequence[asyncio.Future[Opened]], winner: asyncio.Future[Opened] | None) -> None:
    for one in tries:
        if one is winner:
            continue
        one.cancel()
        with suppress(asyncio.CancelledError, psycopg.Error, OSError):
            await (await one).close()
