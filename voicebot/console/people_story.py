"""People: who of us is in a call, folded fact by fact; alerts, hints and the debtor's moods beside them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from voicebot.console.journal_values import first_text, label, text_of
from voicebot.domain.journal import Fact, FactKind

_MOST = 40
"""Alerts, hints and moods kept of one call."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An alert or a hint: what was said, and its kind or the rules it breaks."""

    ms: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Seat:
    """One agent in the call: ringing, answered or joined, since `at`."""

    state: str
    at: dt.datetime
    name: str = ""


@dataclass(frozen=True, slots=True)
class People:
    """`agent` is who talks, else whose phone rings; `state` is theirs: "", ringing, answered, joined or left.

    `seats`: all agents by id, as one may talk while the next one's phone rings. `supervisors`: agent id to mode.
    `moods`: milliseconds of recording and emotion. `reason`: why a person is wanted.
    """

    agent: str = ""
    agent_name: str = ""
    state: str = ""
    state_at: dt.datetime | None = None
    reason: str = ""
    skill: str = ""
    urgent: bool = False
    held: bool = False
    consult: str = ""
    consulted: bool = False
    seats: Mapping[str, Seat] = field(default_factory=dict)
    supervisors: Mapping[str, str] = field(default_factory=dict)
    alerts: tuple[Mark, ...] = ()
    hints: tuple[Mark, ...] = ()
    moods: tuple[tuple[int, str], ...] = ()

    @property
    def present(self) -> bool:
        """Whether an agent's phone rings or they are in the call."""
        return self.state in ("ringing", "answered", "joined")

    def seen_by(self, agent: str) -> People:
        """The same people with `agent`, who is in the call, as the agent."""
        seat = self.seats[agent]
        return replace(self, agent=agent, agent_name=seat.name, state=seat.state, state_at=seat.at)


def meet(people: People, fact: Fact) -> People:
    """Who is in the call after one more fact; most kinds change nothing."""
    step = _STEPS.get(fact.kind)
    return step(people, fact) if step else people


def _agent(state: str) -> Callable[[People, Fact], People]:
    def step(people: People, fact: Fact) -> People:
        agent = text_of(fact.data, "agent") or people.agent
        known = people.seats.get(agent)
        name = text_of(fact.data, "name") or (known.name if known else "")
        # Who joins takes the place of who talked.
        kept = {one: seat for one, seat in people.seats.items() if state != "joined" or seat.state != "joined"}
        if state == "joined":
            people = replace(people, supervisors={one: how for one, how in people.supervisors.items() if one != agent})
        return _led({**kept, agent: Seat(state, dt.datetime.fromisoformat(fact.at), name)}, people, fact)

    return step


def _gone(people: People, fact: Fact) -> People:
    """One agent is out, or nobody was to be had."""
    agent = text_of(fact.data, "agent") or people.agent
    return _led({one: seat for one, seat in people.seats.items() if one != agent}, people, fact)


def _led(seats: Mapping[str, Seat], people: People, fact: Fact) -> People:
    """Who talks leads, else whoever's phone rang last."""
    agent = next((one for one, seat in seats.items() if seat.state == "joined"), next(reversed(list(seats)), ""))
    if agent:
        same = people.agent == agent
        return replace(people, seats=seats, held=people.held and same).seen_by(agent)
    at = dt.datetime.fromisoformat(fact.at)
    return replace(people, seats=seats, state="left" if people.state else "", state_at=at, held=False, consult="")


def _wanted(people: People, fact: Fact) -> People:
    reason, skill = text_of(fact.data, "reason"), text_of(fact.data, "skill")
    return replace(people, reason=reason, skill=skill, urgent=fact.data.get("urgent") is True)


def _held(people: People, fact: Fact) -> People:
    return replace(people, held=fact.data.get("on") is True)


def _consulting(people: People, fact: Fact) -> People:
    target = text_of(fact.data, "target") if fact.kind is FactKind.CONSULT_STARTED else ""
    return replace(people, consult=target, consulted=True)


def _supervised(people: People, fact: Fact) -> People:
    agent, mode = text_of(fact.data, "agent"), text_of(fact.data, "mode")
    return replace(people, supervisors={**people.supervisors, agent: mode})


def _unsupervised(people: People, fact: Fact) -> People:
    gone = text_of(fact.data, "agent")
    return replace(people, supervisors={agent: mode for agent, mode in people.supervisors.items() if agent != gone})


def _alert(people: People, fact: Fact) -> People:
    rules = fact.data.get("rules")
    named = " ".join(map(str, rules)) if isinstance(rules, list | tuple) else text_of(fact.data, "rules")
    mark = Mark(fact.ms, named, text_of(fact.data, "text"))
    return replace(people, alerts=(*people.alerts, mark)[-_MOST:])


def _hint(people: People, fact: Fact) -> People:
    mark = Mark(fact.ms, text_of(fact.data, "kind"), first_text(fact.data, "text"))
    return replace(people, hints=(*people.hints, mark)[-_MOST:])


def _mood(people: People, fact: Fact) -> People:
    emotion = label(fact.data.get("emotion"))
    return replace(people, moods=(*people.moods, (fact.ms, emotion))[-_MOST:]) if emotion else people


_STEPS: Mapping[FactKind, Callable[[People, Fact], People]] = {
    FactKind.TRANSFER_STARTED: _wanted,
    FactKind.AGENT_RINGING: _agent("ringing"),
    FactKind.AGENT_ANSWERED: _agent("answered"),
    FactKind.JOINED: _agent("joined"),
    FactKind.TRANSFER_FAILED: _gone,
    FactKind.AGENT_LEFT: _gone,
    FactKind.AGENT_HOLD: _held,
    FactKind.CONSULT_STARTED: _consulting,
    FactKind.CONSULT_ENDED: _consulting,
    FactKind.SUPERVISOR_JOINED: _supervised,
    FactKind.SUPERVISOR_LEFT: _unsupervised,
    FactKind.GATE_ALERT: _alert,
    FactKind.HINT: _hint,
    FactKind.UNDERSTOOD: _mood,
}
