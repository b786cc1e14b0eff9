"""What the API says of accounts: sessions, tokens, roles."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, Field

from voicebot.domain.login import ApiToken, Session

_SHOWN = 16
"""Characters of a hash that tell sessions and tokens apart."""


class SessionOut(BaseModel):
    id: str
    since: dt.datetime
    seen: dt.datetime
    until: dt.datetime
    way: str
    address: str
    browser: str
    this: bool = False


class TokenOut(BaseModel):
    """`scopes` empty: all that its role may. `role` None: its owner's."""

    id: str
    label: str
    since: dt.datetime
    until: dt.datetime | None
    used: dt.datetime | None
    scopes: list[str]
    role: str | None


class AccountOut(BaseModel):
    username: str
    display_name: str
    role: str
    permissions: list[str]
    second_factor: bool
    sessions: list[SessionOut]
    tokens: list[TokenOut]


class PasswordIn(BaseModel):
    old: str = Field(max_length=256)
    new: str = Field(max_length=256)


class FactorIn(BaseModel):
    """One's password, to switch the second step off."""

    password: str = Field(max_length=256)


class TokenIn(BaseModel):
    """`scopes`: permissions, or one text of them with commas; empty: all that the role may."""

    label: str = Field(max_length=60)
    days: int = Field(default=90, ge=1, le=366)
    scopes: list[str] | str = Field(default_factory=list)
    role: str | None = None

    @property
    def wanted(self) -> frozenset[str]:
        listed = self.scopes.replace(",", " ").split() if isinstance(self.scopes, str) else self.scopes
        return frozenset(listed)


class NewTokenOut(BaseModel):
    """`token` is shown this once."""

    token: str


class EndedOut(BaseModel):
    ended: int


class DemandIn(BaseModel):
    demanded: bool


class RouteOut(BaseModel):
    """`needs`: a permission, or everybody, this machine, logged in, person, enrolling."""

    methods: list[str]
    path: str
    needs: str


class AccessOut(BaseModel):
    roles: dict[str, list[str]]
    second_factor_demanded: list[str]
    routes: list[RouteOut]


def session_out(one: Session, mine: str | None) -> SessionOut:
    """As the API tells of it; `mine` is the session that asks."""
    return SessionOut(
        id=one.id[:_SHOWN], since=one.created_at, seen=one.seen_at, until=one.expires_at, way=one.way.value,
        address=one.address, browser=one.browser, this=one.id == mine,
    )  # fmt: skip


def token_out(one: ApiToken) -> TokenOut:
    return TokenOut(
        id=one.id[:_SHOWN], label=one.label, since=one.created_at, until=one.expires_at, used=one.used_at,
        scopes=sorted(one.scopes), role=one.role,
    )  # fmt: skip
