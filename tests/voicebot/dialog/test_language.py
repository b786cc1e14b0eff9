"""What the newer keys of the language do in a call: variants, tones, offers, must-hear, sub-scripts, promise locks."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from voicebot.dialog.actions import Action, Listen, RecordPromise, Say
from voicebot.dialog.engine import initial, step
from voicebot.dialog.events import Event, Heard, Spoken, Started
from voicebot.dialog.loader import load_script, read_text
from voicebot.dialog.script import Script
from voicebot.dialog.state import DialogState
from voicebot.domain.case import CallFacts, Case, Creditor, Debtor
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.understanding import IntentScore, Slots, Understanding

NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
CREDITOR = Creditor("x", "示例消费金融有限公司", "示例客户服务中心", "4000001234")
CASE = Case(
    "c", Debtor("d", "李振海", id_last4="123X"), CREDITOR, "消费分期", 350_000, 40, NOW.date(), 300_000, 50_000,
)  # fmt: skip


class Call:
    """A verified debtor at a node of a script that changes `reminder`."""

    def __init__(self, text: str, node: str = "debt", case: Case = CASE, call_id: str = "c1", **files: str) -> None:
        script, problems = read_text(
            "script: own\ntitle: 试\nextends: reminder\n" + text, "own", [files["folder"]] if files else []
        )
        assert script is not None and not problems, problems
        self.script: Script = dataclasses.replace(script, start=node)
        self.state: DialogState = dataclasses.replace(
            initial(self.script, CallFacts(call_id, NOW, case)), verified=True
        )

    def give(self, event: Event) -> tuple[Action, ...]:
        self.state, actions = step(self.script, self.state, event)
        self.state = DialogState.from_json(self.state.to_json())
        return actions

    def say(self, event: Event) -> list[str]:
        return [action.text for action in self.give(event) if isinstance(action, Say)]

    def hear(self, text: str, *intents: str, **slots: object) -> tuple[Action, ...]:
        scores = tuple(IntentScore(intent, 0.9) for intent in intents)
        return self.give(Heard(NOW, Understanding(text, scores, slots=Slots(**slots))))  # type: ignore[arg-type]


def node(body: str) -> str:
    return f"nodes:\n  debt:\n    kind: ask\n    topic: debt\n    branches: [{{if: 'true', goto: soft_end}}]\n{body}"


def test_variants_differ_between_calls_and_stay_within_one() -> None:
    text = node("    say: [{text: 请问您方便吗？, variants: [您现在方便吗？, 打扰一下，可以吗？]}]\n")
    said = {call_id: Call(text, call_id=call_id).say(Started(NOW))[0] for call_id in map(str, range(12))}
    assert len(set(said.values())) == 3
    assert said["7"] == Call(text, call_id="7").say(Started(NOW))[0]


@pytest.mark.parametrize(
    ("meta", "words"),
    [("tone: gentle", "轻声"), ("tone: plain", "平常"), ("tone: firm", "坚定"), ("stage: S1", "轻声")],
)
def test_the_tone_is_the_scripts_and_never_firmer_than_its_stage(meta: str, words: str) -> None:
    text = node("    say: [{text: 平常。, gentle: 轻声。, firm: 坚定。}]\n")
    assert Call(f"{meta}\n{text}").say(Started(NOW)) == [words + "。"]


def test_a_node_has_a_tone_of_its_own() -> None:
    text = node("    tone: firm\n    say: [{text: 平常。, gentle: 轻声。, firm: 坚定。}]\n")
    assert Call(f"tone: plain\n{text}").say(Started(NOW)) == ["坚定。"]


def test_what_must_be_heard_is_said_again_when_it_was_talked_over() -> None:
    text = node("    say: [{text: 请您记住这句话。, must_hear: true}, 好吗？]\n")
    call = Call(text)
    first = [action for action in call.give(Started(NOW)) if isinstance(action, Say)]
    call.give(Spoken(NOW, first[0].utterance_id, 300, 2000, interrupted=True))
    again = [action for action in call.hear("什么", "m_repeat") if isinstance(action, Say)]
    assert (again[0].text, again[0].interruptible) == ("请您记住这句话。", False)
    assert call.state.missed == ()


def test_what_was_heard_out_is_not_said_again() -> None:
    call = Call(node("    say: [{text: 请您记住这句话。, must_hear: true}, 好吗？]\n"))
    first = [action for action in call.give(Started(NOW)) if isinstance(action, Say)]
    call.give(Spoken(NOW, first[0].utterance_id, 2000, 2000, interrupted=False))
    assert call.state.owed == {} and call.state.missed == ()


def test_offers_come_from_the_table_and_not_where_there_are_none() -> None:
    text = node(
        "    say:\n"
        "      - {text: '可以分{offer_parts}，每期{offer_part}。', if: offers.instalments}\n"
        "      - {text: '最晚{offer_until}。', if: offers.extension}\n"
        "      - {text: '可以免{offer_waiver}。', if: offers.waiver}\n"
        "      - 您看呢？\n"
    )
    assert Call(text).say(Started(NOW)) == [
        "可以分六期，每期五百八十三元三角四分。",
        "最晚十二月九日星期三。",
        "您看呢？",
    ]
    late = dataclasses.replace(CASE, overdue_days=120)
    assert Call(text, case=late).say(Started(NOW)) == ["您看呢？"]


def test_a_scripts_own_variables_are_typed_and_read_aloud() -> None:
    text = (
        "variables:\n  app: {value: 官方应用}\n  owed: {type: amount, from: case.amount_fen}\n"
        "  shop: {from: extra.shop}\n"
        + node("    say: [{text: '{app}，{owed}。', if: 'vars.owed > 100000'}, '{shop}店', 好吗？]\n")
    )
    assert Call(text).say(Started(NOW)) == ["官方应用，三千五百元。", "好吗？"]


def test_words_before_barge_in_is_allowed() -> None:
    said = Call(node("    barge_in: false\n    say: 请听我说完。\n")).give(Started(NOW))
    assert [action.interruptible for action in said if isinstance(action, Say)] == [False]


LOCK = """\
nodes:
  debt:
    kind: promise
    say: "{promise_date}还{promise_amount}，用{channel}，对吗？"
    channel: 官方应用
    otherwise: 有变化请提前告诉我们。
    yes: goodbye
    no: soft_end
