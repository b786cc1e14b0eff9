"""TrunkDesk: all trunks of a line with their state; hands out the next one, learns from what became of the call."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

import structlog

from voicebot.telephony import trunk_choice
from voicebot.telephony.leg import Ended, UndiallableError
from voicebot.telephony.outcome import Blame, Retry, answer_of
from voicebot.telephony.trunk import Trunk
from voicebot.telephony.trunk_choice import LOOK_EVERY_S, PACED, Registered, Trouble, TrunkState, obstacle, trouble

log = structlog.get_logger(__name__)

WAIT_S = 10.0
"""How long a call waits for a channel, or for its turn within the calls per second."""
RATE_WINDOW_S = 10.0


@dataclass(slots=True)
class Tally:
    """What became of a trunk's calls since the start. `starts`: monotonic times of the latest."""

    tried: int = 0
    rung: int = 0
    answered: int = 0
    failed: int = 0
    inbound: int = 0
    last_failure: str = ""
    last_failure_at: float | None = None
    starts: deque[float] = field(default_factory=lambda: deque(maxlen=1000))

    def per_second(self, now: float) -> float:
        return sum(1 for at in self.starts if now - at <= RATE_WINDOW_S) / RATE_WINDOW_S


class TrunkDesk:
    """`now`: monotonic seconds; `draw`: chance in [0, 1)."""

    def __init__(
        self,
        trunks: Iterable[Trunk],
        now: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._now, self._draw = now, draw
        self.on_trouble: Callable[[str, Trouble, str], None] | None = None
        """Told of a trunk, why it can't be used any more, and what it said last; once until it works again."""
        self._in_trouble: set[str] = set()
        self._peers: dict[str, str] = {}
        self.states: dict[str, TrunkState] = {}
        self.tallies: dict[str, Tally] = {}
        for trunk in trunks:
            self.states[trunk.name] = TrunkState(trunk, tokens=1.0, tokens_at=now())
            self.tallies[trunk.name] = Tally()

    def __bool__(self) -> bool:
        return bool(self.states)

    # --- handing out ---------------------------------------------------------------------------------------

    def choose(self, tried: Collection[str] = (), only: str | None = None) -> Trunk | None:
        """The trunk for a call that starts now, or None."""
        states = [s for s in self.states.values() if only is None or s.trunk.name == only]
        chosen = trunk_choice.choose(states, self._now(), self._draw(), tried)
        return chosen.trunk if chosen else None

    def has_way_out(self) -> bool:
        """True where a call to a number needs to wait a moment at most; also where there is no trunk at all."""
        now = self._now()
        obstacles = [obstacle(state, now) for state in self.states.values()]
        return not obstacles or any(what in (None, PACED) for what in obstacles)

    async def wait(self, only: str | None = None) -> Trunk:
        """The same, waiting a while for channel, turn or registration. UndiallableError names every obstacle."""
        if only is not None and only not in self.states:
            raise UndiallableError(f"there is no trunk {only!r}: see the names in VOICEBOT_TRUNKS")
        until = self._now() + WAIT_S
        while (trunk := self.choose(only=only)) is None:
            if self._now() >= until:
                raise UndiallableError(f"no trunk can take the call: {self._obstacles(only)}")
            await asyncio.sleep(LOOK_EVERY_S)
        return trunk

    def _obstacles(self, only: str | None) -> str:
        states = [s for s in self.states.values() if only is None or s.trunk.name == only]
        return "; ".join(f"{s.trunk.name}: {obstacle(s, self._now()) or 'free'}" for s in states)

    def share(self, name: str, channels: int, rate: float) -> None:
        """Use at most so many channels, and so many new calls per second, of a trunk that other lines use too."""
        self.states[name] = trunk_choice.shared(self.states[name], self._now(), channels, rate)

    # --- what became of calls ------------------------------------------------------------------------------

    def sent(self, trunk: Trunk) -> None:
        """An INVITE went to it."""
        tally, now = self.tallies[trunk.name], self._now()
        tally.tried += 1
        tally.starts.append(now)
        self._change(trunk, trunk_choice.started(self.states[trunk.name], now))

    def received(self, trunk: Trunk) -> None:
        """A call came in over it; it uses a channel too."""
        self.tallies[trunk.name].inbound += 1
        state = self.states[trunk.name]
        self._change(trunk, trunk_choice.received(state))

    def rang(self, trunk: Trunk, *, answered: bool = False) -> None:
        """It found the callee."""
        tally = self.tallies[trunk.name]
        tally.answered += answered
        tally.rung += not answered
        self._change(trunk, trunk_choice.served(self.states[trunk.name]))

    def over(self, trunk: Trunk, ended: Ended, *, rung: bool) -> None:
        """A call on it ended. What was said before anybody was rung tells whether the trunk works."""
        state = trunk_choice.ended(self.states[trunk.name])
        if not rung and ended.by != "local":
            if is_trunks_fault(ended):
                state = self._failed(state, ended)
            elif answer_of(ended.status, ended.q850).blame is Blame.CALLEE:
                state = trunk_choice.served(state)
        self._change(trunk, state)

    def unreachable(self, trunk: Trunk) -> None:
        """Its address can't be found, so nothing was sent."""
        state = trunk_choice.started(self.states[trunk.name], self._now())
        self._change(trunk, self._failed(trunk_choice.ended(state), Ended("error", None, "its address can't be found")))

    def _failed(self, state: TrunkState, ended: Ended) -> TrunkState:
        tally, now = self.tallies[state.trunk.name], self._now()
        why = f"{ended.status} {ended.reason}" if ended.status else ended.reason
        tally.failed += 1
        tally.last_failure, tally.last_failure_at = why, now
        after = ended.retry_after_s if ended.status == 503 else None
        failed = trunk_choice.failed(state, now, why, after)
        if failed.paused_until > state.paused_until:
            log.warning("a trunk is left alone", trunk=state.trunk.name, why=why, for_s=failed.paused_until - now)
        return failed

    def probed(self, trunk: Trunk, answered: bool) -> None:
        """An OPTIONS was answered or not."""
        before = self.states[trunk.name]
        after = trunk_choice.probed(before, answered)
        if after.healthy != before.healthy:
            log.warning("a trunk answers again" if after.healthy else "a trunk does not answer", trunk=trunk.name)
        self._change(trunk, after)

    def registered(self, trunk: Trunk, state: Registered, why: str = "") -> None:
        """News of the registration."""
        if state is Registered.FAILED:
            log.error("a trunk refuses our registration: see its user and password", trunk=trunk.name, why=why)
            self.tallies[trunk.name].last_failure = f"REGISTER: {why}"
            self.tallies[trunk.name].last_failure_at = self._now()
        self._change(trunk, trunk_choice.registered(self.states[trunk.name], state, why))

    def _change(self, trunk: Trunk, state: TrunkState) -> None:
        self.states[trunk.name] = state
        found = trouble(state, self._now())
        if found is None:
            if state.failures == 0:
                self._in_trouble.discard(trunk.name)
        elif trunk.name not in self._in_trouble:
            self._in_trouble.add(trunk.name)
            if self.on_trouble is not None:
                self.on_trouble(trunk.name, found, state.last_failure)

    # --- inbound -------------------------------------------------------------------------------------------

    def learn_peer(self, trunk: Trunk, host: str) -> None:
        """A trunk that is named by a host name calls from the addresses that the name has, unless told otherwise."""
        if not trunk.inbound.peers:
            self._peers[host] = trunk.name

    def of_address(self, host: str, port: int | None) -> Trunk | None:
        """The trunk with a password behind which an address lies: its domain, or its host where it has none."""
        for state in self.states.values():
            trunk = state.trunk
            same = (trunk.domain or trunk.host).lower() == host.lower() and port in (None, trunk.port)
            if trunk.account is not None and same:
                return trunk
        return None

    def of_source(self, host: str) -> Trunk | None:
        """Whose calls come from this IP address."""
        for state in self.states.values():
            if state.trunk.takes_from(host):
                return state.trunk
        name = self._peers.get(host)
        return self.states[name].trunk if name else None


def is_trunks_fault(ended: Ended) -> bool:
    """True where another trunk may do better: nothing came, it could not, or it does not know us."""
    if ended.by == "local":
        return False
    if ended.by == "error" or (ended.status == 408 and ended.q850 is None):
        return True
    return answer_of(ended.status, ended.q850).retry is Retry.OTHER_TRUNK
