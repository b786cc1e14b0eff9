"""One call with a switchboard and an office of people, for the tests of the people in a call."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping

import numpy as np

from voicebot.audio.frames import SILENCE
from voicebot.domain.journal import FactKind
from voicebot.handoff.desk import Wanted
from voicebot.handoff.rules import TransferRules
from voicebot.handoff.switchboard import Switchboard
from voicebot.handoff.testing import Office, agent
from voicebot.handoff.transfer import Briefing
from voicebot.telephony.leg import Answered, Ended
from voicebot.telephony.testing import SimulatedLeg, SimulatedLine

NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)
WANTED = Wanted("c1", "asked")
URGENT = Wanted("c1", "danger", "crisis", urgent=True)
GONE = Ended("remote", None, "the peer hung up")


def voice(hz: int) -> bytes:
    return (2500 * np.sin(2 * np.pi * hz * np.arange(160) / 8000)).astype("<i2").tobytes()


DEBTOR = voice(200)


class Call:
    """One call with a switchboard; it is its host. Each phone hums its own tone."""

    def __init__(self, *agents: str, supervisors: tuple[str, ...] = (), **rules: float) -> None:
        people = [agent(name) for name in (*agents, *supervisors)]
        self.office = Office(people, lambda: NOW, supervisors)
        for name in supervisors:
            self.office.set_presence(name, "away")
        self.line, self.leg = SimulatedLine(), SimulatedLeg()
        self.facts: list[tuple[FactKind, Mapping[str, object]]] = []
        self.told: list[str] = []
        self.call_id = "c1"
        self.people = Switchboard(self, self.office, self.line, self.leg, TransferRules(**rules))  # type: ignore[arg-type]
        self.tick = 0

    # --- Host ----------------------------------------------------------------------------------------------

    def journal(self, kind: FactKind, data: Mapping[str, object]) -> None:
        self.facts.append((kind, data))

    def taken_over(self) -> None:
        self.told.append("taken over")

    def not_taken(self, why: str) -> None:
        self.told.append(f"not taken: {why}")

    def left_alone(self) -> None:
        self.told.append("left alone")

    def say(self, name: str) -> None:
        self.told.append(f"say {name}")

    async def hang_up(self) -> None:
        self.told.append("hang up")

    # --- the play ------------------------------------------------------------------------------------------

    def phone(self, name: str) -> SimulatedLeg:
        """The phone that was rung last for this person."""
        return next(leg for leg in reversed(self.line.legs) if name in leg.remote)

    async def answers(self, name: str) -> SimulatedLeg:
        await settle()
        self.phone(name).tell(Answered())
        await settle()
        return self.phone(name)

    async def turn(self, *phones: SimulatedLeg, ticks: int = 3) -> list[bytes]:
        """What the debtor hears and then each of `phones`, in the last of some ticks in which all hum."""
        for _ in range(ticks):
            self.tick += 1
            heard = [self.people.exchange(DEBTOR, None) or SILENCE]
            heard += [leg.tick(self.tick, hum(leg)) for leg in phones]
        await settle()
        return heard

    async def joined(self) -> SimulatedLeg:
        assert self.people.fetch(WANTED, Briefing())
        leg = await self.answers("a0")
        await self.turn(leg)
        assert self.kinds[-1] is FactKind.JOINED
        return leg

    def data(self, kind: FactKind) -> list[dict[str, object]]:
        return [dict(data) for one, data in self.facts if one is kind]

    @property
    def kinds(self) -> list[FactKind]:
        return [kind for kind, _ in self.facts]


def hum(leg: SimulatedLeg) -> bytes:
    return voice(400 + 150 * (sum(leg.remote.encode()) % 7))


def voices(heard: bytes, *expected: bytes) -> bool:
    """Whether this is the sum of these and of nothing else."""
    got = np.frombuffer(heard, "<i2").astype(int)
    total = sum((np.frombuffer(one, "<i2").astype(int) for one in expected), start=np.zeros(160, int))
    return bool(np.max(np.abs(got - total)) <= len(expected))


async def settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)
