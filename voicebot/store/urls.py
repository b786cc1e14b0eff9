"""Database URLs: the forms people write, and the two that our libraries want."""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError


def sqlalchemy_url(text: str) -> URL:
    """Read 'postgresql://…' (or postgres://, postgresql+psycopg://) for SQLAlchemy with psycopg 3.

    Raises ValueError for anything that is not a PostgreSQL URL.
    """
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise ValueError(f"{_REMEDY} (cannot read {_scheme(text)})") from error
    if url.drivername.partition("+")[0] not in ("postgresql", "postgres"):
        raise ValueError(f"{_REMEDY} (got {_scheme(text)})")
    return url.set(drivername="postgresql+psycopg")


def conninfo(text: str) -> str:
    """The same database as a libpq connection string, password included."""
    return sqlalchemy_url(text).set(drivername="postgresql").render_as_string(hide_password=False)


def _scheme(text: str) -> str:
    """What may be shown of a URL that may hold a password."""
    return repr(text.partition(":")[0])


_REMEDY = "VOICEBOT_DATABASE_URL must be a PostgreSQL URL such as postgresql://user:password@host/voicebot"
