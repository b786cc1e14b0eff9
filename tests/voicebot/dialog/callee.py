"""A callee for tests: utterances are written with their meaning, `say("我是", "id_confirm_self")`."""

from __future__ import annotations

import datetime as dt
from typing import Any

from voicebot.dialog.actions import Action, Listen, Say, SetDisposition
from voicebot.dialog.engine import initial, step
from voicebot.dialog.events import Event, Heard, HungUp, Silence, Started, TransferEnded
from voicebot.dialog.script import Script
from voicebot.dialog.state import DialogState
from voicebot.domain.case import CallFacts, Case, Creditor, Debtor, Salutation
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.understanding import Emotion, EmotionLabel, IntentScore, Slots, Understanding

NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
TODAY = NOW.date()
CASE = Case(
    id="case-1",
    debtor=Debtor("debtor-1", "李振海", Salutation.MR, "2315", "0812"),
    creditor=Creditor("creditor-1", "示例消费金融有限公司", "示例客户服务中心", "4000001234"),
    product="循环消费",
    amount_fen=350000,
    overdue_days=12,
    as_of=TODAY,
    principal_fen=320000,
    fees_fen=30000,
)


def meaning(text: str, *intents: str, emotion: str = "neutral", danger: bool = False, **slots: Any) -> Understanding:
    scores = tuple(IntentScore(name, 0.9 - 0.1 * i) for i, name in enumerate(intents))
    return Understanding(text, scores, Emotion(EmotionLabel(emotion), 0.9), Slots(**slots), danger)


class Callee:
    """Drives one conversation and remembers every action."""

    def __init__(self, script: Script, case: Case | None = CASE, *, agent_available: bool = True) -> None:
        self.script = script
        self.state: DialogState = initial(script, CallFacts("call-1", NOW, case, agent_available=agent_available))
        self.actions: list[Action] = []
        self.last: tuple[Action, ...] = ()

    def tell(self, event: Event) -> Callee:
        self.state, self.last = step(self.script, self.state, event)
        self.actions += self.last
        return self

    def answers(self) -> Callee:
        return self.tell(Started(NOW))

    def say(self, text: str, *intents: str, **meant: Any) -> Callee:
        return self.tell(Heard(NOW, meaning(text, *intents, **meant)))

    def silent(self, times: int = 1) -> Callee:
        for _ in range(times):
            self.tell(Silence(NOW, 6.0))
        return self

    def hangs_up(self) -> Callee:
        return self.tell(HungUp(NOW))

    def agent(self, joined: bool) -> Callee:
        return self.tell(TransferEnded(NOW, joined))

    def verified(self) -> Callee:
        """The shortest way to the bill."""
        return self.answers().say("我是", "id_confirm_self").say("尾号二三一五", "id_verify_answer")

    @property
    def node(self) -> str:
        return self.state.node

    @property
    def disposition(self) -> str:
        said = [a.disposition.value for a in self.actions if isinstance(a, SetDisposition)]
        return said[-1] if said else ""

    @property
    def words(self) -> str:
        return "".join(a.text for a in self.last if isinstance(a, Say))

    @property
    def listening(self) -> Listen | None:
        return next((a for a in self.last if isinstance(a, Listen)), None)

    def did(self, kind: type) -> list[Any]:
        return [a for a in self.actions if isinstance(a, kind)]
