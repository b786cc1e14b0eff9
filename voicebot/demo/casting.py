"""Casting: a persona of the simulator becomes somebody with a telephone, a voice and a pace."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from voicebot.demo.persona import Persona
from voicebot.dialog.simulator_persona import case_of, words_of
from voicebot.domain.clock import SystemClock
from voicebot.domain.outcome import Disposition

_VOICES = {"男": ("m3:rate=175", "m1:rate=165", "m2:rate=180"), "女": ("f5:rate=170", "f2:rate=180", "f4:rate=165")}
_SLOW = {"sad": 2.2, "confused": 2.0, "anxious": 0.7, "angry": 0.6}
"""Seconds before the answer, by emotion; others take one."""


def cast(personas: Sequence[Mapping[str, Any]], seed: int = 0) -> list[Persona]:
    """People for the far end, in the same order. ValueError names a persona that cannot be cast."""
    return [_person(number, persona, seed) for number, persona in enumerate(personas, 1)]


def _person(number: int, row: Mapping[str, Any], seed: int) -> Persona:
    try:
        case = case_of(row, SystemClock().now(), seed)
        expect, voices = row.get("expect") or {}, _VOICES.get(str(row.get("who", ""))[:1], _VOICES["男"])
        return Persona(
            id=f"s{number:03d}",
            who=str(row.get("who", row["id"])),
            name=case.debtor.name,
            behaviour="talk",
            voice=voices[number % len(voices)],
            expected=Disposition(expect.get("disposition", Disposition.CALLBACK.value)),
            amount_fen=case.amount_fen,
            overdue_days=case.overdue_days,
            id_last4=case.debtor.id_last4,
            birth_mmdd=case.debtor.birth_mmdd,
            salutation=case.debtor.salutation.value,
            answers={topic: tuple(words_of(str(text)) for text in texts) for topic, texts in row["answers"].items()},
            answer_after_s=_SLOW.get(str(row.get("emotion")), 1.0),
            expected_handoff=bool(expect.get("handoff")),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"persona {row.get('id')!r} cannot be cast: {error!r}") from error


def write_cast(people: Sequence[Persona], path: Path) -> None:
    """Write people so that the far end can read them."""
    path.write_text(json.dumps([asdict(person) for person in people], ensure_ascii=False), encoding="utf-8")
