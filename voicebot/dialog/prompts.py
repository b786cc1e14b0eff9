"""Prompts: from a sentence of the script to the words spoken in this call, never more than may be said."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from voicebot.dialog.discretion import gives_away
from voicebot.dialog.promise import near_day
from voicebot.dialog.rendering import (
    addressed,
    asked_for,
    speakable,
    spoken_amount,
    spoken_date,
    spoken_digits,
    spoken_moment,
    spoken_number,
)
from voicebot.dialog.scope import own_value
from voicebot.dialog.script import Prompt, Script, Type, Variable
from voicebot.dialog.state import DialogState
from voicebot.dialog.vocabulary import DEBT_VARIABLES
from voicebot.domain.case import INSTITUTION, Case
from voicebot.domain.offers import Offers, last_day, offers_of

VARIABLE = re.compile(r"\{([^{}]*)\}")
LONGEST = 50
"""Hanzi in one Say: about twelve seconds of speech."""
_SENTENCE = re.compile(r"[^。？！；]*[。？！；]?")
_CLAUSE = re.compile(r"[^，]*，?")


class Known(Protocol):
    """What can stand in {braces}, by name; empty or None for what is not known."""

    def get(self, name: str, /) -> str | None: ...


@functools.lru_cache(maxsize=4096)
def variables_of(text: str) -> tuple[str, ...]:
    return tuple(VARIABLE.findall(text))


@functools.lru_cache(maxsize=4096)
def discloses(text: str, own: frozenset[str] = frozenset()) -> str | None:
    """What in a sentence of a script may only be said to the verified debtor; None when it is harmless.

    `own`: the script's own variables that tell of the debt.
    """
    named = next((name for name in variables_of(text) if name in DEBT_VARIABLES or name in own), None)
    return f"{{{named}}}" if named else gives_away(VARIABLE.sub("", text))


def render(
    text: str,
    values: Known,
    verified: bool,
    neutral: str,
    secrets: tuple[str, ...],
    own: frozenset[str] = frozenset(),
) -> str | None:
    """The spoken sentence; None when a figure it needs is unknown; `neutral` when it may not be said (yet)."""
    if not verified and discloses(text, own):
        return neutral
    names = variables_of(text)
    if not names:
        return text if verified or gives_away(text, secrets) is None else neutral
    words = {name: values.get(name) for name in names}
    if not all(words.values()):
        return None
    spoken = VARIABLE.sub(lambda found: words[found.group(1)] or "", text)
    return spoken if verified or gives_away(spoken, secrets) is None else neutral


@functools.lru_cache(maxsize=4096)
def split(text: str, longest: int = LONGEST) -> tuple[str, ...]:
    """Cut at sentence ends (then at commas) so that no piece is longer than one breath."""
    return (text,) if text and len(text) <= longest else tuple(_pieces(text, longest))


def _pieces(text: str, longest: int) -> Iterator[str]:
    piece = ""
    for sentence in _SENTENCE.findall(text):
        parts = [sentence] if len(sentence) <= longest else _CLAUSE.findall(sentence)
        for part in parts:
            if piece and len(piece) + len(part) > longest:
                yield piece.rstrip("，")
                piece = ""
            piece += part
    if piece:
        yield piece


@functools.lru_cache(maxsize=256)
def _secrets(product: str) -> tuple[str, ...]:
    return tuple(s for s in (speakable(product),) if s)


def secrets_of(state: DialogState) -> tuple[str, ...]:
    case = state.facts.case
    return () if case is None else _secrets(case.product)


@dataclass(frozen=True, slots=True)
class Values:
    """Everything that can stand in {braces} at one moment of a call; "" for what this call does not know."""

    script: Script
    state: DialogState
    now: dt.datetime

    def get(self, name: str) -> str:
        own = self.script.variables.get(name)
        if own is not None:
            return self._own(own)
        reader = _ANYWHERE.get(name)
        if reader is not None:
            return reader(self)
        reader = _OF_CASE.get(name)
        return reader(self) if reader is not None and self.state.facts.case is not None else ""

    @property
    def today(self) -> dt.date:
        return self.now.date()

    @property
    def case(self) -> Case:
        assert self.state.facts.case is not None
        return self.state.facts.case

    @property
    def offers(self) -> Offers:
        return offers_of(self.state.facts.case, self.state.facts.extra)

    def _own(self, variable: Variable) -> str:
        value = own_value(variable, self.state)
        return "" if value is None else _SPOKEN[variable.type](value)

    def promised(self) -> int:
        pending = self.state.pending
        return self.case.amount_fen if pending.amount_fen is None else pending.amount_fen


def _part(values: Values) -> str:
    offers = values.offers
    return _amount(-(-values.case.amount_fen // offers.parts)) if offers.instalments else ""


_amount = functools.lru_cache(maxsize=4096)(spoken_amount)
_date = functools.lru_cache(maxsize=4096)(spoken_date)
_digits = functools.lru_cache(maxsize=1024)(spoken_digits)
_speakable = functools.lru_cache(maxsize=4096)(speakable)


def _day(text: object) -> str:
    try:
        return _date(dt.date.fromisoformat(str(text)))
    except ValueError:
        return ""


_SPOKEN: Mapping[Type, Callable[[Any], str]] = {
    Type.TEXT: lambda value: _speakable(str(value)),
    Type.AMOUNT: lambda value: _amount(int(value)),
    Type.DATE: _day,
    Type.NUMBER: lambda value: spoken_number(max(0, int(value))),
    Type.DAYS: lambda value: spoken_number(max(0, int(value))) + "天",
    Type.DIGITS: lambda value: _digits(str(value)),
}
_ANYWHERE: Mapping[str, Callable[[Values], str]] = {
    "today": lambda v: _date(v.today),
    "callback_time": lambda v: spoken_moment(v.state.callback_at, v.today) if v.state.callback_at else "",
    "near_date": lambda v: _date(near_day(v.today)),
    "horizon_date": lambda v: _date(v.today + dt.timedelta(days=v.script.policy.horizon_days)),
    "institution": lambda v: (
        _speakable(v.case.creditor.neutral_name)
        if v.state.facts.case
        else v.state.facts.extra.get("institution", INSTITUTION)
    ),
}
_OF_CASE: Mapping[str, Callable[[Values], str]] = {
    "name": lambda v: _speakable(v.case.debtor.name),
    "person": lambda v: asked_for(v.case.debtor),
    "address": lambda v: addressed(v.case.debtor),
    "hotline": lambda v: _digits(v.case.creditor.hotline),
    "creditor": lambda v: _speakable(v.case.creditor.name),
    "product": lambda v: _speakable(v.case.product) or "服务",
    "amount": lambda v: _amount(v.case.amount_fen),
    "principal": lambda v: "" if v.case.principal_fen is None else _amount(v.case.principal_fen),
    "fees": lambda v: "" if v.case.fees_fen is None else _amount(v.case.fees_fen),
    "overdue": lambda v: spoken_number(v.case.overdue_days) + "天" if v.case.overdue_days > 0 else "",
    "promise_date": lambda v: _date(v.state.pending.date) if v.state.pending.date else "",
    "promise_amount": lambda v: _amount(v.promised()),
    "rest_amount": lambda v: _amount(max(0, v.case.amount_fen - v.promised())),
    "channel": lambda v: _speakable(v.script.nodes[v.state.node].channel),
    "offer_waiver": lambda v: _amount(v.offers.waive_fen) if v.offers.waiver else "",
    "offer_parts": lambda v: spoken_number(v.offers.parts) + "期" if v.offers.instalments else "",
    "offer_part": _part,
    "offer_until": lambda v: _date(last_day(v.today, v.offers)) if v.offers.extension else "",
}


def all_prompts(script: Script) -> Iterator[Prompt]:
    """Every prompt of a script, wherever it stands."""
    yield from script.silence
    yield from script.softeners.values()
    for handler in script.handlers:
        yield from handler.say
    for node in script.nodes.values():
        yield from (*node.say, *node.again, *node.short, *node.no_input, *node.otherwise)
        for branch in node.branches:
            yield from branch.say


def static_prompts(script: Script) -> list[str]:
    """The texts without variables exactly as a Say carries them, each once: they can be rendered ahead."""
    texts = [text for prompt in all_prompts(script) for text in prompt.texts] + [script.neutral]
    texts += [node.hold for node in script.nodes.values() if node.hold]
    return list(dict.fromkeys(piece for text in texts if not variables_of(text) for piece in split(text)))
