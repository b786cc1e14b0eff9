"""/rules - what keeps us from dialling, every answer of the rulebook and why, the packs, the numbers we show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from fastapi import Request
from markupsafe import Markup
from nicegui import ui
from starlette.datastructures import QueryParams

from voicebot.compliance.pack import RulePack
from voicebot.console.icons import icon
from voicebot.console.markup import Attribute, Child, tag
from voicebot.console.rulebook_api import spelt
from voicebot.console.rulebook_data import LedgerPage, today_only
from voicebot.console.shell import Console, empty, heading, markup, panel, shell, visit_of
from voicebot.console.words import Words
from voicebot.domain.clock import SystemClock
from voicebot.domain.ledger import Decision, DecisionSearch, Means
from voicebot.domain.permission import CallerId
from voicebot.domain.phone import mask_number


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/rules", response_timeout=10)
    async def rules(request: Request) -> None:
        visit, data = visit_of(request), console.data.rulebook
        words, query = visit.words, request.query_params
        wanted = read_filter(query)
        page = await data.ledger(wanted, _before(query))
        counts, head = await data.counts(wanted), await data.head()
        with shell(console, visit, "/rules", words("rulebook.title"), ("desk.js",)):
            markup(heading(words("rulebook.title"), words("rulebook.lead"), *_exports(words, query)))
            with ui.element("div").classes("stack"):
                markup(warnings_panel(words, data.warnings()))
                markup(ledger_panel(words, wanted, page, counts, head, query))
                listed = markup(callers_panel(words, await data.caller_ids()))
                if visit.who.may("users"):
                    markup(caller_form(words))
                markup(packs_panel(words, data.packs()))

            async def redraw() -> None:
                listed.content = callers_panel(words, await data.caller_ids())

            ui.on("callers", redraw)


def read_filter(query: QueryParams) -> DecisionSearch:
    """The filter of an address; today where none is given, and what cannot be read asks for nothing."""
    if not any(query.get(name) for name in ("case", "number", "since", "until", "rule", "allowed")):
        return today_only(SystemClock().now())
    allowed = {"true": True, "false": False}.get(query.get("allowed", ""))
    return DecisionSearch(
        case_id=query.get("case", "").strip()[:100] or None,
        number=spelt(query.get("number", "")[:40]),
        since=_day(query.get("since", "")),
        until=_day(query.get("until", "")),
        rule=query.get("rule", "").strip()[:20] or None,
        allowed=allowed,
    )


def warnings_panel(words: Words, warnings: Sequence[str]) -> Markup:
    """One line for each thing that somebody must do."""
    notes = [tag("div", icon("alert"), tag("span", text), cls="note bad") for text in warnings]
    return tag("div", *notes, cls="notices", role="status", aria_label=words("rulebook.warning"))


def ledger_panel(
    words: Words,
    wanted: DecisionSearch,
    page: LedgerPage,
    counts: Mapping[str | None, int],
    head: tuple[int, str],
    query: QueryParams,
) -> Markup:
    """Filters, what they come to by rule, and the answers."""
    hint = words("rulebook.head", length=head[0], head=head[1][:12])
    if not page.rows:
        nothing: Child = empty("shield", words("rulebook.none"), words("rulebook.none.lead"), small=True)
    else:
        nothing = tag("div", _table(words, page.rows), cls="scroll")
    more = None
    if page.next_before is not None:
        address = "?" + urlencode({**dict(query), "before": page.next_before})
        more = tag("div", tag("a", words("rulebook.more"), href=address, cls="btn small"), cls="pager")
    filters, sums = _filters(words, wanted, counts), _sums(words, counts)
    return panel("shield", words("rulebook.ledger"), filters, sums, nothing, more, hint=hint, inset=False)


def _sums(words: Words, counts: Mapping[str | None, int]) -> Markup:
    ordered = sorted(counts.items(), key=lambda item: (item[0] is not None, -item[1]))
    chips = [
        tag("span", f"{rule or words('rulebook.yes')} · {count}", cls=f"chip {'good' if rule is None else 'warn'}")
        for rule, count in ordered
    ]
    return tag("div", *chips, cls="chips in") if chips else Markup("")


def _table(words: Words, rows: Sequence[Decision]) -> Markup:
    names = (
        ("rulebook.at", ""),
        ("rulebook.whom", ""),
        ("rulebook.verdict", ""),
        ("rulebook.why", ""),
        ("rulebook.next", "hide-phone"),
    )
    heads = [tag("th", words(name), cls=cls) for name, cls in names]
    return tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *(_row(words, row) for row in rows)), cls="rows")


def _row(words: Words, row: Decision) -> Markup:
    verdict, tone = ("rulebook.yes", "good") if row.allowed else ("rulebook.no", "bad")
    later = words.moment(row.not_before) if row.not_before else words("rulebook.never")
    case = tag("a", row.case_id, href=f"/cases/{row.case_id}") if row.case_id else "—"
    means = words("rulebook.message" if row.means is Means.MESSAGE else "rulebook.call")
    chained = f"#{row.position} {row.sha256[:8]}" if row.sha256 else ""
    return tag(
        "tr",
        tag("td", words.moment(row.at), tag("span", chained, cls="sub num"), cls="num"),
        tag("td", case, tag("span", f"{means} · {mask_number(row.number)}", cls="sub num")),
        tag("td", tag("span", words(verdict), cls=f"chip dot {tone}"), tag("span", row.rule or "", cls="sub num")),
        tag("td", row.reason),
        tag("td", "—" if row.allowed else later, cls="num hide-phone"),
    )


def _filters(words: Words, wanted: DecisionSearch, counts: Mapping[str | None, int]) -> Markup:
    rules = sorted({rule for rule in counts if rule} | ({wanted.rule} if wanted.rule else set()))
    by_rule = [tag("option", words("rulebook.rule.any"), value="")]
    by_rule += [tag("option", rule, value=rule, selected=rule == wanted.rule) for rule in rules]
    verdicts = [
        tag("option", words(key), value=value, selected=wanted.allowed is chosen)
        for key, value, chosen in (
            ("rulebook.any", "", None),
            ("rulebook.yes", "true", True),
            ("rulebook.no", "false", False),
        )
    ]
    return tag(
        "form",
        _text(words("rulebook.case"), "case", wanted.case_id),
        _text(words("rulebook.number"), "number", wanted.number),
        tag("select", *by_rule, name="rule", cls="select", aria_label=words("rulebook.rule"), data_submit=True),
        tag("select", *verdicts, name="allowed", cls="select", aria_label=words("rulebook.verdict"), data_submit=True),
        _date(words("since"), "since", wanted.since),
        _date(words("until"), "until", wanted.until),
        tag("button", words("search"), cls="btn", type="submit"),
        tag("a", words("reset"), href="/rules", cls="btn quiet"),
        cls="filters",
        method="get",
        role="search",
    )


def _text(label: str, name: str, value: str | None) -> Markup:
    return tag("input", type="search", name=name, value=value, cls="input", placeholder=label, aria_label=label)


def _date(label: str, name: str, value: dt.date | None) -> Markup:
    day = value.isoformat() if value else None
    return tag("label", label, tag("input", type="date", name=name, value=day, cls="input"))


def _exports(words: Words, query: QueryParams) -> list[Markup]:
    wanted = read_filter(query)
    asked = {
        "case": wanted.case_id,
        "number": wanted.number,
        "rule": wanted.rule,
        "since": wanted.since,
        "until": wanted.until,
        "allowed": None if wanted.allowed is None else str(wanted.allowed).lower(),
    }
    way = urlencode({name: value for name, value in asked.items() if value is not None})
    return [
        tag("a", icon("download"), words(f"rulebook.{key}"), href=f"/api/rules/ledger/export.{kind}?{way}", cls="btn")
        for key, kind in (("csv", "csv"), ("json", "jsonl"))
    ]


def callers_panel(words: Words, entries: Sequence[CallerId]) -> Markup:
    """The numbers that we may show."""
    if not entries:
        nothing = empty("calls", words("rulebook.callers.none"), words("rulebook.callers.none.lead"), small=True)
        return panel("calls", words("rulebook.callers"), nothing, inset=False)
    names = ("rulebook.number", "rulebook.holder", "rulebook.valid", "rulebook.verified", "")
    heads = [tag("th", words(name) if name else "") for name in names]
    body = [_caller(words, entry) for entry in entries]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *body), cls="rows")
    return panel("calls", words("rulebook.callers"), tag("div", table, cls="scroll"), inset=False)


def _caller(words: Words, entry: CallerId) -> Markup:
    until = entry.valid_to.isoformat() if entry.valid_to else words("rulebook.open")
    verified = entry.verified_on.isoformat() if entry.verified_on else None
    proof = verified or tag("span", words("rulebook.unverified"), cls="chip bad")
    remove = tag(
        "button",
        words("rulebook.caller.remove"),
        cls="btn small quiet",
        type="button",
        data_post=f"/api/rules/caller-ids/{entry.number}/remove",
        data_saved="callers",
        data_confirm=words("rulebook.caller.remove.ask", number=entry.number),
        data_confirm_lead=words("rulebook.caller.remove.lead"),
        data_cancel=words("cancel"),
        data_verb=words("rulebook.caller.remove"),
    )
    return tag(
        "tr",
        tag("td", tag("b", entry.number), cls="num"),
        tag("td", entry.holder),
        tag("td", f"{entry.valid_from} – {until}", cls="num"),
        tag("td", proof, cls="num"),
        tag("td", remove, cls="right"),
    )


def caller_form(words: Words) -> Markup:
    """Registers a number, or writes its entry anew."""
    fields = (
        _field(words("rulebook.number"), _entry("number", required=True, maxlength=32, placeholder="01012345678")),
        _field(words("rulebook.holder"), _entry("holder", required=True, maxlength=100)),
        _field(words("rulebook.from"), _entry("valid_from", type="date", required=True)),
        _field(words("rulebook.to"), _entry("valid_to", type="date")),
        _field(words("rulebook.verified"), _entry("verified_on", type="date")),
    )
    save = tag("button", words("people.save"), cls="btn primary", type="submit")
    form = tag(
        "form",
        *fields,
        save,
        cls="in campaign-form",
        data_form="/api/rules/caller-ids",
        data_done=words("people.saved"),
        data_saved="callers",
    )
    summary = tag("summary", icon("plus"), tag("h2", words("rulebook.caller.new")), cls="cap")
    return tag("details", summary, form, cls="panel new-campaign")


def _field(title: str, entry: Markup) -> Markup:
    return tag("label", tag("span", title), entry)


def _entry(name: str, **more: Attribute) -> Markup:
    return tag("input", name=name, cls="input", **{"type": "text", **more})


def packs_panel(words: Words, packs: Sequence[RulePack]) -> Markup:
    """What is in force, folded away: every rule with its figures and source."""
    return panel("script", words("rulebook.packs"), *(_pack(words, pack) for pack in packs))


def _pack(words: Words, pack: RulePack) -> Markup:
    title = words("rulebook.pack", name=pack.name, version=pack.version)
    count = words("rulebook.pack.count", count=len(pack.rules))
    rows = [
        tag(
            "tr",
            tag("td", tag("b", rule.id), tag("span", rule.status, cls="sub"), cls="num"),
            tag("td", tag("b", rule.title), tag("span", rule.says, cls="sub")),
            tag("td", *(tag("span", f"{k} = {v}", cls="sub num") for k, v in rule.parameters.items())),
            tag("td", rule.source, cls="hide-phone"),
        )
        for rule in pack.rules.values()
    ]
    head = tag("summary", tag("b", title), " ", tag("span", f"{count} · {pack.sha256[:12]}", cls="faint num"), cls="in")
    return tag("details", head, tag("div", tag("table", tag("tbody", *rows), cls="rows"), cls="scroll"))


def _before(query: QueryParams) -> int | None:
    text = query.get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
