"""Prompts: from a sentence of the script to the words spoken in this call, never more than may be said."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping

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
from voicebot.dialog.script import Prompt, Script
from voicebot.dialog.state import DialogState
from voicebot.dialog.vocabulary import DEBT_VARIABLES
from voicebot.domain.case import INSTITUTION

VARIABLE = re.compile(r"\{([^{}]*)\}")
LONGEST = 50
"""Hanzi in one Say: about twelve seconds of speech."""
_SENTENCE = re.compile(r"[^。？！；]*[。？！；]?")
_CLAUSE = re.compile(r"[^，]*，?")


def variables_of(text: str) -> tuple[str, ...]:
    return tuple(VARIABLE.findall(text))


def discloses(text: str) -> str | None:
    """What in a sentence of a script may only be said to the verified debtor; None when it is harmless."""
    named = next((name for name in variables_of(text) if name in DEBT_VARIABLES), None)
    return f"{{{named}}}" if named else gives_away(VARIABLE.sub("", text))


def render(text: str, values: Mapping[str, str], verified: bool, neutral: str, secrets: tuple[str, ...]) -> str | None:
    """The spoken sentence; None when a figure it needs is unknown; `neutral` when it may not be said (yet)."""
    if not verified and discloses(text):
        return neutral
    if any(not values.get(name) for name in variables_of(text)):
        return None
    spoken = VARIABLE.sub(lambda found: values[found.group(1)], text)
    return spoken if verified or gives_away(spoken, secrets) is None else neutral


def split(text: str, longest: int = LONGEST) -> Iterator[str]:
    """Cut at sentence ends (then at commas) so that no piece is longer than one breath."""
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


def secrets_of(state: DialogState) -> tuple[str, ...]:
    case = state.facts.case
    return () if case is None else tuple(s for s in (speakable(case.product),) if s)


def values_of(state: DialogState, now: dt.datetime, horizon_days: int) -> dict[str, str]:
    """Everything that can stand in {braces}; empty where this call does not know it."""
    today, case = now.date(), state.facts.case
    values = {
        "today": spoken_date(today),
        "callback_time": spoken_moment(state.callback_at, today) if state.callback_at else "",
        "near_date": spoken_date(near_day(today)),
        "horizon_date": spoken_date(today + dt.timedelta(days=horizon_days)),
    }
    if case is None:
        return values | {"institution": state.facts.extra.get("institution", INSTITUTION)}
    pending, full = state.pending, case.amount_fen
    amount = full if pending.amount_fen is None else pending.amount_fen
    return values | {
        "name": speakable(case.debtor.name),
        "person": asked_for(case.debtor),
        "address": addressed(case.debtor),
        "institution": speakable(case.creditor.neutral_name),
        "hotline": spoken_digits(case.creditor.hotline),
        "creditor": speakable(case.creditor.name),
        "product": speakable(case.product) or "服务",
        "amount": spoken_amount(full),
        "principal": "" if case.principal_fen is None else spoken_amount(case.principal_fen),
        "fees": "" if case.fees_fen is None else spoken_amount(case.fees_fen),
        "overdue": spoken_number(max(0, case.overdue_days)) + "天",
        "promise_date": spoken_date(pending.date) if pending.date else "",
        "promise_amount": spoken_amount(amount),
        "rest_amount": spoken_amount(max(0, full - amount)),
    }


def all_prompts(script: Script) -> Iterator[Prompt]:
    """Every prompt of a script, wherever it stands."""
    yield from script.silence
    yield from script.softeners.values()
    for handler in script.handlers:
        yield from handler.say
    for node in script.nodes.values():
        yield from (*node.say, *node.again, *node.short, *node.no_input)
        for branch in node.branches:
            yield from branch.say


def static_prompts(script: Script) -> list[str]:
    """The texts without variables exactly as a Say carries them, each once: they can be rendered ahead."""
    texts = [prompt.text for prompt in all_prompts(script)] + [script.neutral]
    texts += [node.hold for node in script.nodes.values() if node.hold]
    return list(dict.fromkeys(piece for text in texts if not variables_of(text) for piece in split(text)))
