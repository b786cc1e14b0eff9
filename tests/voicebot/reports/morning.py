"""A morning of sealed calls that take no time to make: scenes of the console's day, a tick of sound per fact."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from tests.voicebot.console.day import PEOPLE, SCENES, _case, script_of
from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import Fact
from voicebot.domain.records import CallRecord
from voicebot.evidence.bundle import bundle_folder
from voicebot.evidence.recorder import Recorder
from voicebot.evidence.signer import Signer
from voicebot.store import Store

MORNING = 8


async def morning(store: Store, recordings: Path, now: dt.datetime, calls: int = MORNING) -> None:
    """`calls` calls before `now`, every fifth of them an incoming one; each debtor has two."""
    cases = [_case(index, PEOPLE[index]) for index in range(calls // 2 + 1)]
    await store.cases.save(cases, now)
    signer = Signer.load_or_create(recordings.parent / "keys")
    for index in range(calls):
        began = now - dt.timedelta(minutes=5 * (calls - index))
        case, scene, call_id = cases[index // 2], SCENES[index % 4], f"call-{index:04d}"
        folder = bundle_folder(recordings, call_id, began)
        clock = FixedClock(began)
        recorder = Recorder(folder, call_id, clock=clock, environment={})
        facts: list[Fact] = []
        recorder.subscribe(facts.append)
        direction = "inbound" if index % 5 == 4 else "outbound"
        record = CallRecord(call_id, direction, case.numbers[0].number, began, case.case.id, script="reminder")
        await store.calls.start(record)
        for kind, data, seconds, _ in script_of(case, scene, began.date()):
            if seconds:
                recorder.tick(bytes(320), bytes(320), False)
            clock.advance(dt.timedelta(milliseconds=20))
            recorder.append(kind, data)
        bundle = recorder.seal(signer)
        await store.facts.append(call_id, facts)
        ended = {"answered_at": began, "ended_at": clock.now(), "duration_ms": recorder.ms, "verified": scene.verified}
        ended |= {"disposition": scene.disposition, "handoff": scene.handoff}
        await store.calls.change(call_id, **ended, bundle=str(bundle.relative_to(recordings)))
