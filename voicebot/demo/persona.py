"""Persona: a simulated callee, how they behave on the phone and what they answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voicebot.domain.outcome import Disposition
from voicebot.domain.understanding import Topic

SHIPPED = Path(__file__).parent / "personas.json"


@dataclass(frozen=True, slots=True)
class Persona:
    """`behaviour`: talk, busy, no_answer, announcement or voicemail. `answers[topic]` as in `script simulate`.

    `foreign_phone`: rung on SIPp where it is installed. `barge_in_after_s`: starts to answer this long after the bot
    has named a sum, whatever it still has to say.
    """

    id: str
    who: str
    name: str
    behaviour: str
    voice: str
    expected: Disposition
    amount_fen: int
    overdue_days: int
    id_last4: str | None = None
    birth_mmdd: str | None = None
    salutation: str = "unknown"
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    answer_after_s: float = 1.0
    pick_up_after_s: float = 0.8
    barge_in_after_s: float | None = None
    expected_handoff: bool = False
    foreign_phone: bool = False

    def answer(self, topic: Topic, time: int) -> str:
        """What is said when `topic` is asked for the `time`-th time, from 0; the last answer repeats."""
        texts = self.answers.get(topic.value) or self.answers.get(Topic.ANY.value) or ("",)
        return texts[min(time, len(texts) - 1)]


def load_personas(path: Path = SHIPPED) -> list[Persona]:
    """Read personas; ValueError names the one that is wrong."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [_persona(row) for row in rows]


def _persona(row: dict[str, Any]) -> Persona:
    try:
        values = dict(row)
        values["expected"] = Disposition(values["expected"])
        values["answers"] = {topic: tuple(texts) for topic, texts in values.get("answers", {}).items()}
        return Persona(**values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"persona {row.get('id')!r}: {error}") from error
