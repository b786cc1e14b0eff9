"""Condition: how a PostgreSQL server is, asked by somebody who will change nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import psycopg

from voicebot.store.urls import conninfo

WITHIN_S = 5


@dataclass(frozen=True, slots=True)
class Condition:
    """`ahead_s`: seconds by which the server's clock is before ours, give or take `unsure_s`."""

    version: str
    number: int
    is_replica: bool
    ahead_s: float
    unsure_s: float
    connections: int
    most_connections: int


class Unreachable(OSError):
    """The server does not answer or refuses us; the message is its own."""


def condition_of(url: str) -> Condition:
    """Ask the server. Blocking, five seconds at most for each host. Raises Unreachable, ValueError for a bad URL."""
    try:
        with psycopg.connect(conninfo(url), connect_timeout=WITHIN_S, autocommit=True) as connection:
            asked = dt.datetime.now(dt.UTC)
            clock, replica, used, most = _one(
                connection,
                "SELECT clock_timestamp(), pg_is_in_recovery(), (SELECT count(*) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend'), current_setting('max_connections')::int",
            )
            answered = dt.datetime.now(dt.UTC)
            server = connection.info
            between = asked + (answered - asked) / 2
            return Condition(
                version=str(server.parameter_status("server_version")),
                number=server.server_version,
                is_replica=replica,
                ahead_s=(clock - between).total_seconds(),
                unsure_s=(answered - asked).total_seconds() / 2,
                connections=used,
                most_connections=most,
            )
    except psycopg.Error as error:
        raise Unreachable(str(error).strip()) from error


def _one(connection: psycopg.Connection, query: str) -> tuple[dt.datetime, bool, int, int]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0], row[1], row[2], row[3]
