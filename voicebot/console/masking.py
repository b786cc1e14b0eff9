"""Masking: names and what was said of them, as whoever looks may see them; a role without `names` sees 张*.

Who looks is known to the gate, and to all that it calls. Where nobody is known to look, everything is masked.
Telephone numbers are masked for everybody: see `voicebot.domain.phone`.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from fastapi import HTTPException, Request

from voicebot.console.queries import Account
from voicebot.console.story import CallStory
from voicebot.domain.names import mask_name
from voicebot.domain.phone import mask_number
from voicebot.domain.quality import SpeechHit, SpokenLine

NAMES = "names"
_NUMBER = re.compile(r"\+?\d{8,15}")
viewer: ContextVar[Account | None] = ContextVar("viewer", default=None)


def name_shown(name: str) -> str:
    """A person's name as the viewer may see it."""
    return name if sees_names() else mask_name(name)


def text_shown(text: str, *names: str | None) -> str:
    """What was said or written, without the names in it where the viewer may not see them."""
    if not text or sees_names():
        return text
    for name in sorted({name for name in names if name and len(name) > 1}, key=len, reverse=True):
        text = text.replace(name, mask_name(name))
    return text


def names_needed(request: Request) -> None:
    """What is sealed cannot be masked: 403 for whoever may not see names. HTTPException."""
    if not sees_names():
        raise HTTPException(403, "a sealed call holds names, which this role may not see: ask for a masked case file")


def story_shown(story: CallStory, *names: str | None) -> CallStory:
    """A call as the viewer may read it."""
    if sees_names():
        return story
    return replace(
        story,
        hearing=text_shown(story.hearing, *names),
        lines=tuple(replace(line, text=text_shown(line.text, *names)) for line in story.lines),
        moments=tuple(replace(one, detail=text_shown(one.detail, *names)) for one in story.moments),
    )


def lines_shown(hit: SpeechHit) -> list[SpokenLine]:
    """What was found in a call, as the viewer may read it."""
    return [replace(line, text=text_shown(line.text, hit.debtor_name)) for line in hit.lines]


def decision_shown(row: dict[str, Any]) -> dict[str, Any]:
    """An answer of the rulebook as the viewer may read it; masked ones cannot be checked against their hash."""
    return row if sees_names() else {name: _numbers_masked(value) for name, value in row.items()}


def _numbers_masked(value: Any) -> Any:
    """Numbers stand in the inputs too: whom it was about, and what was dialled before."""
    if isinstance(value, dict):
        return {name: _numbers_masked(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_numbers_masked(inner) for inner in value]
    return mask_number(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


def sees_names() -> bool:
    """Whether whoever looks may see whole names."""
    account = viewer.get()
    return account is not None and account.may(NAMES)
