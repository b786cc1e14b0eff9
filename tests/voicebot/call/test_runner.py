"""CallRunner: how many calls, who is sent away, and that every call ends in sealed evidence whatever happens."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from voicebot.call.outcome import CallOutcome
from voicebot.call.runner import Caller, CallRunner, DialOrder
from voicebot.domain.case import CallFacts
from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.outcome import Disposition
from voicebot.domain.talk import Report
from voicebot.evidence.signer import Signer
from voicebot.evidence.verify import verify_bundle
from voicebot.handoff.testing import Office
from voicebot.telephony.leg import Answered, Ended
from voicebot.telephony.testing import SimulatedLeg, SimulatedLine

NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)
MOST = 2


class Brain:
    """A brain that listens."""

    def __init__(self) -> None:
        self.alive = True

    def report(self, report: Report) -> None: ...

    def frame(self, call: int, pcm: bytes) -> None: ...

    def stored(self, name: str) -> bytes | None:
        return None


class Desk:
    """Everything of one runner; it is its call book too."""

    def __init__(self, folder: Path) -> None:
        self.line, self.brain = SimulatedLine(), Brain()
        self.office = Office([], lambda: NOW)
        self.facts: list[Fact] = []
        self.over: list[tuple[CallOutcome, Path]] = []
        self.unsealed: list[Path] = []
        self.one_over = asyncio.Semaphore(0)
        self.who = "sip:caller@192.0.2.7"
        self.runner = CallRunner(
            self.line, self.brain, self.office, self, FixedClock(NOW), recordings=folder / "recordings",
            signer=Signer.load_or_create(folder / "keys"), scripts=folder, max_calls=MOST, inbound_script="inbound",
            worker="w-0", look_up=self._look_up, unsealed=self.unsealed.append,
        )  # fmt: skip

    async def _look_up(self, remote: str) -> Caller:
        await asyncio.sleep(0)
        return Caller(remote, None)

    def opened(self, facts: CallFacts, script: str, attempt_id: str | None) -> None: ...

    def fact(self, call_id: str, fact: Fact) -> None:
        self.facts.append(fact)

    def live(self, call_id: str, data: Mapping[str, object]) -> None: ...

    def closed(self, facts: CallFacts, outcome: CallOutcome, bundle: Path, attempt_id: str | None) -> None:
        self.over.append((outcome, bundle))
        self.one_over.release()

    async def ring_in(self) -> SimulatedLeg:
        leg = SimulatedLeg(self.who)
        await self.runner.incoming(leg)
        await asyncio.sleep(0.01)
        return leg

    async def dial(self, call_id: str = "c1") -> SimulatedLeg:
        await self.runner.dial(DialOrder(call_id, "sip:debtor@192.0.2.9", "reminder", None, None))
        await asyncio.sleep(0.01)
        return self.line.legs[-1]

    async def until_over(self, calls: int = 1) -> None:
        async with asyncio.timeout(10):
            for _ in range(calls):
                await self.one_over.acquire()
        await asyncio.sleep(0.02)


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    one = Desk(tmp_path)
    yield one
    await one.runner.drain(0)


async def test_calls_beyond_the_limit_are_sent_away_for_a_while(desk: Desk) -> None:
    legs = await asyncio.gather(*(desk.ring_in() for _ in range(MOST + 1)))
    refused = [leg.refused for leg in legs if leg.refused is not None]
    assert refused == [(503, 30)], "calls that came together slipped past the limit"
    assert desk.runner.refusal() == 503
    await next(leg for leg in legs if leg.refused is None).hang_up()
    await desk.until_over()
    assert desk.runner.refusal() is None


async def test_without_a_brain_nobody_is_answered(desk: Desk) -> None:
    desk.brain.alive = False
    assert (await desk.ring_in()).refused == (503, 30)
    assert desk.facts == []


async def test_a_call_leaves_sealed_evidence_and_an_outcome(desk: Desk) -> None:
    leg = await desk.dial()
    leg.tell(Ended("remote", 486, "Busy Here"))
    await desk.until_over()
    outcome, bundle = desk.over[0]
    assert outcome.disposition is Disposition.BUSY
    assert verify_bundle(bundle).failures == ()
    assert [fact.kind for fact in desk.facts] == [FactKind.STARTED, FactKind.DIALLED, FactKind.ENDED]


async def test_a_call_in_which_the_line_fails_is_hung_up_and_sealed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    leg = await desk.dial()
    session = desk.runner.find("c1")
    assert session is not None
    monkeypatch.setattr(session, "_on_answered", lambda: 1 / 0)
    leg.tell(Answered())
    await desk.until_over()
    assert leg.ended is not None, "the callee holds a dead line for ever"
    kinds = [fact.kind for fact in desk.facts]
    assert FactKind.ENDED in kinds and FactKind.NOTE in kinds
    assert verify_bundle(desk.over[0][1]).failures == ()
    assert desk.runner.running == 0


async def test_who_cannot_be_recorded_is_neither_dialled_nor_answered(desk: Desk, tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir(exist_ok=True)
    recordings.rename(tmp_path / "elsewhere")
    recordings.write_text("a file where the folder should be")
    with pytest.raises(OSError):
        await desk.runner.dial(DialOrder("c9", "sip:debtor@192.0.2.9", "reminder", None, None))
    assert desk.line.legs == [], "the phone rang"
    assert (await desk.ring_in()).refused == (503, 30)
    assert desk.runner.running == 0 and desk.facts == []


async def test_a_call_that_no_trunk_takes_leaves_no_recording(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> SimulatedLeg:
        raise ConnectionError("no trunk")

    monkeypatch.setattr(desk.line, "dial", away)
    with pytest.raises(ConnectionError):
        await desk.runner.dial(DialOrder("c9", "sip:debtor@192.0.2.9", "reminder", None, None))
    assert list((tmp_path / "recordings").rglob("*.jsonl")) == []
    monkeypatch.undo()
    leg = await desk.dial("c9")
    assert leg.ended is None, "the same call cannot be tried again"


async def test_a_full_disk_ends_the_call_and_not_the_book(desk: Desk) -> None:
    leg = await desk.dial()
    leg.tell(Answered())
    await asyncio.sleep(0.01)
    session = desk.runner.find("c1")
    assert session is not None
    session.recorder._files.failure = OSError(28, "No space left on device")
    leg.tick(1)
    await desk.until_over()
    assert leg.ended is not None
    assert desk.runner.running == 0
    assert desk.unsealed == [desk.over[0][1]], "somebody must seal it when there is room"


async def test_draining_takes_nobody_and_waits_for_those_who_talk(desk: Desk) -> None:
    leg = await desk.ring_in()
    draining = asyncio.create_task(desk.runner.drain(5))
    await asyncio.sleep(0.05)
    assert (await desk.ring_in()).refused == (503, 30)
    assert not draining.done() and leg.ended is None
    leg.tell(Ended("remote", None, "bye"))
    await asyncio.wait_for(draining, 3)
    assert len(desk.over) == 1


async def test_draining_hangs_up_on_all_together_when_patience_is_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    legs = [await desk.ring_in() for _ in range(MOST)]

    async def slow(self: SimulatedLeg) -> None:
        await asyncio.sleep(0.3)
        self.tell(Ended("local", None, "hung up"))

    monkeypatch.setattr(SimulatedLeg, "hang_up", slow)
    began = time.monotonic()
    await desk.runner.drain(0.05)
    assert time.monotonic() - began < 0.3 * MOST + 0.2
    assert all(leg.ended for leg in legs)
    assert len(desk.over) == MOST
