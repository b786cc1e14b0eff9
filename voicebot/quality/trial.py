"""Trial: the sealed calls of a script played through a text that is not on the air, as a report to read before."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from voicebot.domain.clock import Clock
from voicebot.quality.calls_again import Candidate, ReplayError, again
from voicebot.quality.compare import Comparison, as_row, summary
from voicebot.store.store import Store

log = structlog.get_logger(__name__)

MOST = 1000


@dataclass
class Trial:
    """How far it is; once `done`, `report` is the id of the kept report, or `failed` says why there is none."""

    script: str
    number: int
    sha256: str
    by: str
    total: int = 0
    finished: int = 0
    done: bool = False
    failed: str = ""
    report: int | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)


async def play_all(
    trial: Trial, store: Store, recordings: Path, candidate: Candidate, clock: Clock, most: int = MOST
) -> None:
    """Fill `trial` with the newest `most` calls of its script, and keep the report. Cancelling keeps none."""
    calls = await store.replays.calls_of(trial.script, most)
    trial.total = len(calls)
    done: list[Comparison] = []
    unplayed = 0
    for _, bundle, case_id in calls:
        record = await store.cases.record(case_id) if case_id else None
        try:
            found, _ = await asyncio.to_thread(again, recordings / bundle, candidate, record.case if record else None)
            done.append(found)
        except ReplayError as error:
            unplayed += 1
            log.warning("a call can't be played again", error=str(error))
        trial.finished += 1
    trial.summary = {**summary(done), "unplayed": unplayed}
    rows = [as_row(found) for found in done if not found.same]
    name = f"{trial.script} v{trial.number}"
    trial.report = await store.replays.keep(
        trial.script, name, trial.sha256, trial.by, clock.now(), trial.summary, rows
    )
    trial.done = True
