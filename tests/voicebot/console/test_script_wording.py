"""Everything that can stand in a script has a name that a designer reads, in both languages."""

from __future__ import annotations

import pytest

from voicebot.console.script_fields import SHOWN
from voicebot.console.script_wording import condition, effect, sentence, trigger
from voicebot.console.words import LANGUAGES, TEXTS, Words
from voicebot.dialog.catalogue import catalogue
from voicebot.dialog.expression import FUNCTIONS, NAMES, parse_expression
from voicebot.dialog.script import Kind, Verb
from voicebot.dialog.state import Phase
from voicebot.dialog.vocabulary import DEBT_VARIABLES, OPEN_VARIABLES

ZH = Words("zh")


def test_the_language_has_its_names() -> None:
    wanted = {f"script.name.{name}" for name in NAMES if name != "true"}
    wanted |= {f"script.call.{name}" for name in FUNCTIONS} | {f"script.do.{verb.value}" for verb in Verb}
    wanted |= {f"script.kind.{kind.value}" for kind in Kind} | {f"script.phase.{phase.value}" for phase in Phase}
    wanted |= {f"script.var.{name}" for name in (*OPEN_VARIABLES, *DEBT_VARIABLES)}
    wanted |= {f"finding.{code}" for code in catalogue()}
    wanted |= {f"script.field.{key}" for keys in SHOWN.values() for key in keys}
    assert sorted(wanted - TEXTS.keys()) == []


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("said.date and not promised", "说了日期 且 不是已记录承诺"),
        ("(danger or verified) and turns >= 3", "（有人身危险 或 已核身） 且 轮次 >= 3"),
        ("heard(m_affirm)", "听到「单纯肯定」"),
        ("true", "true"),
    ],
)
def test_conditions_are_told_in_words(written: str, told: str) -> None:
    assert condition(ZH, parse_expression(written)) == told


def test_many_intents_are_counted() -> None:
    assert trigger(ZH, ("m_affirm", "m_deny", "m_human"), None) == "单纯肯定、单纯否定等 3 种"
    assert trigger(ZH, (), None) == "其他情况"
    assert effect(ZH, "disposition", "refusal") == "结果记为 拒绝还款"


def test_variables_are_named_and_markup_is_escaped() -> None:
    drawn = str(sentence(ZH, "<b>{person}</b>还{amount}"))
    assert "<b>" not in drawn and "称呼" in drawn and "应还金额" in drawn


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_takes_its_values(language: str) -> None:
    words = Words(language)
    assert "{" not in words("script.more", shown="x", count=3)
    assert "{" not in words("script.diff.count", added=1, changed=2, removed=3)
