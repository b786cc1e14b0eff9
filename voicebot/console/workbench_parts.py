"""Workbench parts: lanes, findings, questions and comments beside a call that is reviewed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from voicebot.console.call_player import Mark
from voicebot.console.icons import icon
from voicebot.console.markup import tag
from voicebot.console.quality_data import CallQuality
from voicebot.console.shell import empty, panel
from voicebot.console.story import CallStory
from voicebot.console.transcript import clock
from voicebot.console.words import Words
from voicebot.domain.quality import Comment, Finding, FindingKind, Review
from voicebot.quality.scorecard import ANSWERS, Scorecard

SILENT_MS = 2500
"""Nobody speaks for so long: worth a mark."""
BLOCKED = "blocked:"


def lanes(words: Words, story: CallStory, quality: CallQuality) -> list[tuple[str, list[Mark]]]:
    """Interruptions, silences, rule hits and comments, under the sound."""
    lines = sorted((line for line in story.lines if line.text), key=lambda line: line.start_ms)
    talked_over = [
        Mark(line.end_ms - 400, line.end_ms, "⤫", "warn", line.text) for line in lines if line.interrupted
    ]
    silences, until = [], 0
    for line in lines:
        if until and line.start_ms - until >= SILENT_MS:
            told = f"{(line.start_ms - until) / 1000:.1f} s"
            silences.append(Mark(until, line.start_ms, told, "quiet"))
        until = max(until, line.end_ms)
    findings = quality.check.findings if quality.check else ()
    hits = [
        Mark(f.start_ms, max(f.end_ms, f.start_ms + 600), " ".join(f.rules), "bad", f.text) for f in findings
    ]
    notes = [Mark(c.ms, c.ms + 500, "✎", "note", f"{c.author}: {c.text}") for c in quality.comments]
    return [
        ("lane.rules", hits), ("lane.interrupted", talked_over), ("lane.silence", silences), ("lane.comments", notes),
    ]  # fmt: skip


def findings_panel(words: Words, call_id: str, quality: CallQuality) -> Markup:
    """What the gate found, each to be confirmed or called a false alarm."""
    check = quality.check
    risk = words("bench.risk", risk=check.risk) if check else ""
    if check is None or not check.findings:
        nothing = empty("shield", words("bench.findings.none"), small=True)
        return panel("shield", words("bench.findings"), nothing, hint=risk)
    rows = [_finding(words, call_id, finding, quality.verdicts) for finding in check.findings]
    return panel("shield", words("bench.findings"), tag("ol", *rows, cls="findings"), hint=risk, inset=False)


def _finding(
    words: Words, call_id: str, finding: Finding, verdicts: Mapping[tuple[int, str], str]
) -> Markup:
    buttons = []
    for rule in finding.rules:
        name = f"{BLOCKED}{rule}" if finding.kind is FindingKind.BLOCKED else rule
        said = verdicts.get((finding.seq, name))
        buttons.append(tag("span", tag("b", rule), *_verdict(words, call_id, finding.seq, name, said), cls="line"))
    what = words(f"bench.kind.{finding.kind.value}")
    head = tag("div", tag("time", clock(finding.start_ms)), tag("span", what, cls="chip bad"), cls="line")
    return tag("li", head, tag("p", finding.text), *buttons, data_seek=finding.start_ms)


def _verdict(words: Words, call_id: str, seq: int, rule: str, said: str | None) -> list[Markup]:
    if said is not None:
        tone = "bad" if said == "confirmed" else "good"
        key = "bench.confirmed" if said == "confirmed" else "bench.falsified"
        return [tag("span", words(key), cls=f"chip {tone}")]
    return [
        tag(
            "button",
            words(key),
            cls="btn small",
            type="button",
            data_post=f"/api/quality/calls/{call_id}/verdict",
            data_body=f'{{"seq": {seq}, "rule": "{rule}", "verdict": "{verdict}"}}',
            data_done=words("bench.judged"),
            data_saved="quality",
        )
        for key, verdict in (("bench.confirm", "confirmed"), ("bench.false", "false"))
    ]


def score_form(words: Words, card: Scorecard, review: Review) -> Markup:
    """All questions; what the machine answers is filled in and may be changed."""
    rows = []
    for number, question in enumerate(card.questions, 1):
        proposed = review.automatic.get(question.id, "")
        radios = [
            tag(
                "label",
                tag("input", type="radio", name=question.id, value=answer, checked=proposed == answer, tabindex=-1),
                tag("span", words(f"bench.{answer}")),
                cls="answer",
            )
            for answer in ANSWERS
        ]
        marks = [
            tag("span", words("bench.automatic"), cls="chip") if question.auto else None,
            tag("span", words("review.fatal"), cls="chip bad") if question.fatal else None,
            tag("span", question.weight, cls="faint num"),
        ]
        legend = tag("div", tag("b", f"{number}. {question.title}"), *marks, cls="line")
        rows.append(tag("li", legend, tag("div", *radios, cls="answers"), data_question=question.id))
    note = tag("textarea", name="note", cls="input", rows=2, placeholder=words("bench.note"), maxlength=4000)
    submit = tag("button", words("bench.submit"), cls="btn primary wide", type="submit")
    form = tag(
        "form",
        tag("ol", *rows, cls="questions"),
        note,
        submit,
        data_score=f"/api/quality/reviews/{review.id}",
        data_done=words("bench.submitted"),
    )
    hint = f"{words(f'review.round.{review.round.value}')} · {words(f'review.sampling.{review.why.value}')}"
    return panel("pen", card.title, form, hint=hint, cls="scoring")


def comments_panel(words: Words, call_id: str, comments: Sequence[Comment]) -> Markup:
    """Notes at moments; a click goes there."""
    listed = [
        tag(
            "li",
            tag("time", clock(comment.ms)),
            tag("span", tag("b", comment.author), " ", comment.text),
            data_seek=comment.ms,
        )
        for comment in comments
    ]
    entry = tag(
        "input",
        cls="input",
        data_comment=f"/api/quality/calls/{call_id}/comment",
        data_done=words("bench.commented"),
        data_saved="quality",
        placeholder=words("bench.comment.hint"),
        maxlength=2000,
    )
    return panel("pen", words("bench.comments"), tag("ol", *listed, cls="comments") if listed else None, entry)


def reviews_panel(words: Words, reviews: Sequence[Review], blind: bool) -> Markup | None:
    """Who said what before; not for somebody who is to look a second time without knowing."""
    done = [review for review in reviews if review.state == "done"]
    if blind or not done:
        return None
    rows = [
        tag(
            "li",
            tag("b", f"{review.score:g}" if review.score is not None else "—"),
            tag("span", f"{review.reviewer} · {words(f'review.round.{review.round.value}')}"),
            tag("span", words("review.fatal"), cls="chip bad") if review.fatal else None,
            tag("small", review.note) if review.note else None,
        )
        for review in done
    ]
    return panel("check", words("bench.reviews"), tag("ol", *rows, cls="comments"))


def keys_line(words: Words) -> Markup:
    return tag("p", icon("info"), words("bench.keys"), cls="faint bench-keys")
