"""A recorded call played again: the same script gives the same call, another script shows where the ways part."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest

from voicebot.dialog import actions
from voicebot.dialog.engine import initial, step
from voicebot.dialog.events import Heard, HungUp, Started
from voicebot.dialog.loader import load_script
from voicebot.dialog.script import Script
from voicebot.domain.case import CallFacts, Case, Creditor, Debtor, Salutation
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.understanding import Topic
from voicebot.intent.understander import Understander
from voicebot.pipeline.understand import as_fact
from voicebot.quality.calls_again import setting_of
from voicebot.quality.compare import as_row, compare, original, summary
from voicebot.quality.replay import Replayed, replay

ROOT = Path(__file__).resolve().parents[3]
BEGAN = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)
CASE = Case(
    "C1", Debtor("d1", "李振海", Salutation.MR, "4321", "0815"),
    Creditor("b1", "示范消费金融有限公司", "示范服务中心", "4008001234"), "消费分期", 126800, 3, BEGAN.date(),
)  # fmt: skip
STARTED = {"call_id": "c1", "case_id": "C1", "direction": "outbound", "amount_fen": 126800, "overdue_days": 3,
           "as_of": "2026-11-24"}  # fmt: skip


class Recording:
    """A call as its journal would tell it, made by the engine itself."""

    def __init__(self, script: Script, understander: Understander) -> None:
        self.script, self.understander = script, understander
        self.facts: list[Fact] = []
        self.at, self.ms, self.topic, self.said = BEGAN, 0, Topic.ANY, 0
        self.state = initial(script, CallFacts("c1", BEGAN, CASE))

    def note(self, kind: FactKind, data: dict[str, object]) -> None:
        self.facts.append(Fact(len(self.facts), self.at.isoformat(), self.ms, kind, data))

    def pass_time(self, ms: int) -> None:
        self.at += dt.timedelta(milliseconds=ms)
        self.ms += ms

    def feed(self, event: object) -> None:
        self.state, todo = step(self.script, self.state, event)  # type: ignore[arg-type]
        for action in todo:
            match action:
                case actions.Say():
                    told = {"utterance_id": action.utterance_id, "text": action.text, "node": action.node}
                    self.note(FactKind.SAYING, told)
                    self.pass_time(100)
                    self.note(FactKind.SAID, told | {"heard_ms": 100, "total_ms": 100, "interrupted": False})
                case actions.Listen(topic=topic):
                    self.topic = topic
                case actions.Verified(by=by):
                    self.note(FactKind.VERIFIED, {"by": by})
                case actions.Explain():
                    self.note(FactKind.DECIDED, {"from_node": action.from_node, "to_node": action.to_node,
                                                 "branch": action.branch, "why": action.why})  # fmt: skip
                case actions.SetDisposition():
                    self.note(FactKind.DISPOSITION, {"disposition": action.disposition.value, "why": action.why})
                case actions.Transfer():
                    self.note(FactKind.TRANSFER_STARTED, {"reason": action.reason})

    def hear(self, text: str) -> None:
        self.pass_time(2000)
        understanding = self.understander.understand(text, self.topic, self.at)
        self.note(FactKind.HEARD, {"text": text, "start_ms": self.ms - 900, "end_ms": self.ms})
        self.note(FactKind.UNDERSTOOD, as_fact(understanding, self.topic))
        self.feed(Heard(self.at, understanding))


@pytest.fixture(scope="module")
def understander() -> Understander:
    return Understander()


@pytest.fixture(scope="module")
def script() -> Script:
    return load_script(ROOT / "scripts" / "reminder.yaml")


def recorded(script: Script, understander: Understander, answers: Sequence[str]) -> list[Fact]:
    call = Recording(script, understander)
    call.note(FactKind.STARTED, dict(STARTED))
    call.note(FactKind.ANSWERED, {})
    call.feed(Started(call.at))
    for answer in answers:
        call.hear(answer)
    call.pass_time(500)
    call.note(FactKind.ENDED, {"by": "remote"})
    call.feed(HungUp(call.at))
    return call.facts


@pytest.fixture(scope="module")
def promise(script: Script, understander: Understander) -> list[Fact]:
    return recorded(script, understander, ("我是", "四三二一", "我明天还", "对，没问题"))


def again(script: Script, facts: Sequence[Fact], understander: Understander | None = None) -> Replayed:
    return replay(script, facts, setting_of(facts, CASE), understander.understand if understander else None)


def test_the_same_script_makes_the_same_call(script: Script, promise: list[Fact]) -> None:
    replayed = again(script, promise)
    found = compare("c1", original(promise), replayed, promise)
    assert found.differences == ()
    assert found.same
    assert found.disposition == ("promise_to_pay", "promise_to_pay")


def test_understood_anew_by_the_same_classifier_it_is_the_same_too(
    script: Script, promise: list[Fact], understander: Understander
) -> None:
    assert compare("c1", original(promise), again(script, promise, understander), promise).same


def test_the_same_inputs_give_the_same_bytes(script: Script, promise: list[Fact]) -> None:
    first, second = again(script, promise), again(load_script(ROOT / "scripts" / "reminder.yaml"), promise)
    assert first.journal == second.journal
    assert first.sha256 == second.sha256
    assert first.journal.count(b"\n") > 10


def test_another_script_shows_where_the_ways_part(promise: list[Fact]) -> None:
    survey = load_script(ROOT / "scripts" / "survey.yaml")
    found = compare("c1", original(promise), again(survey, promise), promise)
    assert found.diverged == 0
    assert found.disposition[0] == "promise_to_pay" != found.disposition[1]
    told = summary([found])
    assert (told["other_way"], told["promises"]) == (1, (1, 0))
    assert as_row(found)["diverged"] == 0


def test_other_words_on_the_same_way_are_told_apart(script: Script, promise: list[Fact], tmp_path: Path) -> None:
    text = (ROOT / "scripts" / "reminder.yaml").read_text(encoding="utf-8")
    assert "本次通话会录音" in text
    changed = tmp_path / "reminder.yaml"
    changed.write_text(text.replace("本次通话会录音", "我们的通话会录音"), encoding="utf-8")
    found = compare("c1", original(promise), again(load_script(changed), promise), promise)
    assert found.diverged is None
    assert {difference.what for difference in found.differences} == {"words"}


def test_what_another_recogniser_hears_comes_in(
    script: Script, promise: list[Fact], understander: Understander
) -> None:
    heard = [fact for fact in promise if fact.kind is FactKind.HEARD]
    setting = setting_of(promise, CASE)
    replayed = replay(script, promise, setting, understander.understand, {heard[0].seq: "转人工"})
    found = compare("c1", original(promise), replayed, promise)
    assert found.diverged == 1
    assert found.handoff == (False, True)


def test_without_the_case_whoever_proved_it_then_is_believed(script: Script, promise: list[Fact]) -> None:
    replayed = replay(script, promise, setting_of(promise, None))
    assert replayed.disposition == "promise_to_pay"
    assert any(turn.verified for turn in replayed.turns)
