"""/review - calls that wait for a reviewer, how alike reviewers are, and what agents object to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.icons import icon
from voicebot.console.markup import tag
from voicebot.console.shell import Console, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.quality import Appeal, Review
from voicebot.quality.agreement import Agreement
from voicebot.quality.scorecard import Scorecard
from voicebot.store.replays import ReplayRun

_SAMPLINGS = ("risk", "random", "agent", "script")


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/review", response_timeout=15)
    async def review(request: Request) -> None:
        visit = visit_of(request)
        words, data = visit.words, console.data.quality
        may_lead = visit.who.may("quality")

        async def drawn() -> Markup:
            queue = _queue(words, await data.waiting(visit.who.username))
            agreed = agreement_panel(words, await data.agreement(), await data.calibration(), data.cards())
            side = [agreed, _appeals(words, await data.appeals()) if may_lead else None]
            done = _done(words, await data.done(), data.cards())
            left = tag("div", queue, done, _replays(words, await data.replays()), cls="stack")
            return tag("div", left, tag("div", *side, cls="stack"), cls="call")

        with shell(console, visit, "/review", words("review.title")):
            actions = (tag("a", words("calibration.title"), href="/calibration", cls="btn"), _second(words))
            markup(heading(words("review.title"), words("review.lead"), *(actions if may_lead else ())))
            content = markup(await drawn())
            if may_lead:
                markup(_draw_form(words, data.cards()))

        async def redraw() -> None:
            content.content = await drawn()

        ui.on("review", redraw)


def _queue(words: Words, waiting: Sequence[Review]) -> Markup:
    if not waiting:
        nothing = empty("check", words("review.queue.none"), words("review.queue.none.lead"))
        return panel("pen", words("review.queue"), nothing, inset=False)
    rows = [
        tag(
            "tr",
            tag("td", tag("a", review.call_id, href=f"/review/{review.call_id}", cls="cover")),
            tag("td", tag("span", words(f"review.round.{review.round.value}"), cls="chip")),
            tag("td", words(f"review.sampling.{review.why.value}")),
            tag("td", review.agent or "—", cls="hide-phone"),
            tag("td", words.moment(review.drawn_at), cls="num hide-phone"),
        )
        for review in waiting
    ]
    table = tag("div", tag("table", tag("tbody", *rows), cls="rows"), cls="scroll")
    return panel("pen", words("review.queue"), table, hint=str(len(waiting)), inset=False)


def _done(words: Words, done: Sequence[Review], cards: Mapping[str, Scorecard]) -> Markup:
    if not done:
        return panel("check", words("review.done"), empty("check", words("review.done.none"), small=True))
    rows = []
    for review in done:
        passes = cards[review.scorecard].passes if review.scorecard in cards else 80
        good = (review.score or 0) >= passes
        key, tone = ("review.passed", "good") if good else ("review.failed", "bad")
        state = tag("span", words(key), cls=f"chip {tone}")
        rows.append(
            tag(
                "tr",
                tag("td", tag("a", review.call_id, href=f"/review/{review.call_id}", cls="cover")),
                tag("td", tag("b", f"{review.score:g}" if review.score is not None else "—"), cls="num right"),
                tag("td", state),
                tag("td", review.reviewer or "", tag("span", words(f"review.round.{review.round.value}"), cls="sub")),
                tag("td", words.moment(review.done_at), cls="num hide-phone"),
            )
        )
    table = tag("div", tag("table", tag("tbody", *rows), cls="rows"), cls="scroll")
    return panel("check", words("review.done"), table, inset=False)


def _replays(words: Words, runs: Sequence[ReplayRun]) -> Markup | None:
    """What-if reports that were kept: how many calls would have gone another way."""
    if not runs:
        return None
    rows = []
    for run in runs:
        told = run.summary
        ways = words("replay.ways", same=told["same"], words=told["other_words"], way=told["other_way"])
        changed = words(
            "replay.changed", promises="→".join(map(str, told["promises"])),
            handoffs="→".join(map(str, told["handoffs"])), violating="→".join(map(str, told["violating"])),
        )  # fmt: skip
        below = f"{words.moment(run.made_at)} {run.made_by}"
        rows.append(
            tag(
                "tr",
                tag("td", tag("b", run.candidate), tag("span", below, cls="sub")),
                tag("td", words("search.found", total=told["calls"]), tag("span", ways, cls="sub")),
                tag("td", changed, cls="hide-phone"),
            )
        )
    table = tag("div", tag("table", tag("tbody", *rows), cls="rows"), cls="scroll")
    return panel("script", words("replay.title"), table, inset=False)


def agreement_panel(
    words: Words, found: Sequence[Agreement], off: Mapping[str, float], cards: Mapping[str, Scorecard],
    none: str = "review.agreement.none",
) -> Markup:  # fmt: skip
    """Cohen's kappa over all answers and by question, and how far each reviewer lies off the mean."""
    if not found:
        return panel("people", words("review.agreement"), empty("people", words(none), small=True))
    titles = {question.id: question.title for card in cards.values() for question in card.questions}
    rows = []
    for one in found:
        name = titles.get(one.question, one.question) if one.question else words("review.all")
        kappa = "—" if one.kappa is None else f"{one.kappa:.2f}"
        below = words("review.alike", alike=one.alike, answered=one.answered)
        told = tag("td", name, tag("span", below, cls="sub"))
        rows.append(tag("tr", told, tag("td", tag("b", kappa), cls="right num")))
    for reviewer, points in off.items():
        rows.append(
            tag("tr", tag("td", reviewer, tag("span", words("review.off"), cls="sub")),
                tag("td", f"{points:+.1f}", cls="right num"))
        )  # fmt: skip
    table = tag("div", tag("table", tag("tbody", *rows), cls="rows"), cls="scroll")
    return panel("people", words("review.agreement"), table, hint=words("review.kappa"), inset=False)