"""


def locked() -> Call:
    call = Call(LOCK, "ask_day")
    call.give(Started(NOW))
    call.script = dataclasses.replace(
        call.script,
        nodes={
            **call.script.nodes,
            "weigh": dataclasses.replace(
                call.script.nodes["weigh"],
                branches=(
                    dataclasses.replace(call.script.nodes["weigh"].branches[-1], goto="debt", when=None, hears=()),
                ),
            ),
        },
    )
    return call


def test_the_lock_reads_back_and_the_last_correction_wins() -> None:
    call = locked()
    said = [a.text for a in call.hear("二十七号还", "ptp_date", date=dt.date(2026, 11, 27)) if isinstance(a, Say)]
    assert said == ["十一月二十七日星期五还三千五百元，用官方应用，对吗？"]
    call.hear("不，三十号还一千", "ptp_modify", date=dt.date(2026, 11, 30), amount_fen=100_000)
    actions = call.hear("对", "m_affirm")
    promise = next(a.promise for a in actions if isinstance(a, RecordPromise))
    assert (promise.date, promise.amount_fen, promise.confirmed, promise.channel) == (
        dt.date(2026, 11, 30), 100_000, True, "官方应用",
    )  # fmt: skip
    assert "有变化请提前告诉我们。" in [a.text for a in actions if isinstance(a, Say)]


def test_without_a_clear_yes_the_lock_takes_only_a_soft_promise() -> None:
    call = locked()
    call.hear("二十七号还", "ptp_date", date=dt.date(2026, 11, 27))
    recorded = [a for _ in range(3) for a in call.hear("嗯嗯啊啊") if isinstance(a, RecordPromise)]
    assert [a.promise.confirmed for a in recorded] == [False]


def test_a_no_at_the_lock_takes_no_promise() -> None:
    call = locked()
    call.hear("二十七号还", "ptp_date", date=dt.date(2026, 11, 27))
    actions = call.hear("不是", "m_deny")
    assert not [a for a in actions if isinstance(a, RecordPromise)] and call.state.promise is None


def test_a_node_that_branches_speaks_its_own_words_and_those_of_the_branch() -> None:
    text = """\
nodes:
  debt:
    kind: branch
    say: 我看一下。
    branches:
      - {if: facts.overdue_days < 5, say: 还早。, goto: ask_day}
      - {if: "true", say: 有一阵子了。, goto: ask_day}
"""
    assert Call(text).say(Started(NOW))[:2] == ["我看一下。", "有一阵子了。"]


def test_the_opening_may_be_spread_over_nodes_that_follow_each_other() -> None:
    text = """\
script: own
title: 试
extends: reminder
start: hello
nodes:
  hello: {kind: say, say: "您好，我是{institution}的人工智能助手。", goto: more}
  more: {kind: say, say: 通话会录音。, goto: open}
  open: {say: "请问是{person}吗？"}
"""
    assert read_text(text, "own")[1] == []
    codes = [problem.code for problem in read_text(text.replace("通话会录音。", "打扰了。"), "own")[1]]
    assert codes == ["opening-recording"]


PART = """\
script: mood
start: ask
nodes:
  ask:
    kind: ask
    topic: any
    say: 您今天还好吗？
    branches:
      - {hears: [m_affirm], goto: "@well"}
      - {if: "true", goto: "@badly"}
    exhausted: "@badly"
"""


def test_a_sub_script_is_played_in_its_place_and_leaves_by_its_exits(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "mood.yaml").write_text(PART, encoding="utf-8")
    text = "nodes:\n  debt: {kind: script, script: mood, exits_to: {well: ask_day, badly: goodbye}}\n"
    call = Call(text, folder=str(tmp_path))
    listen = [a for a in call.give(Started(NOW)) if isinstance(a, Listen)]
    assert [a.node for a in listen] == ["debt/ask"]
    assert [a.node for a in call.hear("挺好", "m_affirm") if isinstance(a, Listen)] == ["ask_day_first"]


def test_a_sub_script_with_an_exit_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mood.yaml").write_text(PART, encoding="utf-8")
    file = tmp_path / "own.yaml"
    file.write_text(
        "script: own\ntitle: 试\nextends: reminder\n"
        "nodes:\n  debt: {kind: script, script: mood, exits_to: {well: ask_day}}\n"
    )
    with pytest.raises(ValueError, match="leaves by @badly"):
        load_script(file)


def test_included_files_add_nodes_and_the_first_named_wins(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("softeners: {angry: 一。}\n", encoding="utf-8")
    (tmp_path / "two.yaml").write_text("softeners: {angry: 二。, sad: 三。}\n", encoding="utf-8")
    script, problems = read_text("script: own\ntitle: 试\nextends: reminder\ninclude: [one, two]\n", "own", [tmp_path])
    assert script is not None and not problems
    assert [script.softeners[label].text for label in ("angry", "sad", "anxious")] == [
        "一。",
        "三。",
        "您别着急，我们慢慢说。",
    ]
