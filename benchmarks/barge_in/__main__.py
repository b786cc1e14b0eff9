"""Talking over the bot: from the third syllable of words to its silence, and company that must not stop it.

    python -m benchmarks.barge_in --count 400 --json FILE

Through the ears of the product, echo guard included. The clock is the sound's own, 20 ms a tick, and one tick is added
for the order's way to the line. What jitter buffers and a busy machine add is measured by `python -m benchmarks.turns`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from rich.console import Console
from rich.table import Table

from benchmarks.barge_in.overlaps import ECHOES_DB, Overlap, draw
from voicebot.asr.recognizer import load_recognizer
from voicebot.audio.frames import SILENCE, cut
from voicebot.audio.vad import VoiceActivity
from voicebot.domain.talk import OWN_SIDE
from voicebot.pipeline.barge_in import interrupts
from voicebot.pipeline.hearing import Hearing
from voicebot.pipeline.noticed import Noticed, Partial, Utterance

TOGETHER = 40


@dataclass(slots=True)
class Played:
    """`stopped_ms`: when the bot fell silent, None if it spoke to its end; `by`: the words that did it."""

    overlap: Overlap
    stopped_ms: int | None = None
    by: str = ""

    @property
    def after_ms(self) -> int | None:
        """From the end of the third syllable to silence."""
        third = self.overlap.third_ms
        return None if self.stopped_ms is None or third is None else self.stopped_ms - third


def play(overlaps: Sequence[Overlap], hearing: Hearing) -> list[Played]:
    """All these overlaps at once, as one batch of the brain."""
    played = {number: Played(overlap) for number, overlap in enumerate(overlaps, 1)}
    ears = {number: hearing.open(number) for number in played}
    for number, ear in ears.items():
        ear.picked_up()
        ear.bot_speaks = lambda one=played[number]: one.stopped_ms is None  # type: ignore[misc]
    received = {number: [*cut(one.overlap.received), *[SILENCE] * 50] for number, one in played.items()}
    sent = {number: cut(one.overlap.sent) for number, one in played.items()}
    for tick in range(max(map(len, received.values()))):
        frames = [(number, sound[tick]) for number, sound in received.items() if tick < len(sound)]
        ours = [
            (number | OWN_SIDE, sound[tick])
            for number, sound in sent.items()
            if tick < len(sound) and played[number].stopped_ms is None
        ]
        for number, noticed in hearing.tick(tick, frames + ours):
            one = played[number]
            if one.stopped_ms is None and _stops(noticed):
                one.stopped_ms, one.by = (tick + 2) * 20, noticed.text
    for number in played:
        hearing.close(number)
    return list(played.values())


def _stops(noticed: Noticed) -> TypeGuard[Partial | Utterance]:
    """As voicebot/pipeline/turn_taking.py has it."""
    return isinstance(noticed, Partial | Utterance) and interrupts(noticed.text, noticed.insists)


def figures(played: Sequence[Played]) -> dict[str, float | int | None]:
    """Shares 0..1; times in milliseconds from the end of the third syllable."""
    words = [one for one in played if one.overlap.words]
    company = [one for one in played if not one.overlap.words]
    times = sorted(one.after_ms for one in words if one.after_ms is not None)
    return {
        "words": len(words),
        "missed": round(sum(one.stopped_ms is None for one in words) / max(1, len(words)), 4),
        "p50_ms": times[len(times) // 2] if times else None,
        "p95_ms": times[int(0.95 * (len(times) - 1))] if times else None,
        "company": len(company),
        "false_stops": round(sum(one.stopped_ms is not None for one in company) / max(1, len(company)), 4),
    }


def show(played: Sequence[Played]) -> None:
    table = Table("echo", "words", "missed", "P50 ms", "P95 ms", "company", "false stops", title="Talking over the bot")
    for echo in (*ECHOES_DB, "all"):
        row = figures([one for one in played if echo in (one.overlap.echo_db, "all")])
        name = f"{echo} dB" if isinstance(echo, float) else str(echo or "none")
        shares = {key: f"{row[key]:.1%}" for key in ("missed", "false_stops")}
        cells = [shares.get(key, str(value)) for key, value in row.items()]
        table.add_row(name, *cells)
    Console(width=110).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.barge_in", description=__doc__)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--wrong", action="store_true", help="list misses and false stops")
    options = parser.parse_args()
    hearing = Hearing(load_recognizer(), VoiceActivity(), lambda text, topic: False)
    overlaps = draw(options.count, options.seed)
    played = [one for at in range(0, len(overlaps), TOGETHER) for one in play(overlaps[at : at + TOGETHER], hearing)]
    show(played)
    if options.wrong:
        for one in played:
            if one.overlap.words is (one.stopped_ms is None) or (one.after_ms or 0) > 200:
                print(one.overlap.text, one.overlap.voice, one.overlap.echo_db, "->", one.by or "–", one.after_ms)
    if options.json:
        with (open(options.json, "w") if options.json != "-" else sys.stdout) as out:
            json.dump(figures(played), out, indent=1)


if __name__ == "__main__":
    main()
