"""Sessions: the signed cookie that says who is logged in, and the first administrator's link."""

from __future__ import annotations

import re
import time
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer

from voicebot.console.queries import Account, ConsoleData
from voicebot.console.settings import ConsoleSettings

COOKIE = "voicebot_session"
SETUP_HOURS = 24
MINIMUM_PASSWORD = 10

_USERNAME = re.compile(r"[A-Za-z0-9._-]{2,32}")


class Sessions:
    """Turns accounts into cookies, and cookies and API tokens into accounts."""

    def __init__(self, data: ConsoleData, settings: ConsoleSettings, remember_s: float = 10.0) -> None:
        self._data = data
        self._max_age = settings.session_hours * 3600
        self._cookies = URLSafeTimedSerializer(settings.secret, salt="console-session")
        self._remember_s = remember_s
        self._seen: dict[tuple[str, str], tuple[float, Account | None]] = {}

    def cookie_for(self, account: Account) -> str:
        return self._cookies.dumps({"user": account.username})

    async def account(self, cookie: str | None, bearer: str | None) -> Account | None:
        """Who holds this cookie or token; None for a wrong, expired or withdrawn one."""
        if bearer is not None:
            return await self._remembered("token", bearer[:200])
        name = self._name_in(cookie) if cookie else None
        return await self._remembered("user", name) if name else None

    def _name_in(self, cookie: str) -> str | None:
        try:
            content: Any = self._cookies.loads(cookie, max_age=self._max_age)
        except BadData:
            return None
        name = content.get("user") if isinstance(content, dict) else None
        return name if isinstance(name, str) else None

    async def _remembered(self, kind: str, key: str) -> Account | None:
        # A page brings some twenty requests: the account is read once for all of them, yet one that was
        # disabled is out within seconds. Unknown keys are not remembered: guessing must not fill the memory.
        at, account = self._seen.get((kind, key), (-1e9, None))
        if time.monotonic() - at > self._remember_s:
            account = await (self._data.account(key) if kind == "user" else self._data.account_of_token(key))
            self._seen.pop((kind, key), None)
            if account is not None:
                self._seen[kind, key] = (time.monotonic(), account)
        return account


def username_allowed(username: str) -> bool:
    return _USERNAME.fullmatch(username) is not None


async def create_admin_link(data: ConsoleData, settings: ConsoleSettings) -> str | None:
    """The address where the first administrator is created; None when somebody can log in already.

    Valid for a day and only while there is no user, so it works once.
    """
    if await data.has_users():
        return None
    return f"{settings.url}/setup?token={_setup_tokens(settings).dumps('first-administrator')}"


async def setup_token_valid(token: str, data: ConsoleData, settings: ConsoleSettings) -> bool:
    """True for the token of `create_admin_link` as long as nobody used it."""
    try:
        _setup_tokens(settings).loads(token, max_age=SETUP_HOURS * 3600)
    except BadData:
        return False
    return not await data.has_users()


def _setup_tokens(settings: ConsoleSettings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings.secret, salt="console-setup")
