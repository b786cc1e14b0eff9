"""/my-reviews - what reviewers said of one's own calls, an appeal, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.markup import tag
from voicebot.console.quality_data import OwnReview
from voicebot.console.shell import Console, Visit, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.quality import Appeal


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/my-reviews", response_timeout=15)
    async def my_reviews(request: Request) -> None:
        visit = visit_of(request)
        words, agent = visit.words, visit.who.agent_id

        async def drawn() -> Markup:
            if agent is None:
                return tag("section", empty("person", words("reviewed.nobody")), cls="panel")
            return own_reviews(visit, await console.data.quality.mine(agent))

        with shell(console, visit, "/my-reviews", words("reviewed.title")):
            markup(heading(words("reviewed.title"), words("reviewed.lead")))
            content = markup(await drawn())

        async def redraw() -> None:
            content.content = await drawn()

        ui.on("mine", redraw)


def own_reviews(visit: Visit, own: Sequence[OwnReview]) -> Markup:
    """One box per review, the latest first."""
    if not own:
        return tag("section", empty("check", visit.words("reviewed.none")), cls="panel")
    return tag("div", *(_box(visit, one) for one in own), cls="stack")


def _box(visit: Visit, one: OwnReview) -> Markup:
    words, review = visit.words, one.review
    key, tone = ("review.passed", "good") if one.passed else ("review.failed", "bad")
    chips = [tag("b", _score(review.score), cls="num"), tag("span", words(key), cls=f"chip {tone}")]
    if review.fatal:
        chips.append(tag("span", words("review.fatal"), cls="chip bad"))
    if visit.who.may("calls"):
        chips.append(tag("a", words("reviewed.listen"), href=f"/calls/{review.call_id}", cls="btn small"))
    lines = [
        tag("p", tag("b", words(f"reviewed.{name}")), " ", "；".join(told))
        for name, told in (("wrong", one.wrong), ("said", one.findings), ("note", [review.note] if review.note else []))
        if told
    ]
    appeals = [_appeal(words, appeal) for appeal in one.appeals]
    form = _form(words, review.id) if one.may_appeal else None
    head = tag("div", *chips, cls="line wraps")
    return panel("pen", review.call_id, head, *lines, *appeals, form, hint=words.moment(review.done_at))


def _appeal(words: Words, appeal: Appeal) -> Markup:
    if appeal.state == "changed":
        state = words("reviewed.state.changed", before=_score(appeal.score_before), after=_score(appeal.score_after))
    else:
        state = words(f"reviewed.state.{appeal.state}")
    tone = {"open": "warn", "changed": "good"}.get(appeal.state, "")
    answer = tag("p", words("reviewed.answer", text=appeal.answer)) if appeal.answer else None
    said = tag("p", f"“{appeal.text}”", tag("span", words.moment(appeal.at), cls="sub"))
    chip = tag("span", state, cls=f"chip {tone}".strip())
    return tag("div", chip, said, answer, cls="note", data_appeal=appeal.state)


def _score(score: float | None) -> str:
    return "—" if score is None else f"{score:g}"


def _form(words: Words, review_id: int) -> Markup:
    why = tag("input", name="text", cls="input grow", placeholder=words("reviewed.why"), required=True, maxlength=2000)
    return tag(
        "form", why, tag("button", words("reviewed.appeal"), cls="btn", type="submit"), cls="line",
        data_form=f"/api/quality/reviews/{review_id}/appeal", data_done=words("reviewed.appealed"), data_saved="mine",
    )  # fmt: skip
