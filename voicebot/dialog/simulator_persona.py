"""Persona of the simulator: whose call it is, what is answered, how the person behaves and how well one hears them."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from voicebot.domain.case import Case, Creditor, Debtor, Salutation
from voicebot.domain.understanding import Topic

_STAGE = re.compile(r"[（(][^（）()]*[）)]")
_WORD = re.compile(r"[\w一-鿿]")
_LOST_CHARACTERS, _LOST_ANSWERS = 0.06, 0.25
_LEAVES_AFTER = 3


class Phone(StrEnum):
    """How a person behaves on the telephone."""

    TALKS = "talks"
    LATE = "late"  # says nothing at first
    ASKS_AGAIN = "asks_again"  # wants the first question repeated
    PUTS_ON_HOLD = "puts_on_hold"  # asks us to wait once, at the third question
    LEAVES = "leaves"  # hangs up after three answers


class Line(StrEnum):
    """How well the person is heard."""

    CLEAN = "clean"
    NOISY = "noisy"  # some characters are lost
    BROKEN = "broken"  # whole answers are lost


_BEFORE = {Phone.LATE: (0, ""), Phone.ASKS_AGAIN: (0, "啊？没听清，你再说一遍"), Phone.PUTS_ON_HOLD: (2, "你等一下啊")}
"""At which answer of the call, and what, the person says before what the persona says."""


@dataclass
class Mouth:
    """What a persona says during one call; the same seed gives the same call."""

    persona: Mapping[str, Any]
    seed: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    spoken: int = 0

    def __post_init__(self) -> None:
        self._phone = Phone(self.persona.get("phone", Phone.TALKS))
        self._line = Line(self.persona.get("line", Line.CLEAN))
        self._chance = random.Random(f"{self.seed}:{self.persona['id']}:line")

    @property
    def leaves(self) -> bool:
        """True when the person hangs up instead of answering."""
        return self._phone is Phone.LEAVES and self.spoken >= _LEAVES_AFTER

    def answer(self, topic: Topic) -> tuple[str, str]:
        """(said, heard): what the person says to `topic` now, and what of it arrives; empty means silence."""
        nth, self.spoken = self.spoken, self.spoken + 1
        at, first = _BEFORE.get(self._phone, (-1, ""))
        said = first if nth == at else self._next(topic)
        return said, self._arrives(words_of(said))

    def _next(self, topic: Topic) -> str:
        """The n-th time a topic is asked, the n-th text; the last one repeats; a missing topic falls back to `any`."""
        answers = self.persona["answers"]
        key = topic.value if answers.get(topic.value) else "any"
        texts = answers.get(key) or [""]
        nth = self.asked[key]
        self.asked[key] += 1
        return str(texts[min(nth, len(texts) - 1)])

    def _arrives(self, words: str) -> str:
        if self._line is Line.BROKEN and self._chance.random() < _LOST_ANSWERS:
            return ""
        if self._line is Line.NOISY:
            return "".join(char for char in words if self._chance.random() >= _LOST_CHARACTERS)
        return words


def words_of(text: str) -> str:
    """The spoken words of an answer, stage directions in brackets left out; empty when nothing is said."""
    words = _STAGE.sub("", text).strip()
    return words if _WORD.search(words) else ""


def case_of(persona: Mapping[str, Any], now: dt.datetime, seed: int) -> Case:
    """The case to simulate. ValueError when the persona lacks `id`, `case` or `answers`."""
    facts, figures = persona.get("facts") or {}, persona.get("case")
    if not isinstance(figures, Mapping) or not isinstance(persona.get("answers"), Mapping) or "id" not in persona:
        raise ValueError("a persona needs `id`, `case` with amount_fen and overdue_days, and `answers`")
    known = bool(facts.get("name"))
    debtor = Debtor(
        id=f"sim-{persona['id']}",
        name=str(facts.get("name") or "王小明"),
        salutation=_salutation(persona) if known else Salutation.MR,
        id_last4=facts.get("id_last4") or (None if known else _nobodys_card(persona, seed)),
        birth_mmdd=facts.get("birth_mmdd"),
    )
    return Case(
        id=f"sim-{persona['id']}",
        debtor=debtor,
        creditor=Creditor("sim", "示例消费金融有限公司", "示例客户服务中心", "4000001234"),
        product="消费分期",
        amount_fen=int(figures["amount_fen"]),
        overdue_days=int(figures.get("overdue_days", 0)),
        as_of=now.date(),
        lawsuit_filed=bool(figures.get("lawsuit_filed", False)),
        credit_reported=bool(figures.get("credit_reported", False)),
    )


def _salutation(persona: Mapping[str, Any]) -> Salutation:
    return {"男": Salutation.MR, "女": Salutation.MS}.get(str(persona.get("who", ""))[:1], Salutation.UNKNOWN)


def _nobodys_card(persona: Mapping[str, Any], seed: int) -> str:
    """Some ending that this callee, who is not the debtor, does not say anywhere."""
    chance = random.Random(f"{seed}:{persona['id']}")
    return f"{chance.randrange(1000):03d}X"
