"""Who answered? Synthesised calls through the ears of the product, as a table of what was and what was told.

    make eval-answer          (python -m benchmarks.answer --count 420 --json FILE)
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.answer.cases import SETS, SHARES, Case, draw
from voicebot.asr.recognizer import load_recognizer
from voicebot.audio.frames import cut
from voicebot.audio.vad import VoiceActivity
from voicebot.domain.understanding import Topic
from voicebot.intent.is_complete import is_complete_answer
from voicebot.intent.understander import Understander
from voicebot.pipeline.hearing import Hearing
from voicebot.pipeline.machine import LinePlays, Machine, Person, Verdict

TOGETHER = 40
NOTHING = "nothing"
MACHINES = ("announcement", "voicemail", "assistant", "tone", "fax")


@dataclass(slots=True)
class Told:
    """What was told about one call: `kind` and `cue` at its end, when it last changed its mind between person and
    machine (`decided_ms`), and whether it ever said machine. Times from the first sound of the other end."""

    case: Case
    kind: str = NOTHING
    cue: str = ""
    decided_ms: int | None = None
    ever_machine: bool = False

    def hear(self, verdict: Verdict, at_ms: int) -> None:
        kind, cue = _name(verdict)
        if kind == "line" and self.kind != NOTHING:
            return
        if _side(kind) != _side(self.kind) or self.decided_ms is None:
            self.decided_ms = max(0, at_ms - self.case.first_ms)
        self.kind, self.cue = ("ringback" if cue == "ringback" else "music") if kind == "line" else kind, cue
        self.ever_machine = self.ever_machine or kind in MACHINES


def _name(verdict: Verdict) -> tuple[str, str]:
    match verdict:
        case Person(cue=cue):
            return "person", cue
        case Machine(kind=kind, cue=cue):
            return kind, cue
        case LinePlays(sound=sound):
            return "line", str(sound)


def _side(kind: str) -> str:
    return "machine" if kind in MACHINES else kind


def listen(cases: Sequence[Case], hearing: Hearing) -> list[Told]:
    """All these calls at once, as one batch of the brain."""
    told = {number: Told(case) for number, case in enumerate(cases, 1)}
    for number, one in told.items():
        if one.case.answered:
            hearing.open(number).picked_up()
        else:
            hearing.open(number)
    frames = {number: cut(one.case.pcm) for number, one in told.items()}
    for tick in range(max(map(len, frames.values()))):
        now = [(number, sound[tick]) for number, sound in frames.items() if tick < len(sound)]
        for number, noticed in hearing.tick(tick, now):
            if isinstance(noticed, Machine | Person | LinePlays):
                told[number].hear(noticed, (tick + 1) * 20)
    for number in told:
        hearing.close(number)
    return list(told.values())


def evaluate(count: int, seed: int) -> list[Told]:
    """`count` calls, half of each set of wordings."""
    understander = Understander()

    def is_complete(text: str, topic: Topic) -> bool:
        return is_complete_answer(text, topic, understander)

    hearing = Hearing(load_recognizer(), VoiceActivity(), is_complete)
    cases = [case for wordings in SETS for case in draw(count // 2, wordings, seed)]
    return [one for at in range(0, len(cases), TOGETHER) for one in listen(cases[at : at + TOGETHER], hearing)]


def figures(told: Sequence[Told]) -> dict[str, object]:
    """Shares 0..1; times in milliseconds from the first sound of the other end."""
    people = [one for one in told if one.case.kind == "person"]
    machines = [one for one in told if one.case.kind in MACHINES]
    announcements = [one for one in told if one.case.kind == "announcement"]
    times = [one.decided_ms for one in told if one.decided_ms is not None and one.kind == one.case.kind]
    return {
        "calls": len(told),
        "right": _share(told, lambda one: one.kind == one.case.kind),
        "person_taken_for_machine": _share(people, lambda one: one.ever_machine),
        "machine_taken_for_person": _share(machines, lambda one: one.kind == "person"),
        "cue_right": _share(announcements, lambda one: one.cue == one.case.cue),
        "median_decision_ms": statistics.median(times),
        "p95_decision_ms": sorted(times)[int(0.95 * len(times))],
    }


def _share(told: Sequence[Told], holds: object) -> float:
    assert callable(holds)
    return round(sum(bool(holds(one)) for one in told) / max(1, len(told)), 4)


def show(told: Sequence[Told]) -> None:
    columns = [*SHARES, NOTHING]
    for wordings in SETS:
        some = [one for one in told if one.case.wordings == wordings]
        table = Table("was \\ told", *columns, "median ms", title=f"Who answered, wordings {wordings}")
        for kind in SHARES:
            rows = [one for one in some if one.case.kind == kind]
            counts = Counter(one.kind for one in rows)
            times = [one.decided_ms for one in rows if one.decided_ms is not None]
            cells = [str(counts[column] or "·") for column in columns]
            table.add_row(kind, *cells, f"{statistics.median(times):.0f}" if times else "–")
        Console(width=130).print(table)
        Console(width=130).print(figures(some))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.answer", description=__doc__)
    parser.add_argument("--count", type=int, default=420, help="calls, half of them with wordings kept apart")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--wrong", action="store_true", help="list the calls that were told wrongly")
    options = parser.parse_args()
    told = evaluate(options.count, options.seed)
    show(told)
    if options.wrong:
        for one in told:
            if one.kind != one.case.kind or (one.case.kind == "person" and one.ever_machine):
                case = one.case
                print(case.wordings, case.kind, case.cue, case.line, case.text, "->", one.kind, one.cue)
    if options.json:
        rows = [{"told": one.kind, "cue": one.cue, "decided_ms": one.decided_ms, "was": one.case.kind} for one in told]
        result = {"all": figures(told), "rows": rows} | {
            wordings: figures([one for one in told if one.case.wordings == wordings]) for wordings in SETS
        }
        with (open(options.json, "w") if options.json != "-" else sys.stdout) as out:
            json.dump(result, out, indent=1)


if __name__ == "__main__":
    main()
