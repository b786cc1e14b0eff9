"""TrunkCare: asks trunks with OPTIONS whether they are there, stays registered, and guards what comes in."""

from __future__ import annotations

import asyncio
import secrets

import structlog

from sip.auth import Credentials, DigestServer
from sip.errors import SipError
from sip.registration import Registration, RegistrationState
from sip.user_agent import UserAgent
from voicebot.telephony.trunk import Trunk
from voicebot.telephony.trunk_choice import Registered
from voicebot.telephony.trunk_desk import TrunkDesk

log = structlog.get_logger(__name__)

ANSWERED_WITHIN_S = 4.0
"""How long a trunk may take to answer OPTIONS."""
RESOLVE_AGAIN_S = 30.0
REALM = "voicebot"
_SILENT = (408, 503)
_NEWS = {
    RegistrationState.REGISTERING: Registered.WAITING,
    RegistrationState.REGISTERED: Registered.DONE,
    RegistrationState.FAILED: Registered.FAILED,
    RegistrationState.STOPPED: Registered.WAITING,
}


def is_alive(status: int) -> bool:
    """An answer to OPTIONS that shows the trunk at work: even 404 or 405 do, 503 says that it can't."""
    return status not in _SILENT


def credentials_of(trunk: Trunk) -> Credentials | None:
    """What we answer the trunk's challenges with."""
    account = trunk.account
    return Credentials(account.user, account.password, account.realm) if account else None


class TrunkCare:
    """Runs beside the calls of one line."""

    def __init__(self, agent: UserAgent, desk: TrunkDesk) -> None:
        self._agent, self._desk = agent, desk
        self._tasks: set[asyncio.Task[None]] = set()
        self._registering: dict[str, asyncio.Task[None]] = {}
        self._registrations: dict[str, Registration] = {}
        self._leaving: set[str] = set()
        self._withdrawn = False
        self._guards = {
            state.trunk.name: _guard(state.trunk) for state in desk.states.values() if state.trunk.inbound.account
        }

    def start(self, *, register: bool) -> None:
        """Begin to probe, and to register where a trunk wants it and `register` says that it is on us to do so."""
        for state in list(self._desk.states.values()):
            trunk = state.trunk
            if trunk.options_every_s > 0:
                self._tasks.add(asyncio.create_task(self._probe(trunk)))
            if register:
                self.registers(trunk, True)

    def registers(self, trunk: Trunk, ours: bool) -> None:
        """Whether it is on this line to stay registered with a trunk that wants it; said again changes nothing."""
        if trunk.registering is None or self._withdrawn:
            return
        if ours and trunk.name not in self._registering:
            self._desk.registered(trunk, Registered.WAITING)
            self._registering[trunk.name] = asyncio.create_task(self._register(trunk))
        elif not ours:
            self._desk.registered(trunk, Registered.ELSEWHERE)
            if trunk.name in self._registering.keys() - self._leaving:
                self._leaving.add(trunk.name)
                task = asyncio.create_task(self._give_up(trunk.name))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _give_up(self, name: str) -> None:
        """Take our address out at a registrar; not before that is done may it be put in again."""
        self._registering[name].cancel()
        registration = self._registrations.pop(name, None)
        try:
            if registration is not None:
                registration.on_change = None
                await registration.stop()
        finally:
            self._registering.pop(name, None)
            self._leaving.discard(name)

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.unregister()

    async def unregister(self) -> None:
        """Take our address out at every registrar, so that it sends no further calls."""
        self._withdrawn = True
        await asyncio.gather(*(self._give_up(name) for name in list(self._registering)), return_exceptions=True)

    def guard_of(self, trunk: Trunk) -> DigestServer | None:
        """Who checks the password of a trunk's callers; None where it needs none."""
        return self._guards.get(trunk.name)

    async def _probe(self, trunk: Trunk) -> None:
        while True:
            self._desk.probed(trunk, is_alive(await ask(self._agent, trunk, self._desk)))
            await asyncio.sleep(trunk.options_every_s)

    async def _register(self, trunk: Trunk) -> None:
        """Begin to register; where the trunk's own name has no address yet, ask again in a while."""
        while (registration := await register(self._agent, trunk)) is None:
            self._desk.registered(trunk, Registered.FAILED, "its address can't be found")
            await asyncio.sleep(RESOLVE_AGAIN_S)
        registration.on_change = lambda news: self._desk.registered(
            trunk, _NEWS[news.state], f"{news.status or ''} {news.reason}".strip()
        )
        self._registrations[trunk.name] = registration


async def register(agent: UserAgent, trunk: Trunk) -> Registration | None:
    """Start to register with a trunk; None when it can't be found. It must have an account."""
    assert trunk.registering is not None and trunk.account is not None
    try:
        via = None
        if trunk.registering.registrar is None and trunk.is_behind:
            via, _ = await agent.address_towards(trunk.hop_uri)
        return agent.register(
            trunk.registering.registrar or f"sip:{trunk.uri_host};transport={trunk.transport}",
            aor=f"sip:{trunk.account.user}@{trunk.aor_host}",
            credentials=credentials_of(trunk),
            expires_s=trunk.registering.expires_s,
            via=via,
            contact_user=trunk.account.user,
        )
    except (SipError, OSError):
        return None


async def ask(agent: UserAgent, trunk: Trunk, desk: TrunkDesk | None = None) -> int:
    """The status of an OPTIONS to the trunk; 408 when nothing comes or its name has no address."""
    try:
        hop, _ = await agent.address_towards(trunk.hop_uri)
        if desk is not None:
            desk.learn_peer(trunk, hop.host)
        return await agent.options(f"sip:{trunk.uri_host}", ANSWERED_WITHIN_S, via=hop)
    except (SipError, OSError):
        return 408


def _guard(trunk: Trunk) -> DigestServer:
    account = trunk.inbound.account
    assert account is not None
    passwords = {account.user: account.password}
    realm, algorithms = account.realm or trunk.domain or REALM, (trunk.inbound.digest,)
    return DigestServer(realm, passwords.get, secrets.token_bytes(32), algorithms=algorithms)
