"""Case story: one moment of a case's history as a line that people read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from voicebot.console.words import Words
from voicebot.domain.phone import mask_number
from voicebot.store.timeline import Moment

Data = Mapping[str, Any]
_BAD = {"broken", "failed", "refused", "suspended"}
_GOOD = {"kept", "sent", "delivered", "done"}


@dataclass(frozen=True, slots=True)
class StoryLine:
    """`tone` is good, bad, accent or ''; `href` leads to what the line is about."""

    icon: str
    title: str
    text: str
    tone: str = ""
    href: str = ""


def story_line(words: Words, moment: Moment) -> StoryLine:
    """What to show of a moment; of a kind that has no words of its own, its name."""
    tell = _TELLERS.get(moment.kind, _event)
    return tell(words, moment.data, moment)


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _title(words: Words, moment: Moment, *more: str) -> str:
    return _joined(words(f"moment.{moment.kind}"), *more)


def _state(words: Words, data: Data, key: str = "state") -> str:
    value = str(data.get(key) or "")
    return words(value) if value else ""


def _tone(state: object) -> str:
    return "bad" if state in _BAD else "good" if state in _GOOD else ""


def _number(data: Data) -> str:
    return mask_number(str(data["number"])) if data.get("number") else ""


def _at(words: Words, data: Data, key: str) -> str:
    value = data.get(key)
    return words.moment(dt.datetime.fromisoformat(value)) if isinstance(value, str) else ""


def _day(words: Words, data: Data, key: str) -> str:
    value = data.get(key)
    return words.date(dt.date.fromisoformat(value)) if isinstance(value, str) else ""


def _event(words: Words, data: Data, moment: Moment) -> StoryLine:
    by = words("moment.by", who=data["by"]) if data.get("by") else ""
    file = words("moment.import", name=data["import"]) if data.get("import") else ""
    told = _joined(*_changes(words, data), str(data.get("why") or data.get("text") or ""), file, by)
    icon = {"imported": "upload", "changed": "upload", "note": "pen", "closed": "check"}.get(moment.kind, "pause")
    tone = "good" if moment.kind == "closed" else "bad" if moment.kind == "suspended" else ""
    return StoryLine(icon, _title(words, moment), told, tone)


def _changes(words: Words, data: Data) -> list[str]:
    told = []
    for key, show in (("amount_fen", words.money), ("overdue_days", lambda count: words("days", count=count))):
        value = data.get(key)
        if isinstance(value, list) and len(value) == 2:
            told.append(f"{show(int(value[0]))} → {show(int(value[1]))}")
        elif isinstance(value, int):
            told.append(show(value))
    return told


def _call(words: Words, data: Data, moment: Moment) -> StoryLine:
    outcome = _state(words, data, "disposition") or words("stage.talking")
    length = words.length(int(data["ms"]) / 1000) if data.get("ms") else ""
    title = _title(words, moment, words(str(data.get("direction"))), outcome)
    icon = "phone-in" if data.get("direction") == "inbound" else "phone-out"
    told = _joined(_number(data), length, words.explain(str(data.get("why") or "")))
    return StoryLine(icon, title, told, "accent", f"/calls/{moment.ref}")


def _attempt(words: Words, data: Data, moment: Moment) -> StoryLine:
    state = words(f"attempt.{data.get('state')}")
    told = _joined(_number(data), _state(words, data, "disposition"), words.explain(str(data.get("why") or "")))
    href = f"/calls/{data['call_id']}" if data.get("call_id") else ""
    return StoryLine("calls", _title(words, moment, state), told, "", href)


def _planned(words: Words, data: Data, moment: Moment) -> StoryLine:
    return StoryLine("clock", _title(words, moment), _joined(_number(data), str(data.get("rule") or "")))


def _permission(words: Words, data: Data, moment: Moment) -> StoryLine:
    may = data.get("allowed") is True
    title = _joined(words("moment.permission"), words("moment.permission.yes" if may else "moment.permission.no"))
    told = _joined(str(data.get("rule") or ""), str(data.get("reason") or ""), _at(words, data, "not_before"))
    return StoryLine("shield" if may else "shield-x", title, told, "" if may else "bad")


def _promise(words: Words, data: Data, moment: Moment) -> StoryLine:
    state = words(f"promise.{data.get('state')}")
    until = words("moment.until", date=_day(words, data, "date"))
    href = f"/calls/{data['call_id']}" if data.get("call_id") else ""
    title = _title(words, moment, words.money(int(data["amount_fen"])), state)
    return StoryLine("promise", title, until, _tone(data.get("state")) or "accent", href)


def _payment(words: Words, data: Data, moment: Moment) -> StoryLine:
    told = words("moment.paid_on", date=_day(words, data, "paid_on"), reference=data.get("reference"))
    return StoryLine("check", _title(words, moment, words.money(int(data["amount_fen"]))), told, "good")


def _message(words: Words, data: Data, moment: Moment) -> StoryLine:
    title = _title(words, moment, words(f"message.{data.get('name')}"), words(f"message.{data.get('state')}"))
    told = str(data.get("text") or "") or words.explain(str(data.get("why") or ""))
    return StoryLine("script", title, told, _tone(data.get("state")))


def _callback(words: Words, data: Data, moment: Moment) -> StoryLine:
    told = _joined(_at(words, data, "due"), words.explain(str(data.get("reason") or "")))
    return StoryLine("clock", _title(words, moment), told, "good" if data.get("done_at") else "accent")


def _ticket(words: Words, data: Data, moment: Moment) -> StoryLine:
    kind, state = words(f"ticket.{data.get('name')}"), words(f"ticket.state.{data.get('state')}")
    told = _joined(_at(words, data, "deadline"), str(data.get("owner") or ""), str(data.get("decision") or ""))
    return StoryLine("bell", _title(words, moment, kind, state), told, "bad" if data.get("state") == "open" else "good")


def _wrapup(words: Words, data: Data, moment: Moment) -> StoryLine:
    href = f"/calls/{data['call_id']}" if data.get("call_id") else ""
    code = words(str(data.get("code") or ""))
    told = _joined(str(data.get("text") or ""), words("moment.by", who=data.get("agent")))
    return StoryLine("pen", _title(words, moment, code), told, "", href)


def _stop(words: Words, data: Data, moment: Moment) -> StoryLine:
    told = _joined(words.explain(str(data.get("reason") or "")), _number(data), _at(words, data, "until"))
    return StoryLine("stop", _title(words, moment), told, "" if data.get("cleared_at") else "bad")


def _consent(words: Words, data: Data, moment: Moment) -> StoryLine:
    tone = "bad" if data.get("revoked_at") else ""
    return StoryLine("check", _title(words, moment), str(data.get("name") or ""), tone)


_TELLERS: dict[str, Callable[[Words, Data, Moment], StoryLine]] = {
    "call": _call,
    "attempt": _attempt,
    "planned": _planned,
    "permission": _permission,
    "promise": _promise,
    "payment": _payment,
    "message": _message,
    "callback": _callback,
    "ticket": _ticket,
    "wrapup": _wrapup,
    "stop": _stop,
    "consent": _consent,
}
