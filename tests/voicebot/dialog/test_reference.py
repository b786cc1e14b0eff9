"""The reference of the script language names every key, condition, variable, effect and kind there is."""

from __future__ import annotations

from pathlib import Path

from voicebot.dialog import keys
from voicebot.dialog.expression import FUNCTIONS, NAMES
from voicebot.dialog.script import Kind, Policy, Type, Verb
from voicebot.dialog.vocabulary import DEBT_VARIABLES, MANDATORY_HANDLERS, OPEN_VARIABLES
from voicebot.domain.stage import Stage

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "script-language.md").read_text(encoding="utf-8")


def test_everything_a_script_may_hold_is_in_the_reference() -> None:
    words = {*keys.TOP, *keys.EVERY_KEY, *keys.BRANCH, *keys.HANDLER, *keys.PROMPT, *keys.VARIABLE, *NAMES, *FUNCTIONS}
    words |= {*Kind, *Verb, *Policy.__dataclass_fields__, *MANDATORY_HANDLERS}
    words |= {f"{{{name}}}" for name in (*OPEN_VARIABLES, *DEBT_VARIABLES)}
    assert {word for word in words if f"`{word}`" not in PAGE} == set()
    assert {word for word in (*Stage, *Type, *keys.SLOTS, *keys.SOURCES) if word not in PAGE} == set()
