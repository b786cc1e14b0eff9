"""Risk drawn: a case's score with the reasons for it, what its calls made of it, and whose case it was."""

from __future__ import annotations

from markupsafe import Markup

from voicebot.console.campaign_data import RiskView
from voicebot.console.markup import Child, tag
from voicebot.console.shell import empty, panel
from voicebot.console.words import Words

_TONES = {"low": "good", "medium": "warn", "high": "bad"}


def risk_panel(words: Words, view: RiskView) -> Markup:
    """The score first, then every reason with its points."""
    entries = [*_score(words, view), *_escalations(words, view), *_assignments(words, view)]
    if not entries:
        return panel("chart", words("risk.title"), empty("chart", words("tier."), small=True))
    return panel("chart", words("risk.title"), tag("dl", *entries, cls="facts"))


def _score(words: Words, view: RiskView) -> list[Markup]:
    risk = view.risk
    if risk is None or not risk.tier:
        return []
    tier = tag("span", words(f"tier.{risk.tier}"), cls=f"chip {_TONES.get(risk.tier, '')}")
    moved = tag("span", words("risk.shift", by=f"{risk.shift:+d}"), cls="chip") if risk.shift else None
    first = _entry(tag("b", words("risk.score", score=risk.score), cls="num"), tier, moved)
    return [first, *(_entry(one.words, tag("span", f"{one.points:+g}", cls="num")) for one in risk.reasons)]


def _escalations(words: Words, view: RiskView) -> list[Markup]:
    rows = []
    for one in view.escalations[:5]:
        later = words("risk.follow_up", at=words.moment(one.follow_up_at)) if one.follow_up_at else ""
        why = "、".join(words(name) for name in one.rule.split("+"))
        told = tag("span", one.then or words(f"strategies.risk.{one.risk}"), cls="chip accent")
        rows.append(_entry(tag("span", why, tag("span", later, cls="sub")), told))
    return rows


def _assignments(words: Words, view: RiskView) -> list[Markup]:
    return [
        _entry(tag("span", words(f"risk.{one.mode}", agent=one.agent_id)), tag("span", words.moment(one.at), cls="num"))
        for one in view.assignments[:5]
    ]


def _entry(term: Child, *values: Child) -> Markup:
    return tag("div", tag("dt", term), tag("dd", *values))
