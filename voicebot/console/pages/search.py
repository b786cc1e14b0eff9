"""/search - everything that was ever said, by word, with filters on all that is known of a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import Request
from markupsafe import Markup, escape
from nicegui import ui

from voicebot.console.chips import disposition_chip
from voicebot.console.icons import icon
from voicebot.console.markup import tag
from voicebot.console.masking import lines_shown, name_shown
from voicebot.console.pages.calls import pager
from voicebot.console.quality_data import PER_PAGE
from voicebot.console.queries import Page
from voicebot.console.shell import Console, empty, heading, markup, shell, visit_of
from voicebot.console.speech_search import read_search, search_page
from voicebot.console.transcript import clock
from voicebot.console.words import Words
from voicebot.domain.outcome import Disposition
from voicebot.domain.phone import mask_number
from voicebot.domain.quality import SpeechHit, SpokenLine
from voicebot.domain.understanding import EmotionLabel

_RULES = tuple(f"F{number:02d}" for number in range(1, 19))
_MORE = ("campaign", "agent", "rule", "emotion", "direction", "handoff", "verified", "least_risk", "least_s", "most_s",
         "most_score")  # fmt: skip


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/search", response_timeout=15)
    async def search(request: Request) -> None:
        visit = visit_of(request)
        words, query = visit.words, request.query_params
        page = search_page(query)
        hits, total = await console.data.quality.search(read_search(query), page)
        target = "/review" if visit.who.may("review") else "/calls"
        with shell(console, visit, "/search", words("search.title")):
            markup(heading(words("search.title"), words("search.lead")))
            wanted = dict(query)
            listed = _hits(words, hits, wanted.get("text", ""), target) if hits else _nothing(words)
            pages = Page([hit.call_id for hit in hits], total, page, PER_PAGE)
            markup(tag("section", _filters(words, wanted), listed, pager(words, pages, query), cls="panel"))


def _nothing(words: Words) -> Markup:
    return empty("search", words("search.none"), words("search.none.lead"))


def _hits(words: Words, hits: Sequence[SpeechHit], text: str, target: str) -> Markup:
    return tag("ol", *(_hit(words, hit, text.split(), target) for hit in hits), cls="hits")


def _hit(words: Words, hit: SpeechHit, sought: Sequence[str], target: str) -> Markup:
    name = name_shown(hit.debtor_name or "") or mask_number(hit.number)
    known = {item.value for item in Disposition}
    outcome = disposition_chip(words, Disposition(hit.disposition) if hit.disposition in known else None)
    risk = tag("span", words("bench.risk", risk=hit.risk), cls="chip bad") if hit.risk >= 40 else None
    head = tag(
        "div",
        tag("a", tag("b", name), href=f"{target}/{hit.call_id}"),
        tag("span", words.moment(hit.started_at), cls="faint num"),
        tag("span", words.length(hit.duration_ms / 1000), cls="faint num"),
        tag("span", hit.script, cls="faint"),
        outcome,
        risk,
        cls="line",
    )
    lines = [_line(words, hit.call_id, line, sought, target) for line in lines_shown(hit)]
    return tag("li", head, tag("ul", *lines) if lines else None)


def _line(words: Words, call_id: str, line: SpokenLine, sought: Sequence[str], target: str) -> Markup:
    return tag(
        "li",
        tag("time", clock(line.ms)),
        tag("span", words(f"speaker.{line.speaker}"), cls="by"),
        tag("a", marked(line.text, sought), href=f"{target}/{call_id}?t={line.ms / 1000:g}"),
        cls=line.speaker,
    )


def marked(text: str, sought: Sequence[str]) -> Markup:
    """The text with what was sought marked."""
    told = escape(text)
    for word in sorted({word for word in sought if word}, key=len, reverse=True):
        told = told.replace(escape(word), Markup("<mark>") + escape(word) + Markup("</mark>"))
    return told


def _filters(words: Words, wanted: Mapping[str, str]) -> Markup:
    text = tag(
        "input", type="search", name="text", value=wanted.get("text", ""), cls="input",
        placeholder=words("search.words"), aria_label=words("search"), autofocus=True,
    )  # fmt: skip
    speakers = ("bot", "caller", "agent")
    fields = (
        tag("div", icon("search"), text, cls="find"),
        _choice(words, wanted, "speaker", "search.speaker", [(name, words(f"speaker.{name}")) for name in speakers]),
        _choice(words, wanted, "disposition", "col.outcome", [(d.value, words(d.value)) for d in Disposition]),
        _entry(words, wanted, "script", "search.script"),
        _date(words, wanted, "since"),
        _date(words, wanted, "until"),
        tag("button", words("search"), cls="btn primary", type="submit"),
    )
    more = (
        _entry(words, wanted, "campaign", "search.campaign"),
        _entry(words, wanted, "agent", "search.agent"),
        _choice(words, wanted, "rule", "search.rule", [(rule, rule) for rule in _RULES]),
        _choice(words, wanted, "emotion", "search.emotion", [(e.value, words(e.value)) for e in EmotionLabel]),
        _choice(words, wanted, "direction", "search.direction", [(d, words(d)) for d in ("outbound", "inbound")]),
        _yes_no(words, wanted, "handoff", "search.handoff"),
        _yes_no(words, wanted, "verified", "search.verified"),
        _number(words, wanted, "least_risk", "search.risk"),
        _number(words, wanted, "least_s", "search.least"),
        _number(words, wanted, "most_s", "search.most"),
        _number(words, wanted, "most_score", "search.score"),
    )
    opened = any(wanted.get(name) for name in _MORE)
    rest = tag("details", tag("summary", words("search.more")), tag("div", *more, cls="filters"), open=opened)
    return tag("form", tag("div", *fields, cls="filters"), rest, method="get", role="search", cls="speech-search")


def _choice(
    words: Words, wanted: Mapping[str, str], name: str, key: str, values: Sequence[tuple[str, str]]
) -> Markup:
    options = [tag("option", f"{words(key)} · {words('all')}", value="")]
    options += [tag("option", told, value=value, selected=wanted.get(name) == value) for value, told in values]
    return tag("select", *options, name=name, cls="select", data_submit=True, aria_label=words(key))


def _yes_no(words: Words, wanted: Mapping[str, str], name: str, key: str) -> Markup:
    return _choice(words, wanted, name, key, [("yes", words("search.yes")), ("no", words("search.no"))])


def _entry(words: Words, wanted: Mapping[str, str], name: str, key: str) -> Markup:
    told = words(key)
    return tag("input", name=name, value=wanted.get(name, ""), cls="input narrow", placeholder=told, aria_label=told)


def _number(words: Words, wanted: Mapping[str, str], name: str, key: str) -> Markup:
    entry = tag("input", type="number", min=0, name=name, value=wanted.get(name, ""), cls="input narrow")
    return tag("label", words(key), entry)


def _date(words: Words, wanted: Mapping[str, str], name: str) -> Markup:
    return tag("label", words(name), tag("input", type="date", name=name, value=wanted.get(name, ""), cls="input"))
