"""LineCrew: a line as a member of the fleet: what it says of itself, and what it does when drained or given up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection
from dataclasses import asdict

import structlog

from voicebot.call.relay import Relays
from voicebot.call.runner import CallRunner, Room
from voicebot.domain.fleet import Beat
from voicebot.domain.journal import FactKind
from voicebot.evidence.recorder import RecordingClosed
from voicebot.telemetry.process_figures import LineFigures

GIVEN_UP = "this worker was silent and taken for dead: the call was booked as lost, and is booked anew"
log = structlog.get_logger(__name__)


class LineCrew:
    """`figures`: what the line knows of itself; `most`: calls at once."""

    def __init__(self, runner: CallRunner, relays: Relays, figures: Callable[[], LineFigures], most: int) -> None:
        self._runner, self._relays, self._figures, self._most = runner, relays, figures, most
        self._ending: set[asyncio.Task[None]] = set()
        self.stopping = False
        """The process ends: no order makes it take calls again."""

    def beat(self, skew_ms: int) -> Beat:
        calls = self._runner.running + self._relays.running
        return Beat(calls, self._most, self._runner.may_dial, skew_ms, asdict(self._figures()))

    def running(self) -> Collection[str]:
        return [session.facts.call_id for session in self._runner.sessions.values()]

    def drain(self, on: bool) -> None:
        if not self.stopping:
            self._runner.draining = on

    def given_up(self) -> None:
        """What only rings is ended; where somebody talks, the journal says that the call was booked as lost."""
        for session in list(self._runner.sessions.values()):
            with contextlib.suppress(RecordingClosed):
                session.recorder.append(FactKind.NOTE, {"text": GIVEN_UP})
            if session.facts.direction == "outbound" and not session.answered:
                log.warning("ends a call that only rings: it was given up", call_id=session.facts.call_id)
                task = asyncio.create_task(session.hang_up())
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)


class MemberRoom:
    """Room for calls that are begun: the recorder's, as long as the worker is a member in good standing."""

    def __init__(self, room: Room, may_dial: Callable[[], bool]) -> None:
        self._room, self._standing = room, may_dial

    @property
    def may_dial(self) -> bool:
        return self._standing() and self._room.may_dial

    @property
    def may_answer(self) -> bool:
        return self._room.may_answer
