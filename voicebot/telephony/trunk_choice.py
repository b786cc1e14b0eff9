"""Choosing a trunk: priority, weight, channels, calls per second and health. Pure: time and chance come in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from voicebot.telephony.trunk import Trunk

LOOK_EVERY_S = 0.02
"""How often a call that waits looks for its turn."""
FAILURES_TO_OPEN = 3
"""Calls in a row that a trunk failed before it is left alone for a while."""
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0
TRIAL_S = 15.0
"""After a pause one call tries the trunk; so long the others wait for what becomes of it."""
PROBES_DOWN = 2
"""Probes in a row without an answer that make a trunk unhealthy."""
PROBES_UP = 2
"""Answers in a row that make it healthy again, so that a trunk that flickers does not flicker for us."""


PACED = "calls per second reached"
LENT = "the other channels are with other lines"


class Registered(StrEnum):
    """Whether the trunk knows us by registration."""

    NOT_NEEDED = "not_needed"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    ELSEWHERE = "elsewhere"
    """Another line of the fleet is registered; this one dials as the same account all the same."""


class Trouble(StrEnum):
    """Why somebody should see to a trunk."""

    REFUSED = "registration refused"
    SILENT = "no answer to OPTIONS"
    FAILING = "left alone after failures"


@dataclass(frozen=True, slots=True)
class TrunkState:
    """What is known of a trunk at a moment. Times are monotonic seconds.

    `tokens` as of `tokens_at`: calls that may start at once. `paused_until`: left alone after failures or because
    a 503 said so. `failures`: in a row. `probes`: answers in a row, negative for silence.
    """

    trunk: Trunk
    running: int = 0
    tokens: float = 1.0
    tokens_at: float = 0.0
    failures: int = 0
    pauses: int = 0
    paused_until: float = 0.0
    probes: int = 0
    healthy: bool = True
    registered: Registered = Registered.NOT_NEEDED
    on_trial: bool = False
    last_failure: str = ""
    channels_share: int | None = None
    rate_share: float | None = None

    @property
    def channels(self) -> int:
        """Calls at once: what is left of the trunk to this line, where lines share it."""
        return self.trunk.max_calls if self.channels_share is None else self.channels_share

    @property
    def rate(self) -> float:
        """New calls per second, of this line."""
        return self.trunk.calls_per_second if self.rate_share is None else self.rate_share

    @property
    def burst(self) -> float:
        """The bucket's size: one call, so that no second holds more than its number, however long nobody called. At
        rates at which a waiting call looks for its turn less often than turns come, what comes between two looks."""
        return max(1.0, self.rate * LOOK_EVERY_S)

    def tokens_now(self, now: float) -> float:
        return min(self.burst, self.tokens + max(0.0, now - self.tokens_at) * self.rate)


def obstacle(state: TrunkState, now: float) -> str | None:
    """Why the trunk can't take a call at this moment, for the log and the console; None when it can."""
    if state.registered in (Registered.WAITING, Registered.FAILED):
        return "not registered"
    if not state.healthy:
        return "does not answer OPTIONS"
    if now < state.paused_until:
        return "paused after failures"
    if state.running >= state.channels:
        return "all channels in use" if state.running >= state.trunk.max_calls else LENT
    if state.tokens_now(now) < 1.0:
        return PACED
    return None


def trouble(state: TrunkState, now: float) -> Trouble | None:
    """Why a trunk is out of use for a reason that somebody should see to; None where there is none."""
    if state.registered is Registered.FAILED:
        return Trouble.REFUSED
    if not state.healthy:
        return Trouble.SILENT
    return Trouble.FAILING if now < state.paused_until and not state.on_trial else None


def choose(
    states: Sequence[TrunkState], now: float, draw: float, tried: Collection[str] = ()
) -> TrunkState | None:
    """The trunk for the next call: of those that can take one, the lowest priority, among these by weight.

    `draw` in [0, 1) decides among equals. `tried`: names that already failed this call. None: none can take it.
    """
    able = [s for s in states if s.trunk.name not in tried and obstacle(s, now) is None]
    if not able:
        return None
    first = min(s.trunk.priority for s in able)
    equals = [s for s in able if s.trunk.priority == first]
    total = sum(s.trunk.weight for s in equals)
    if total == 0:
        return equals[int(draw * len(equals))]
    mark = draw * total
    for state in equals:
        mark -= state.trunk.weight
        if mark < 0:
            return state
    return [s for s in equals if s.trunk.weight][-1]


def shared(state: TrunkState, now: float, channels: int, rate: float) -> TrunkState:
    """The line may use that much of the trunk from now on."""
    with_tokens = replace(state, tokens=state.tokens_now(now), tokens_at=now)
    return replace(with_tokens, channels_share=channels, rate_share=rate)


# --- what happens to a trunk ---------------------------------------------------------------------------------------


def started(state: TrunkState, now: float) -> TrunkState:
    """A call was sent to it; the first one after a pause is the trunk's trial."""
    sent = replace(state, running=state.running + 1, tokens=state.tokens_now(now) - 1.0, tokens_at=now)
    if state.failures < FAILURES_TO_OPEN:
        return sent
    return replace(sent, on_trial=True, paused_until=max(state.paused_until, now + TRIAL_S))


def received(state: TrunkState) -> TrunkState:
    """A call came in over it."""
    return replace(state, running=state.running + 1)


def registered(state: TrunkState, news: Registered, why: str = "") -> TrunkState:
    """What became of our REGISTER."""
    failure = why if news is Registered.FAILED else state.last_failure
    return replace(state, registered=news, last_failure=failure)


def ended(state: TrunkState) -> TrunkState:
    """One of its calls is over."""
    return replace(state, running=max(0, state.running - 1))


def served(state: TrunkState) -> TrunkState:
    """It rang somebody, or passed on a callee's answer: it works."""
    return replace(state, failures=0, pauses=0, paused_until=0.0, on_trial=False)


def failed(state: TrunkState, now: float, why: str, retry_after_s: float | None = None) -> TrunkState:
    """A call failed for its sake. Retry-After pauses it at once; else FAILURES_TO_OPEN in a row, or a failed trial.

    Each such pause is twice as long as the one before. Calls that were under way when it began do not lengthen it.
    """
    until, pauses, failures = state.paused_until, state.pauses, state.failures + 1
    if retry_after_s is not None:
        until = max(until, now + min(max(retry_after_s, 0.0), LONGEST_PAUSE_S))
    if failures >= FAILURES_TO_OPEN and (state.on_trial or now >= state.paused_until):
        until = max(until if retry_after_s is not None else 0.0, now + min(FIRST_PAUSE_S * 2**pauses, LONGEST_PAUSE_S))
        pauses = min(pauses + 1, 10)
    return replace(state, failures=failures, pauses=pauses, paused_until=until, on_trial=False, last_failure=why)


def probed(state: TrunkState, answered: bool) -> TrunkState:
    """An OPTIONS was answered, by whatever status that shows it alive, or was not."""
    probes = max(state.probes, 0) + 1 if answered else min(state.probes, 0) - 1
    healthy = state.healthy
    if probes <= -PROBES_DOWN:
        healthy = False
    elif probes >= PROBES_UP:
        healthy = True
    why = state.last_failure if answered else "no answer to OPTIONS"
    return replace(state, probes=probes, healthy=healthy, last_failure=why)
