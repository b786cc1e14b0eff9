"""Rows of `voicebot intent predict` and `voicebot slots parse`: dictionaries in, dictionaries out, never raising."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from voicebot.domain.understanding import Slots, Topic
from voicebot.intent.slots import parse_slots
from voicebot.intent.understander import Understander

_SHANGHAI = ZoneInfo("Asia/Shanghai")


class RowError(ValueError):
    """The row can't be read; the message names the field. Whoever wrote the file must mend it."""


def predict_row(row: Mapping[str, Any], understander: Understander) -> dict[str, Any]:
    """`{"id","text","context","now"?}` to `{"id","intents","emotion","slots","danger","ms"}`; a bad row `error`."""
    try:
        text, topic, now = _text(row), _topic(row), _now(row, required=False)
    except RowError as error:
        return {"id": _identity(row), "error": str(error)}
    started = time.perf_counter()
    heard = understander.understand(text, topic, now)
    spent = (time.perf_counter() - started) * 1000
    return {
        "id": _identity(row), "intents": [{"id": score.id, "p": round(score.p, 4)} for score in heard.intents],
        "emotion": {"label": str(heard.emotion.label), "p": round(heard.emotion.p, 4), "cues": heard.emotion.cues},
        "slots": slots_json(heard.slots), "danger": heard.danger, "ms": round(spent, 3),
    }


def slots_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """`{"id","text","now"}` to the slots of FORMATS, null where absent; a bad row gets `error`."""
    try:
        return {"id": _identity(row), **slots_json(parse_slots(_text(row), _now(row, required=True)))}
    except RowError as error:
        return {"id": _identity(row), "error": str(error)}


def slots_json(slots: Slots) -> dict[str, Any]:
    """Slots as JSON values: ISO dates, HH:MM times, integer fen."""
    out: dict[str, Any] = {}
    for field in fields(slots):
        value = getattr(slots, field.name)
        out[field.name] = value
    out["date"] = slots.date.isoformat() if slots.date else None
    out["date_end"] = slots.date_end.isoformat() if slots.date_end else None
    out["time"] = slots.time.strftime("%H:%M") if slots.time else None
    out["tense"] = str(slots.tense)
    return out


def _identity(row: object) -> Any:
    return row.get("id") if isinstance(row, Mapping) else None


def _text(row: object) -> str:
    if not isinstance(row, Mapping):
        raise RowError("a row must be a JSON object")
    text = row.get("text")
    if not isinstance(text, str):
        raise RowError("field text: a string is needed")
    return text


def _topic(row: Mapping[str, Any]) -> Topic:
    try:
        return Topic(row.get("context") or Topic.ANY)
    except ValueError as error:
        raise RowError(f"field context: one of {', '.join(Topic)} is needed") from error


def _now(row: Mapping[str, Any], required: bool) -> datetime:
    spoken = row.get("now")
    if spoken is None and not required:
        return datetime.now(_SHANGHAI)
    try:
        now = datetime.fromisoformat(spoken)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise RowError("field now: an ISO 8601 time with offset is needed") from error
    return now if now.tzinfo else now.replace(tzinfo=_SHANGHAI)
