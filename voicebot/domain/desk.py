"""Desk: what agents write after calls, which cases are theirs, and how their day went."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from voicebot.domain.case import Promise
from voicebot.domain.outcome import Disposition
from voicebot.domain.plan import Part


@dataclass(frozen=True, slots=True)
class Wrapup:
    """What one agent writes about one call. `parts` are the payments agreed on, none for no agreement.

    `callback_at` books a callback that this agent will make; `started_at` when writing began.
    """

    call_id: str
    agent_id: str
    code: Disposition
    started_at: dt.datetime
    case_id: str | None = None
    notes: str = ""
    parts: tuple[Part, ...] = ()
    waived_fen: int = 0
    callback_at: dt.datetime | None = None
    callback_reason: str = ""
    done_at: dt.datetime | None = None

    @property
    def promise(self) -> Promise | None:
        """The next payment, read back and confirmed by a person."""
        return Promise(self.parts[0].date, self.parts[0].amount_fen, confirmed=True) if self.parts else None


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """One agent's day. `kept` of `judged` promises whose day is over were paid; `wrap_s` is the mean."""

    calls: int = 0
    talk_s: int = 0
    promises: int = 0
    promised_fen: int = 0
    kept: int = 0
    judged: int = 0
    wrap_s: int = 0


@dataclass(frozen=True, slots=True)
class AgentCallback:
    """A callback on somebody's list; `agent_id` None while nobody took it."""

    id: int
    case_id: str | None
    call_id: str | None
    debtor_name: str
    number: str
    at: dt.datetime | None
    reason: str
    agent_id: str | None = None
