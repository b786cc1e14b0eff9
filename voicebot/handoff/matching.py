"""Matching: who of the waiting calls gets whom of the free agents. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence

from voicebot.domain.records import AgentRecord, WaitingCall

PATIENCE = dt.timedelta(seconds=8)
"""So long a call waits for the right person who is busy; then a person beats the right person."""
MANDARIN = "zh"
_ON_DUTY = ("ready", "busy", "wrap_up")
_BEGINNING = dt.datetime.min.replace(tzinfo=dt.UTC)


def match(queue: Sequence[WaitingCall], people: Sequence[AgentRecord], now: dt.datetime) -> dict[str, str]:
    """Call id to agent id. `queue` in serving order; everybody is given to one call at most.

    Whom the debtor knows comes first, then who has skill and language, then who has been idle longest.
    """
    free = {agent.id: agent for agent in people if agent.presence == "ready"}
    given: dict[str, str] = {}
    for call in queue:
        best = _best(call, free.values(), people, now)
        if best is not None:
            given[call.call_id] = best.id
            del free[best.id]
    return given


def on_duty(people: Iterable[AgentRecord], tried: Collection[str]) -> bool:
    """Whether waiting makes sense: somebody who was not tried is at work."""
    return any(agent.presence in _ON_DUTY and agent.id not in tried for agent in people)


def _best(
    call: WaitingCall, free: Iterable[AgentRecord], people: Sequence[AgentRecord], now: dt.datetime
) -> AgentRecord | None:
    candidates = [agent for agent in free if agent.id not in call.tried]
    if not candidates:
        return None
    best = min(candidates, key=lambda agent: _order(call, agent))
    if _fits(call, best) or call.urgent or now - call.since >= PATIENCE:
        return best
    comes = any(agent.presence in _ON_DUTY and agent.id not in call.tried and _fits(call, agent) for agent in people)
    return None if comes else best


def _order(call: WaitingCall, agent: AgentRecord) -> tuple[bool, bool, bool, dt.datetime, str]:
    return (
        agent.id != call.agent_id,
        not _speaks(call, agent),
        call.skill not in agent.skills,
        agent.presence_at or _BEGINNING,
        agent.id,
    )


def _fits(call: WaitingCall, agent: AgentRecord) -> bool:
    return agent.id == call.agent_id or (call.skill in agent.skills and _speaks(call, agent))


def _speaks(call: WaitingCall, agent: AgentRecord) -> bool:
    return call.language == MANDARIN or call.language in agent.languages
