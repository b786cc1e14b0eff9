"""AccountData: what is one's own - password, sessions, second factor, API tokens - and what roles may do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from voicebot.console.queries import Account
from voicebot.console.sessions import MINIMUM_PASSWORD
from voicebot.domain.clock import Clock
from voicebot.domain.login import ApiToken, Factor, Session
from voicebot.domain.records import Role
from voicebot.store import Store
from voicebot.store.lockouts import FACTOR

LONGEST_TOKEN = dt.timedelta(days=366)


class AccountData:
    """ValueError, readable, for what cannot be; LookupError for what is not one's own."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    # --- password

    async def change_password(self, who: Account, old: str, new: str) -> int:
        """Change one's own password; the other sessions end. How many did. LoginRefused for a wrong old one."""
        if len(new) < MINIMUM_PASSWORD:
            raise ValueError(f"the password needs at least {MINIMUM_PASSWORD} characters")
        await self._store.users.login(who.username, old, self._clock.now())
        await self._store.users.set_password(who.username, new)
        return await self._store.sessions.end_all(who.username, but=who.session_id)

    # --- sessions

    async def sessions(self, username: str, idle: dt.timedelta) -> Sequence[Session]:
        return await self._store.sessions.of(username, self._clock.now(), idle)

    async def end_session(self, username: str, session_id: str) -> None:
        if not await self._store.sessions.end(username, session_id):
            raise LookupError("there is no such session")

    async def end_sessions(self, username: str, but: str | None = None) -> int:
        """End all sessions of somebody, or all `but` one; how many there were."""
        return await self._store.sessions.end_all(username, but)

    # --- second factor

    async def factor(self, username: str) -> Factor | None:
        return await self._store.second_factors.of(username)

    async def begin_factor(self, username: str) -> str:
        """The secret to scan; the same one until it is confirmed, for an hour."""
        return await self._store.second_factors.begin(username, self._clock.now())

    async def confirm_factor(self, username: str, code: str) -> list[str] | None:
        """The recovery codes, shown this once; None for a wrong code. ValueError while one must wait."""
        now = self._clock.now()
        if (await self._store.lockouts.attempt(FACTOR, username, now)).refused_until is not None:
            raise ValueError("too many wrong codes: wait a little")
        codes = await self._store.second_factors.confirm(username, code, now)
        if codes is not None:
            await self._store.lockouts.forget([username], now, [FACTOR])
        return codes

    async def remove_factor(self, who: Account, password: str) -> None:
        """Remove one's own factor. ValueError where the role demands it; LoginRefused for a wrong password."""
        if who.role in await self._store.second_factors.demanded():
            raise ValueError("this role must have a second factor; an administrator can reset it")
        await self._store.users.login(who.username, password, self._clock.now())
        await self._store.second_factors.forget(who.username)

    async def with_factor(self) -> frozenset[str]:
        """Who has one."""
        return await self._store.second_factors.users()

    # --- tokens

    async def tokens(self, username: str) -> Sequence[ApiToken]:
        return await self._store.tokens.of(username)

    async def issue_token(
        self, who: Account, label: str, days: int, scopes: frozenset[str], role: str | None = None
    ) -> str:
        """A token of one's own for `days`; shown this once. It may never do more than its owner."""
        if not label.strip():
            raise ValueError("a token needs a name, such as the program that will use it")
        if not 1 <= days <= LONGEST_TOKEN.days:
            raise ValueError(f"a token lasts 1 to {LONGEST_TOKEN.days} days")
        if role is not None and role not in set(Role):
            raise ValueError(f"there is no role {role}")
        may = who.permissions if role is None else who.permissions & (await self.roles())[role]
        if beyond := scopes - may:
            raise ValueError(f"a token may not do more than its owner and role: {', '.join(sorted(beyond))}")
        now, lasts = self._clock.now(), dt.timedelta(days=days)
        return await self._store.tokens.issue(
            who.username, label.strip()[:60], now, scopes=scopes, role=role, lasts=lasts
        )

    async def revoke_token(self, username: str, token_id: str) -> None:
        if not await self._store.tokens.revoke(username, token_id):
            raise LookupError("there is no such token")

    # --- roles

    async def roles(self) -> Mapping[str, frozenset[str]]:
        """What each role may do."""
        return await self._store.users.roles()

    async def demanded(self) -> frozenset[str]:
        """Roles that must have a second factor."""
        return await self._store.second_factors.demanded()

    async def demand(self, role: str, wanted: bool) -> None:
        """Demand a second factor of a role; sessions of those without one end. ValueError for an unknown role."""
        if role not in set(Role):
            raise ValueError(f"there is no role {role}")
        await self._store.second_factors.demand(role, wanted)
        if wanted:
            having = await self.with_factor()
            for user in await self._store.users.all():
                if user.role.value == role and user.username not in having and user.identity is None:
                    await self._store.sessions.end_all(user.username)
