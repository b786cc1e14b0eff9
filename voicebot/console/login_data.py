"""LoginData: who comes in, by password, code, link, identity provider, cookie or token, and what they may do."""

from __future__ import annotations

import datetime as dt

from voicebot.console.queries import Account
from voicebot.domain.clock import Clock
from voicebot.domain.login import ApiToken, Session, Way
from voicebot.domain.records import Role, User
from voicebot.store import Store
from voicebot.store.lockouts import FACTOR
from voicebot.store.users import LoginRefused

_TOUCH_EVERY = dt.timedelta(minutes=1)


class NotLinked(Exception):
    """The identity provider vouches for a name that somebody else has here; an administrator must link the two."""


class LoginData:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    # --- coming in

    async def by_password(self, username: str, password: str) -> Account:
        """Check a password. Raises LoginRefused, with the end of the wait if there is one."""
        return await self._account(await self._store.users.login(username, password, self._clock.now()))

    async def by_code(self, username: str, code: str) -> Account:
        """Check the second factor of somebody whose password was right. Raises LoginRefused like a password."""
        now = self._clock.now()
        attempt = await self._store.lockouts.attempt(FACTOR, username, now)
        if attempt.refused_until is not None:
            raise LoginRefused(attempt.refused_until)
        user = await self._store.users.find(username)
        if user is None or user.disabled or not await self._store.second_factors.check(user.username, code, now):
            raise LoginRefused(attempt.next_at)
        await self._store.lockouts.forget([user.username], now)
        return await self._account(user)

    async def by_identity(self, identity: str, username: str, display_name: str, role: Role) -> Account:
        """Somebody an identity provider vouches for, with the role it says; one who is new here is added.

        NotLinked when another user has that name, LoginRefused for one who is disabled.
        """
        user = await self._store.users.of_identity(identity)
        if user is None:
            if await self._store.users.find(username) is not None:
                raise NotLinked(username)
            await self._store.users.create(username, role, self._clock.now(), display_name=display_name)
            await self._store.users.change(username, identity=identity)
        elif user.disabled:
            raise LoginRefused
        elif user.role is not role:
            await self._store.users.change(user.username, role=role)
        known = await self._store.users.of_identity(identity)
        if known is None:
            raise LoginRefused
        return await self._account(known)

    async def next_step(self, account: Account) -> Way | None:
        """After a right password: None, a code is needed; ENROL, a factor must be set up first; else they are in."""
        if await self._store.second_factors.of(account.username) is not None:
            return None
        return Way.ENROL if account.role in await self._store.second_factors.demanded() else Way.PASSWORD

    async def open(self, username: str, way: Way, lasts: dt.timedelta, address: str, browser: str) -> str:
        """Begin a session; the secret of its cookie."""
        now = self._clock.now()
        return await self._store.sessions.open(username, way, now, lasts, address=address, browser=browser)

    # --- being in

    async def of_cookie(self, secret: str, idle: dt.timedelta, touch: bool = True) -> Account | None:
        """Who holds this cookie; None when the session is over, or they are disabled. `touch`: it is being used."""
        now = self._clock.now()
        session = await self._store.sessions.find(secret, now, idle)
        user = await self._store.users.find(session.username) if session else None
        if session is None or user is None or user.disabled:
            return None
        if touch and now - session.seen_at > _TOUCH_EVERY:
            await self._store.sessions.touch(session.id, now)
        return await self._account(user, session=session)

    async def of_token(self, token: str) -> Account | None:
        """The program that shows this token; None for one that is unknown, over, or of somebody disabled."""
        kept = await self._store.tokens.find(token, self._clock.now())
        user = await self._store.users.find(kept.username) if kept else None
        return await self._account(user, token=kept) if user else None

    async def account(self, username: str) -> Account | None:
        """A user who may come in; None for one who is disabled or gone."""
        user = await self._store.users.find(username)
        return await self._account(user) if user and not user.disabled else None

    async def end(self, username: str, session_id: str) -> bool:
        return await self._store.sessions.end(username, session_id)

    # --- the first

    async def has_users(self) -> bool:
        return bool(await self._store.users.all())

    async def add_admin(self, username: str, password: str) -> Account:
        now = self._clock.now()
        return await self._account(await self._store.users.create(username, Role.ADMIN, now, password=password))

    async def _account(self, user: User, session: Session | None = None, token: ApiToken | None = None) -> Account:
        """What somebody may do: with a token no more than its role and scopes; before enrolling nothing."""
        may, role = await self._store.users.permissions_of(user.role), user.role.value
        if token is not None and token.role is not None:
            may, role = may & await self._store.users.permissions_of(Role(token.role)), token.role
        if token is not None and token.scopes:
            may &= token.scopes
        enrolling = session is not None and session.way is Way.ENROL
        return Account(
            user.username,
            role,
            user.display_name,
            frozenset() if enrolling else may,
            user.agent_id,
            session_id=session.id if session else None,
            token_id=token.id if token else None,
            enrolling=enrolling,
        )
