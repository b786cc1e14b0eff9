"""Script wording: conditions, effects and variables of call scripts in words a designer reads."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup

from voicebot.console.markup import Child, tag
from voicebot.console.words import Words
from voicebot.dialog.expression import Expression

_MANY = 2
_VARIABLE = re.compile(r"\{([^{}]*)\}")
_TIGHT = {"or": 0, "and": 1, "not": 2}


def condition(words: Words, when: Expression, outer: int = 0) -> str:
    """A condition in words: 说了日期 且 非 已承诺. Unknown names stay as they are written."""
    if when.op in ("or", "and"):
        glue = f" {words(f'script.{when.op}')} "
        text = glue.join(condition(words, part, _TIGHT[when.op]) for part in when.parts)
        return words("script.group", text=text) if _TIGHT[when.op] < outer else text
    if when.op == "not":
        return f"{words('script.not')}{condition(words, when.parts[0], _TIGHT['not'])}"
    if when.op == "name":
        return _named(words, "script.name", when.name)
    if when.op == "call":
        named = _named(words, "script.call", when.name)
        return words("script.call", named=named, ids=hears(words, when.ids))
    if when.op == "value":
        return str(when.literal)
    left, right = (condition(words, part, 3) for part in when.parts)
    return f"{left} {when.op} {right}"


def hears(words: Words, intents: Sequence[str]) -> str:
    """What the callee means, as far as there is room: 确认本人、肯定等 5 种."""
    shown = words("script.comma").join(words.intent(intent) for intent in intents[:_MANY])
    return words("script.more", shown=shown, count=len(intents)) if len(intents) > _MANY else shown


def trigger(words: Words, intents: Sequence[str], when: Expression | None) -> str:
    """What has to happen for a branch: what is heard, and the condition beside it."""
    parts = [hears(words, intents)] if intents else []
    if when is not None and when.name != "true":
        parts.append(condition(words, when))
    return " · ".join(parts) or words("script.otherwise")


def effect(words: Words, verb: str, value: str) -> str:
    """What a card does besides speaking."""
    told = words(value) if verb.endswith("disposition") else _named(words, "script.value", value) if value else ""
    return words(f"script.do.{verb}") + (f" {told}" if told else "")


def sentence(words: Words, text: str) -> Markup:
    """A sentence with its {variables} marked and named."""
    parts: list[Child] = []
    last = 0
    for found in _VARIABLE.finditer(text):
        name = found.group(1)
        parts += [text[last : found.start()], tag("var", _named(words, "script.var", name), title=f"{{{name}}}")]
        last = found.end()
    return Markup("").join(p if isinstance(p, Markup) else tag("span", p) for p in [*parts, text[last:]] if p)


def width_of(text: str) -> float:
    """About how many hanzi wide a text is when drawn."""
    return sum(1.0 if ord(character) > 0x2E80 else 0.55 for character in _VARIABLE.sub("某某某", text))


def _named(words: Words, family: str, name: str) -> str:
    key = f"{family}.{name}"
    told = words(key)
    return name if told == key else told
