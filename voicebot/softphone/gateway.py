"""Gateway: the browsers' telephones as SIP extensions, one per signed-in agent, and their place in the database."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol
from urllib.parse import quote, unquote

import structlog

from voicebot.domain.clock import Clock
from voicebot.domain.ice import IceServer
from voicebot.softphone.phone import News, Phone, StaleError, Tell
from voicebot.telephony.fellows import agent_of, extension
from voicebot.telephony.leg import CallLeg

log = structlog.get_logger(__name__)

SWEPT_EVERY_S: Final = 1.0


class Directory(Protocol):
    """Where an agent's telephone is written down: voicebot.store.softphones."""

    async def attach(self, agent_id: str, gateway: str, sip_uri: str, now: Any, via: str | None = None) -> None: ...

    async def detach(self, agent_id: str, gateway: str, now: Any) -> bool: ...

    async def detach_all(self, gateway: str, now: Any) -> list[str]: ...


class Gateway:
    """`obey` takes what browsers ask for, `ring` what the line brings; `run` lets go of browsers that vanished."""

    def __init__(
        self,
        name: str,
        directory: Directory,
        clock: Clock,
        servers: Sequence[IceServer],
        tell: Tell,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._directory, self._clock = name, directory, clock
        self._servers, self._tell, self._steady = servers, tell, steady
        self.address: tuple[str, int] = ("127.0.0.1", 0)
        self.via: str | None = None
        """The worker by whose line the extensions are reached from other machines; None: straight."""
        self.of_fleet = False
        """Lines of other machines ring here straight, and must prove to be fellows."""
        self.phones: dict[str, Phone] = {}
        self._connecting: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self, every_s: float = SWEPT_EVERY_S) -> None:
        """Put right what an earlier life left, then sweep until cancelled."""
        await self._patiently(lambda: self._directory.detach_all(self._name, self._clock.now()))
        while True:
            await asyncio.sleep(every_s)
            for phone in [phone for phone in self.phones.values() if phone.gone]:
                log.info("a browser vanished", agent=phone.agent_id)
                await self._let_go(phone)

    async def close(self) -> None:
        """Let all go; their agents are offline."""
        await asyncio.gather(*(self._let_go(phone) for phone in list(self.phones.values())), return_exceptions=True)

    def uri(self, agent_id: str) -> str:
        """The extension's address, as the line rings it."""
        host, port = self.address
        line = f"{f'[{host}]' if ':' in host else host}:{port}"
        return extension(agent_id, line) if self.of_fleet else f"sip:{quote(agent_id, safe='')}@{line}"

    async def ring(self, leg: CallLeg) -> None:
        """A call has come for the extension in its address; nobody there: 480."""
        user = leg.local.partition(":")[2].partition("@")[0]
        phone = self.phones.get(agent_of(leg.local) or unquote(user))
        if phone is None:
            leg.reject(480)
        else:
            phone.ring(leg)

    async def obey(self, verb: str, agent: str, session: str, more: dict[str, Any]) -> News:
        """What a page of `agent` asks for. LookupError: no such agent or no telephone; StaleError: another page's;

        ValueError: wrong words.
        """
        if verb == "connect":
            async with self._connecting[agent]:
                return await self._connect(agent, session, str(more.get("sdp", "")))
        phone = self.phones.get(agent)
        if phone is None:
            raise LookupError("the telephone is off: connect first")
        match verb:
            case "answer":
                await phone.answer(session)
            case "hang_up":
                await phone.hang_up(session)
            case "keys":
                phone.keys(session, str(more.get("digits", "")))
            case "beat":
                phone.beat(session, _figures(more.get("quality")))
            case "leave":
                phone.leave(session)
            case "off":
                await self._off(phone, session)
            case _:
                raise ValueError(f"unknown verb {verb!r}")
        return phone.situation()

    async def _connect(self, agent: str, session: str, offer: str) -> News:
        phone = self.phones.get(agent)
        fresh = phone is None
        phone = phone or Phone(agent, self._servers, self._tell, self._steady)
        answer, situation = await phone.connect(session, offer)
        if fresh:
            try:
                await self._directory.attach(agent, self._name, self.uri(agent), self._clock.now(), self.via)
            except BaseException:
                await phone.close()
                raise
            self.phones[agent] = phone
        return {"sdp": answer, **situation}

    async def _off(self, phone: Phone, session: str) -> None:
        if session != phone.session:
            raise StaleError("another page is this agent's telephone now")
        await self._let_go(phone)

    async def _let_go(self, phone: Phone) -> None:
        if self.phones.get(phone.agent_id) is phone:
            del self.phones[phone.agent_id]
        await phone.close()
        self._tell({"agent": phone.agent_id, "session": phone.session, "event": "off"})
        await self._patiently(lambda: self._directory.detach(phone.agent_id, self._name, self._clock.now()))

    async def _patiently(self, work: Callable[[], Any]) -> None:
        """Do it when the database is back: nobody may stay ready at a telephone that is gone."""
        for pause_s in (0.2, 1.0, 3.0, 10.0):
            try:
                await work()
                return
            except Exception as error:
                log.warning("the database does not answer, trying again", error=repr(error))
                await asyncio.sleep(pause_s)
        with contextlib.suppress(Exception):
            await work()


def _figures(quality: object) -> dict[str, float]:
    if not isinstance(quality, dict):
        return {}
    known = ("jitter_ms", "loss", "rtt_ms")
    return {name: float(quality[name]) for name in known if isinstance(quality.get(name), int | float)}
