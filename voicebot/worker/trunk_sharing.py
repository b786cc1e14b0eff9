"""TrunkSharing: this line's part of every trunk, settled with the other lines in the database every second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

import structlog

from voicebot.domain.clock import Clock
from voicebot.store.database import is_away
from voicebot.store.trunk_shares import LASTS, TrunkShares, Wish
from voicebot.telephony.trunk_choice import TrunkState
from voicebot.telephony.trunk_desk import TrunkDesk

log = structlog.get_logger(__name__)

EVERY_S = 1.0
SPARE = 0.1
"""Part of a trunk's channels that a line keeps beyond its calls while others may want them; at least two."""
HELD_S = LASTS.total_seconds() / 2
"""Without a word of the database for so long no call is begun: others may take our share soon."""


LONELY_S = 15.0
"""The first worker of a machine registers by itself when the database has said nothing for so long after the start."""
Registers = Callable[[str, bool], None]
"""Told of each trunk whether it is on this line to stay registered with it."""


class TrunkSharing:
    """`clock` None: the database's, which all workers share. `monotonic`: seconds that never go back.

    `fit`: whether this line takes calls that come in; one that does not hands its registrations over. `first`: of its
    machine.
    """

    def __init__(
        self,
        shares: TrunkShares,
        desk: TrunkDesk,
        worker: str,
        clock: Clock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        registers: Registers = lambda trunk, ours: None,
        fit: Callable[[], bool] = lambda: True,
        first: bool = True,
    ) -> None:
        self._shares, self._desk, self._worker, self._clock = shares, desk, worker, clock
        self._monotonic = monotonic
        self._registers, self._fit, self._first = registers, fit, first
        self._began = monotonic()
        self._agreed_at: float | None = None
        self._hold_back()  # before the first word of the database no call is begun on a trunk

    async def run(self) -> None:
        """Renew until cancelled."""
        while True:
            await self.renew()
            await asyncio.sleep(EVERY_S)

    async def renew(self) -> bool:
        """Settle once; False while the database is away."""
        if not self._desk.states:
            return True
        fit = self._fit()
        wishes = {name: _wish(state, fit) for name, state in self._desk.states.items()}
        self._hold_to(wishes)
        try:
            shares = await self._shares.renew(self._worker, wishes, self._clock.now() if self._clock else None)
        except Exception as error:
            if not is_away(error):
                log.exception("the trunks can't be shared out")
            if self._agreed_at is None or self._monotonic() - self._agreed_at > HELD_S:
                self._hold_back()
            self._register_unasked(wishes)
            return False
        self._agreed_at = self._monotonic()
        for name, share in shares.items():
            self._desk.share(name, share.channels, share.per_second)
            self._registers(name, share.registers)
        return True

    def _register_unasked(self, wishes: Mapping[str, Wish]) -> None:
        """Better two who are registered than nobody. What was agreed before the database was away goes on."""
        if self._first and self._agreed_at is None and self._monotonic() - self._began > LONELY_S:
            for name, wish in wishes.items():
                self._registers(name, bool(wish.registers))

    async def give_back(self) -> None:
        """The line has no calls any more; a database that is away forgets our shares by itself."""
        try:
            await self._shares.give_back(self._worker)
        except Exception as error:
            if not is_away(error):
                raise

    def _hold_to(self, wishes: dict[str, Wish]) -> None:
        """Until the database has answered no more than was wished for and was ours before."""
        for name, wish in wishes.items():
            state = self._desk.states[name]
            self._desk.share(name, min(state.channels, wish.used + wish.spare), state.rate)

    def _hold_back(self) -> None:
        """Begin no further call."""
        for name, state in self._desk.states.items():
            self._desk.share(name, state.running, 0.0)


def _wish(state: TrunkState, fit: bool) -> Wish:
    trunk = state.trunk
    spare = max(2, round(trunk.max_calls * SPARE))
    address = f"{trunk.account.user}@{trunk.aor_host}" if trunk.account is not None and trunk.registering else ""
    return Wish(trunk.max_calls, trunk.calls_per_second, state.running, spare, address if fit else "")
