"""Speech search: the filter of the search in all that was said, read from an address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from voicebot.domain.clock import SHANGHAI
from voicebot.domain.quality import SpeechSearch

_MOST_PAGES = 10_000


def read_search(values: Mapping[str, str]) -> SpeechSearch:
    """What cannot be read asks for nothing. Days are whole days in Shanghai, both included; lengths are seconds."""

    def text(name: str) -> str | None:
        return values.get(name, "").strip()[:100] or None

    def number(name: str) -> int | None:
        value = values.get(name, "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else None

    since, until = _day(values.get("since", "")), _day(values.get("until", ""))
    score = number("most_score")
    return SpeechSearch(
        text=text("text") or "",
        speaker=text("speaker"),
        since=_midnight(since) if since else None,
        until=_midnight(until + dt.timedelta(days=1)) if until else None,
        disposition=text("disposition"),
        script=text("script"),
        campaign=text("campaign"),
        direction=text("direction"),
        agent=text("agent"),
        rule=text("rule"),
        emotion=text("emotion"),
        handoff=_flag(values.get("handoff", "")),
        verified=_flag(values.get("verified", "")),
        least_risk=number("least_risk"),
        least_s=number("least_s"),
        most_s=number("most_s"),
        most_score=None if score is None else float(score),
    )


def search_page(values: Mapping[str, str]) -> int:
    """The page asked for, the first if that is no number."""
    text = values.get("page", "1")
    return min(_MOST_PAGES, max(1, int(text))) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _flag(text: str) -> bool | None:
    return {"yes": True, "no": False}.get(text)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), SHANGHAI)


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
