"""Chips: dispositions, emotions, stages and promises in few words and one colour each."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from voicebot.console.icons import icon
from voicebot.console.markup import tag
from voicebot.console.queries import PromiseView
from voicebot.console.words import Words
from voicebot.domain.outcome import Disposition
from voicebot.domain.understanding import EmotionLabel

_TONES: Mapping[str, str] = {
    "promise_to_pay": "good",
    "partial_promise": "good",
    "already_paid": "good",
    "callback": "accent",
    "human_requested": "accent",
    "hardship": "warn",
    "dispute": "warn",
    "refusal": "warn",
    "complaint": "bad",
    "vulnerable": "bad",
    "abusive": "bad",
    "do_not_call": "bad",
    "failed": "bad",
}
_EMOTIONS = frozenset(label.value for label in EmotionLabel)


def disposition_chip(words: Words, disposition: Disposition | str | None) -> Markup:
    """How a call ended; a dash while it runs."""
    if not disposition:
        return tag("span", "—", cls="faint")
    return tag("span", words(str(disposition)), cls=f"chip dot {_TONES.get(str(disposition), '')}".strip())


def emotion_chip(words: Words, emotion: str | None) -> Markup | None:
    """The mood last heard; nothing when none was."""
    if not emotion:
        return None
    return tag("span", words(emotion), cls=f"chip emotion {emotion_class(emotion)}")


def emotion_class(emotion: str) -> str:
    """The style class of an emotion; one that is not in the vocabulary looks neutral."""
    return f"e-{emotion if emotion in _EMOTIONS else 'neutral'}"


def stage_chip(words: Words, stage: str) -> Markup:
    tone = {"talking": "good", "agent": "accent", "transferring": "warn"}.get(stage, "")
    return tag("span", words(f"stage.{stage}"), cls=f"chip dot live {tone}".strip())


def verified_chip(words: Words, verified: bool) -> Markup:
    if not verified:
        return tag("span", words("unverified"), cls="chip")
    return tag("span", icon("check"), words("verified"), cls="chip good")


def promise_short(words: Words, promise: PromiseView | None) -> Markup:
    """Amount and day on one line."""
    if promise is None:
        return tag("span", "—", cls="faint")
    day = tag("span", promise.date.strftime("%m-%d"), cls="faint")
    return tag("span", tag("b", words.money(promise.amount_fen)), " ", day, cls="num")
