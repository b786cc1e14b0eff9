"""Login: sessions, API tokens and second factors as values."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """How a session began; ENROL may do nothing but set up the second factor that its role demands."""

    PASSWORD = "password"
    FACTOR = "factor"
    SSO = "sso"
    ENROL = "enrol"


@dataclass(frozen=True, slots=True)
class Session:
    """One login that lasts. `id` is the SHA-256 of the cookie, in hexadecimal; the cookie itself is kept nowhere."""

    id: str
    username: str
    way: Way
    created_at: dt.datetime
    seen_at: dt.datetime
    expires_at: dt.datetime
    address: str = ""
    browser: str = ""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A program's token. `id` is the SHA-256 of the token, in hexadecimal.

    It may do what its owner, its `role` (None: the owner's) and its `scopes` (none: all of the role) may all do.
    """

    id: str
    username: str
    label: str
    created_at: dt.datetime
    expires_at: dt.datetime | None = None
    used_at: dt.datetime | None = None
    scopes: frozenset[str] = frozenset()
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Factor:
    """The second factor of a user: since when, and how many recovery codes are left."""

    username: str
    since: dt.datetime
    recovery_codes: int
