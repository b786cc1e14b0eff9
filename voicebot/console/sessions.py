"""Sessions: the cookie that says who is logged in, remembered for seconds; and the first administrator's link."""

from __future__ import annotations

import datetime as dt
import re
import time
from typing import TYPE_CHECKING

from itsdangerous import BadData, URLSafeTimedSerializer

from voicebot.console.settings import ConsoleSettings
from voicebot.domain.login import Way

if TYPE_CHECKING:
    from voicebot.console.queries import Account, ConsoleData

COOKIE = "voicebot_session"
SETUP_HOURS = 24
MINIMUM_PASSWORD = 10
PENDING_S = 300
"""How long a right password waits for its second factor."""

_USERNAME = re.compile(r"[A-Za-z0-9._-]{2,32}")


class Sessions:
    """Turns accounts into cookies, and cookies and API tokens into accounts."""

    def __init__(self, data: ConsoleData, settings: ConsoleSettings, remember_s: float = 10.0) -> None:
        self._data = data
        self._settings = settings
        self._pending = URLSafeTimedSerializer(settings.secret, salt="console-pending")
        self._remember_s = remember_s
        self._seen: dict[tuple[str, str], tuple[float, Account]] = {}

    async def open(self, account: Account, way: Way, address: str = "", browser: str = "") -> str:
        """Begin a session; what its cookie holds. Nothing but its hash is kept."""
        lasts = dt.timedelta(hours=self._settings.door.session_hours)
        return await self._data.logins.open(account.username, way, lasts, address, browser)

    async def account(self, cookie: str | None, bearer: str | None, touch: bool = True) -> Account | None:
        """Who holds this cookie or token; None for a wrong, expired or withdrawn one."""
        if bearer is not None:
            return await self._remembered("token", bearer[:200], touch)
        return await self._remembered("cookie", cookie[:200], touch) if cookie else None

    async def end(self, account: Account) -> None:
        """Log somebody out of this session, here at once."""
        self.forget()
        if account.session_id is not None:
            await self._data.logins.end(account.username, account.session_id)

    def forget(self) -> None:
        """Read all accounts afresh: somebody's session, role or token has changed."""
        self._seen.clear()

    def pending_for(self, account: Account) -> str:
        """What says for five minutes that somebody's password was right; good for nothing but giving a code."""
        return self._pending.dumps(account.username)

    def pending(self, cookie: str | None) -> str | None:
        """The user name in `pending_for`; None for a wrong or old one."""
        try:
            name = self._pending.loads(cookie or "", max_age=PENDING_S)
        except BadData:
            return None
        return name if isinstance(name, str) else None

    async def _remembered(self, kind: str, key: str, touch: bool) -> Account | None:
        # A page brings some twenty requests: the account is read once for all of them, yet one that was
        # disabled is out within seconds. Unknown keys are not remembered: guessing must not fill the memory.
        now = time.monotonic()
        at, account = self._seen.get((kind, key), (-1e9, None))
        if now - at <= self._remember_s:
            return account
        if kind == "token":
            account = await self._data.logins.of_token(key)
        else:
            idle = dt.timedelta(minutes=self._settings.door.idle_minutes)
            account = await self._data.logins.of_cookie(key, idle, touch)
        self._seen = {one: seen for one, seen in self._seen.items() if now - seen[0] <= self._remember_s}
        if account is not None:
            self._seen[kind, key] = (now, account)
        return account


def username_allowed(username: str) -> bool:
    return _USERNAME.fullmatch(username) is not None


async def create_admin_link(data: ConsoleData, settings: ConsoleSettings) -> str | None:
    """The address where the first administrator is created; None when somebody can log in already.

    Valid for a day and only while there is no user, so it works once.
    """
    if await data.logins.has_users():
        return None
    return f"{settings.url}/setup?token={_setup_tokens(settings).dumps('first-administrator')}"


async def setup_token_valid(token: str, data: ConsoleData, settings: ConsoleSettings) -> bool:
    """True for the token of `create_admin_link` as long as nobody used it."""
    try:
        _setup_tokens(settings).loads(token, max_age=SETUP_HOURS * 3600)
    except BadData:
        return False
    return not await data.logins.has_users()


def _setup_tokens(settings: ConsoleSettings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings.secret, salt="console-setup")
