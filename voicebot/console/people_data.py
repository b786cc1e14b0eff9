"""PeopleData: users of the console and agents at the phones, and the links with which users choose a password."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from voicebot.cases.phones import parse_phone
from voicebot.console.sessions import MINIMUM_PASSWORD, username_allowed
from voicebot.domain.clock import Clock
from voicebot.domain.records import AgentRecord, Role, User
from voicebot.store import Store

LINK_LASTS = dt.timedelta(hours=24)


class PeopleData:
    """ValueError, readable, for what cannot be saved; LookupError for people who do not exist."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def users(self) -> Sequence[User]:
        return await self._store.users.all()

    async def agents(self) -> Sequence[AgentRecord]:
        return await self._store.agents.all()

    async def save_agent(self, agent: AgentRecord) -> None:
        """Add an agent or change what is known of them."""
        if not username_allowed(agent.id):
            raise ValueError("an agent's id has 2 to 32 letters, digits, dots or dashes")
        if not agent.name.strip():
            raise ValueError("an agent needs a name")
        await self._store.agents.save(agent)

    async def save_user(self, username: str, role: Role, display_name: str, agent_id: str | None) -> None:
        """Add a user without a password, or change role, name and agent of one who exists."""
        if not username_allowed(username):
            raise ValueError("a user name has 2 to 32 letters, digits, dots or dashes")
        if agent_id is not None and await self._store.agents.find(agent_id) is None:
            raise ValueError(f"there is no agent {agent_id}: add the agent first")
        if role is not Role.ADMIN:
            await self._not_last_admin(username)
        if await self._store.users.find(username) is None:
            await self._store.users.create(username, role, self._clock.now(), display_name=display_name)
        await self._store.users.change(username, role=role, display_name=display_name or username, agent_id=agent_id)

    async def unlock(self, username: str) -> None:
        """Let somebody try again who guessed wrong too often."""
        await self._known(username)
        await self._store.lockouts.forget([username], self._clock.now())

    async def forget_factor(self, username: str) -> None:
        """Somebody lost their second factor: it and its recovery codes go, and all their sessions end."""
        await self._known(username)
        await self._store.second_factors.forget(username)
        await self._store.lockouts.forget([username], self._clock.now())
        await self._store.sessions.end_all(username)

    async def log_out(self, username: str) -> int:
        """End all sessions of somebody; how many there were."""
        await self._known(username)
        return await self._store.sessions.end_all(username)

    async def link_identity(self, username: str, identity: str | None) -> None:
        """Let somebody log in as this `issuer|subject` of the identity provider; None: no longer."""
        await self._known(username)
        await self._store.users.change(username, identity=identity)

    async def set_disabled(self, username: str, disabled: bool) -> None:
        """Lock somebody out at once, or let them in again; links and tokens of who is out become worthless."""
        if disabled:
            await self._not_last_admin(username)
        if not await self._store.users.change(username, disabled=disabled):
            raise LookupError(f"there is no user {username}")
        if disabled:
            await self._store.users.revoke_tokens(username)
            await self._store.sessions.end_all(username)

    async def link(self, username: str) -> str:
        """A secret that lets `username` choose a password once, within a day."""
        await self._known(username)
        return await self._store.users.issue_link(username, self._clock.now(), LINK_LASTS)

    async def choose_password(self, token: str, password: str) -> User | None:
        """Redeem a link; None when it was used or is too old. ValueError for a password that is too short."""
        if len(password) < MINIMUM_PASSWORD:
            raise ValueError(f"the password needs at least {MINIMUM_PASSWORD} characters")
        user = await self._store.users.redeem_link(token, self._clock.now())
        if user is not None:
            await self._store.users.set_password(user.username, password)
            await self._store.lockouts.forget([user.username], self._clock.now())
            await self._store.sessions.end_all(user.username)
        return user

    async def _known(self, username: str) -> None:
        if await self._store.users.find(username) is None:
            raise LookupError(f"there is no user {username}")

    async def _not_last_admin(self, username: str) -> None:
        others = [user for user in await self._store.users.all() if user.username != username]
        user = await self._store.users.find(username)
        last = not any(other.role is Role.ADMIN and not other.disabled for other in others)
        if user is not None and user.role is Role.ADMIN and last:
            raise ValueError("this is the last administrator: make somebody else one first")


def phone_of(address: str) -> str:
    """A sip: URI or a number as it is dialled. ValueError when it is neither."""
    return parse_phone(address)