def _appeals(words: Words, appeals: Sequence[Appeal]) -> Markup:
    if not appeals:
        return panel("hand", words("review.appeals"), empty("hand", words("review.appeals.none"), small=True))
    rows = []
    for appeal in appeals:
        hint = words("review.score")
        score = tag("input", type="number", name="score", min=0, max=100, cls="input", placeholder=hint)
        answer = tag("input", name="answer", cls="input", placeholder=words("bench.note"), required=True)
        form = tag(
            "form", answer, score, tag("button", words("review.uphold"), cls="btn", type="submit"), cls="line",
            data_form=f"/api/quality/appeals/{appeal.id}", data_done=words("review.upheld"), data_saved="review",
        )  # fmt: skip
        told = tag("p", tag("b", appeal.by), " ", appeal.text)
        rows.append(tag("li", told, tag("small", f"{appeal.score_before:g}" if appeal.score_before else ""), form))
    return panel("hand", words("review.appeals"), tag("ol", *rows, cls="comments"))


def _second(words: Words) -> Markup:
    return tag(
        "button", icon("people"), words("review.second"), cls="btn", type="button", data_post="/api/quality/second",
        data_body='{"count": 5}', data_done=words("review.drawn"), data_saved="review",
    )  # fmt: skip


def _draw_form(words: Words, cards: Mapping[str, Scorecard]) -> Markup:
    samplings = [tag("option", words(f"review.sampling.{name}"), value=name) for name in _SAMPLINGS]
    sheets = [tag("option", card.title, value=card.id, selected=card.id == "standard") for card in cards.values()]
    fields = (
        tag("label", tag("span", words("review.draw")), tag("select", *samplings, name="sampling", cls="select")),
        tag("label", tag("span", words("review.scorecard")), tag("select", *sheets, name="scorecard", cls="select")),
        tag("label", tag("span", words("review.of")), tag("input", name="of", cls="input", maxlength=100)),
        tag("label", tag("span", words("review.count")),
            tag("input", type="number", name="count", min=1, max=500, value=10, cls="input")),
        tag("button", words("review.draw"), cls="btn primary", type="submit"),
    )  # fmt: skip
    form = tag(
        "form", *fields, cls="in campaign-form", data_form="/api/quality/draw", data_done=words("review.drawn"),
        data_saved="review",
    )  # fmt: skip
    return tag("section", form, cls="panel draw-form")
