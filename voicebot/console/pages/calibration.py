"""/calibration - several reviewers score the same call alone, then their answers stand side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from voicebot.console.markup import tag
from voicebot.console.pages.review import agreement_panel
from voicebot.console.quality_data import Session
from voicebot.console.shell import Console, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.quality import Review
from voicebot.quality.scorecard import Scorecard

_TONES = {"yes": "good", "no": "bad"}


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/calibration", response_timeout=15)
    async def calibration(request: Request) -> None:
        visit = visit_of(request)
        words, data = visit.words, console.data.quality

        async def drawn() -> Markup:
            boxes = sessions_drawn(words, await data.sessions())
            found, off = await data.calibrated(), await data.calibration()
            alike = agreement_panel(words, found, off, data.cards(), "calibration.alike.none")
            return tag("div", boxes, tag("div", alike, cls="stack"), cls="call")

        with shell(console, visit, "/review", words("calibration.title")):
            back = ("/review", words("review.title"))
            markup(heading(words("calibration.title"), words("calibration.lead"), back=back))
            content = markup(await drawn())
            markup(_start(words, data.cards()))

        async def redraw() -> None:
            content.content = await drawn()

        ui.on("calibration", redraw)


def sessions_drawn(words: Words, sessions: Sequence[Session]) -> Markup:
    """One box per call: who answered what, with what is not alike marked; closed until all have finished."""
    if not sessions:
        return tag("section", empty("people", words("calibration.none")), cls="panel")
    return tag("div", *(_session(words, session) for session in sessions), cls="stack")


def _session(words: Words, session: Session) -> Markup:
    title = tag("a", session.call_id, href=f"/review/{session.call_id}")
    if not session.done:
        waits = words("calibration.waits", done=session.finished, asked=session.asked)
        return panel("people", session.call_id, tag("p", title, " ", waits, cls="muted"))
    names = [review.reviewer or "—" for review in session.done]
    head = tag("thead", tag("tr", tag("th", words("calibration.question")), *(tag("th", name) for name in names)))
    questions = _titles(session)
    rows = [_question(words, name, title, session.done) for name, title in questions.items()]
    scores = [tag("td", tag("b", "—" if r.score is None else f"{r.score:g}"), cls="num") for r in session.done]
    last = tag("tr", tag("td", tag("b", words("calibration.score"))), *scores)
    table = tag("div", tag("table", head, tag("tbody", *rows, last), cls="rows"), cls="scroll")
    mean = words("calibration.mean", mean="—" if session.mean is None else f"{session.mean:.1f}")
    return panel("people", session.call_id, table, hint=mean, inset=False)


def _titles(session: Session) -> Mapping[str, str]:
    """Questions of the scorecard; where it is gone, their ids."""
    if session.card is not None:
        return {question.id: question.title for question in session.card.questions}
    return {name: name for review in session.done for name in review.answers}


def _question(words: Words, name: str, title: str, reviews: Sequence[Review]) -> Markup:
    given = [review.answers.get(name, "na") for review in reviews]
    unlike = tag("span", words("calibration.unlike"), cls="chip warn") if len(set(given)) > 1 else None
    cells = [tag("td", tag("span", words(f"bench.{one}"), cls=f"chip {_TONES.get(one, '')}".strip())) for one in given]
    return tag("tr", tag("td", title, " ", unlike), *cells, data_question=name)


def _start(words: Words, cards: Mapping[str, Scorecard]) -> Markup:
    sheets = [tag("option", card.title, value=card.id, selected=card.id == "standard") for card in cards.values()]
    call = tag("input", name="call_id", cls="input", required=True, maxlength=100)
    number = tag("input", type="number", name="reviewers", min=2, max=20, value=3, cls="input")
    fields = (
        tag("label", tag("span", words("calibration.call")), call),
        tag("label", tag("span", words("review.scorecard")), tag("select", *sheets, name="scorecard", cls="select")),
        tag("label", tag("span", words("calibration.reviewers")), number),
        tag("button", words("calibration.start"), cls="btn primary", type="submit"),
    )
    form = tag(
        "form", *fields, cls="in campaign-form", data_form="/api/quality/calibrate",
        data_done=words("calibration.started"), data_saved="calibration",
    )  # fmt: skip
    return tag("section", form, cls="panel draw-form")
