"""Database URLs: the forms people write, and the two that our libraries want."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

PORT = 5432
_SEVERAL = re.compile(r"(?P<begin>[^:/]+://(?:[^@/]*@)?)(?P<hosts>[^@/?]*,[^@/?]*)(?P<rest>[/?].*)?")
_DIALECT: Any = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_HOST = re.compile(r"(?P<host>\[[^\]]+\]|[^:\[\]]+)(?::(?P<port>\d+))?")


def sqlalchemy_url(text: str) -> URL:
    """Read 'postgresql://…' (or postgres://, postgresql+psycopg://) for SQLAlchemy with psycopg 3.

    Several servers are named as libpq does it: postgresql://user:password@one:5432,two:5432/voicebot. Of those the
    one that may be written to is used (target_session_attrs=read-write, unless the URL says otherwise), and a dead
    one is given up after 5 s.
    Raises ValueError for anything that is not a PostgreSQL URL.
    """
    try:
        url = make_url(_one_host(text))
    except (ArgumentError, ValueError) as error:
        raise ValueError(f"{_REMEDY} (cannot read {_scheme(text)})") from error
    if url.drivername.partition("+")[0] not in ("postgresql", "postgres"):
        raise ValueError(f"{_REMEDY} (got {_scheme(text)})")
    if len(_hosts(url)) > 1:
        usual = {"target_session_attrs": "read-write", "connect_timeout": "5"}
        url = url.update_query_dict({name: value for name, value in usual.items() if name not in url.query})
    return url.set(drivername="postgresql+psycopg")


def conninfo(text: str) -> str:
    """The same database as a libpq connection string, password included."""
    arguments: tuple[object, dict[str, Any]] = _DIALECT.create_connect_args(sqlalchemy_url(text))
    return make_conninfo(**arguments[1])


def first_host(text: str) -> str:
    """The first server's host; "" or a folder for a server that is reached by a socket on this machine."""
    return str(conninfo_to_dict(conninfo(text)).get("host") or "").partition(",")[0]


def _one_host(text: str) -> str:
    """A URL with several hosts in the form that SQLAlchemy reads: host=one,two&port=1,2; any other as it is."""
    several = _SEVERAL.fullmatch(text)
    if several is None:
        return text
    places = [_HOST.fullmatch(place) for place in several["hosts"].split(",")]
    hosts = ",".join(place["host"].strip("[]") for place in places if place)
    ports = ",".join(place["port"] or str(PORT) for place in places if place)
    if not all(places):
        raise ValueError("a host is missing or wrong")
    path, _, query = (several["rest"] or "").partition("?")
    return f"{several['begin']}{path or '/'}?host={hosts}&port={ports}" + (f"&{query}" if query else "")


def _hosts(url: URL) -> Sequence[str]:
    hosts = url.query.get("host", ())
    return hosts.split(",") if isinstance(hosts, str) else hosts


def _scheme(text: str) -> str:
    """What may be shown of a URL that may hold a password."""
    return repr(text.partition(":")[0])


_REMEDY = "VOICEBOT_DATABASE_URL must be a PostgreSQL URL such as postgresql://user:password@host/voicebot"
