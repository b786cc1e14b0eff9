"""RoutedLeg: a leg to a number. It is sent over one trunk, and over the next where that one can't take it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

from sip.call import Call
from voicebot.telephony.leg import (
    Answered,
    AudioPort,
    CallLeg,
    EarlyMedia,
    Ended,
    Keys,
    LegEvent,
    NotWantedError,
    Ringing,
    TrunkTried,
)
from voicebot.telephony.leg_events import EventLog
from voicebot.telephony.sip_leg import SipLeg
from voicebot.telephony.trunk import Trunk
from voicebot.telephony.trunk_desk import TrunkDesk, is_trunks_fault

Send = Callable[[Trunk], Awaitable[SipLeg]]
Spawn = Callable[[Coroutine[Any, Any, None]], None]


class RoutedLeg:
    """A CallLeg. Other trunks are tried until the first 18x: after it the callee's telephone rings.

    Nothing is heard of a trunk that failed, so nothing is heard twice; each try is one TrunkTried.
    """

    def __init__(self, desk: TrunkDesk, first: SipLeg, trunk: Trunk, send: Send, spawn: Spawn, only: bool) -> None:
        """`send` places the call on a trunk; `spawn` runs what outlives the leg; `only`: try no other trunk."""
        self._desk, self._send, self._spawn = desk, send, spawn
        self._leg, self._trunk, self._only = first, trunk, only
        self._tried = {trunk.name}
        self._log = EventLog()
        self._port: AudioPort | None = None
        self._is_leaving = False
        desk.sent(trunk)
        spawn(self._run())

    # --- CallLeg -------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        return self._leg.id

    @property
    def remote(self) -> str:
        return self._leg.remote

    @property
    def local(self) -> str:
        return self._leg.local

    @property
    def trunk(self) -> str | None:
        return self._trunk.name

    @property
    def refers(self) -> bool:
        return self._leg.refers

    @property
    def media_gap(self) -> bool:
        return self._leg.media_gap

    def connect(self, port: AudioPort) -> None:
        self._port = port
        self._leg.connect(port)

    def events(self) -> AsyncIterator[LegEvent]:
        return self._log.read()

    def ring(self) -> None:
        self._leg.ring()

    async def answer(self) -> None:
        await self._leg.answer()

    def reject(self, status: int, retry_after_s: int | None = None) -> None:
        self._leg.reject(status, retry_after_s)

    async def hang_up(self, why: str | None = None) -> None:
        self._is_leaving = True
        await self._leg.hang_up(why)

    def send_keys(self, digits: str, how: Keys = "auto") -> None:
        self._leg.send_keys(digits, how)

    async def hold(self) -> None:
        await self._leg.hold()

    async def resume(self) -> None:
        await self._leg.resume()

    async def refer(self, target: str | CallLeg) -> bool:
        return await self._leg.refer(target)

    @property
    def sip_call(self) -> Call:
        """The SIP call underneath, for Replaces."""
        return self._leg.sip_call

    # --- one trunk after the other -------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            ended = await self._follow()
            if ended is None:
                return
            if not await self._go_on(ended):
                self._log.tell(ended)
                return

    async def _follow(self) -> Ended | None:
        """Pass on what happens on this trunk. Returns the end that another trunk may repair, else None."""
        if not await self._heard_in_time():
            self._spawn(self._abandon(self._leg, self._trunk))
            return Ended("error", None, f"no answer to INVITE within {self._trunk.try_s:g} s")
        rung = False
        async for event in self._leg.events():
            if isinstance(event, Ended):
                self._desk.over(self._trunk, self._as_the_trunk_shows_it(event, rung), rung=rung)
                if not rung and is_trunks_fault(event) and not self._is_leaving:
                    return event
            elif isinstance(event, Ringing | EarlyMedia | Answered):
                if not rung or isinstance(event, Answered):
                    self._desk.rang(self._trunk, answered=isinstance(event, Answered))
                rung = True
            self._log.tell(event)
        return None

    def _as_the_trunk_shows_it(self, ended: Ended, rung: bool) -> Ended:
        """A trunk that took the call and never rang anybody until we gave up has failed it."""
        never_rang = not rung and not self._is_leaving and ended.by == "local"
        return Ended("error", None, "took the call and never rang") if never_rang else ended

    async def _heard_in_time(self) -> bool:
        """False when the trunk said nothing at all and another one is free."""
        try:
            async with asyncio.timeout(self._trunk.try_s):
                async for _ in self._leg.events():
                    return True
        except TimeoutError:
            another = not self._only and self._desk.choose(self._tried) is not None
            return self._leg.contacted or self._is_leaving or not another
        return True

    async def _abandon(self, leg: SipLeg, trunk: Trunk) -> None:
        try:
            await leg.hang_up()
        finally:
            self._desk.over(trunk, Ended("error", None, "no answer to INVITE"), rung=False)

    async def _go_on(self, ended: Ended) -> bool:
        """Send the call over the next trunk; False when none is left."""
        while not self._is_leaving and not self._only:
            trunk = self._desk.choose(self._tried)
            if trunk is None:
                return False
            self._tried.add(trunk.name)
            try:
                leg = await self._send(trunk)
            except NotWantedError:
                return False
            except ValueError:  # its name has no address, for one
                self._desk.unreachable(trunk)
                continue
            self._desk.sent(trunk)
            failed, self._leg, self._trunk = self._trunk.name, leg, trunk
            if self._port is not None:
                leg.connect(self._port)
            self._log.tell(TrunkTried(failed, ended.status, ended.reason, trunk.name, leg.id))
            if self._is_leaving:
                await leg.hang_up()
            return True
        return False
