"""Report parts: the filters, tables and plans of the page of figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from markupsafe import Markup

from voicebot.console.figure_words import FIGURE_TEXTS
from voicebot.console.icons import icon
from voicebot.console.markup import tag
from voicebot.console.shell import empty, panel
from voicebot.console.words import Words
from voicebot.domain.report import Period, ReportFilter, SumsRow
from voicebot.domain.report_plan import ReportPlan
from voicebot.domain.tally import DIMENSIONS
from voicebot.reports.book import Book, Uplift
from voicebot.reports.figures import FIGURES
from voicebot.reports.reading import bounds, length, percent, shown

_RANGES = (1, 7, 30, 90)
_HEADLINE = ("connect", "rpc_debtors", "promise_rate", "kept", "violation_rate", "complaint_rate")


def headline(words: Words, book: Book) -> Markup:
    """Six figures that say how it goes."""
    boxes = []
    for name in _HEADLINE:
        figure, ratio = FIGURES[name], book.figures[name]
        below = f"{ratio.numerator:,} / {ratio.denominator:,}"
        value = tag("b", shown(figure, ratio), title=_definition(words, name))
        boxes.append(tag("div", tag("span", _name(words, name)), value, tag("small", below), cls="stat"))
    return tag("section", *boxes, cls="panel stats six")


def figure_tables(words: Words, book: Book) -> Markup:
    """All figures with their parts, group by group; the definition is a tooltip and a line."""
    boxes = []
    for group, figures in groupby(FIGURES.values(), lambda figure: figure.group):
        rows = []
        for figure in figures:
            ratio = book.figures[figure.id]
            rows.append(
                tag(
                    "tr",
                    tag("td", _name(words, figure.id), tag("span", _definition(words, figure.id), cls="sub")),
                    tag("td", tag("b", shown(figure, ratio)), cls="num right"),
                    tag("td", f"{ratio.numerator:,} / {ratio.denominator:,}", cls="num right hide-phone"),
                    tag("td", bounds(figure, ratio) or "—", cls="num right hide-phone"),
                    data_figure=figure.id,
                )
            )
        names = (("reports.figure", ""), ("reports.value", "right"), ("reports.counts", "right hide-phone"),
                 ("reports.interval", "right hide-phone"))  # fmt: skip
        boxes.append(panel("chart", words(f"reports.group.{group}"), _table(words, names, rows), inset=False))
    return tag("div", *boxes, cls="stack")


def filters(words: Words, book: Book, values: Mapping[str, Sequence[str]], script: str) -> Markup:
    """Days, dimensions and shape as one form whose address can be shared."""
    wanted = book.wanted
    options = [tag("option", words("reports.range"), value="")]
    options += [tag("option", words("reports.days", days=days), value=days) for days in _RANGES]
    fields = [
        tag("select", *options, name="days", cls="select", data_submit=True, aria_label=words("reports.range")),
        _date(words("since"), "since", wanted),
        _date(words("until"), "until", wanted),
        _choice(words, "period", "reports.period", [p.value for p in Period], book.period.value),
        _choice(words, "by", "reports", list(DIMENSIONS), book.dimension, words("reports.by")),
    ]
    for name in DIMENSIONS:
        if values.get(name):
            fields.append(_only(words, name, values[name], wanted.only.get(name, "")))
    return tag(
        "form",
        *fields,
        tag("input", type="hidden", name="funnel", value=script) if script else None,
        tag("button", words("reports.show"), cls="btn", type="submit"),
        cls="filters",
        method="get",
    )


def uplift_panel(words: Words, uplifts: Sequence[Uplift]) -> Markup:
    """Treated beside held out; never one without the other."""
    if not uplifts:
        return panel("chart", words("reports.uplift"), empty("info", words("reports.uplift.none"), small=True))
    rows = []
    for uplift in uplifts:
        gap = uplift.difference
        told = "—" if gap is None else f"{gap[0] * 100:+.1f} pp"
        between = "" if gap is None else f"{gap[1] * 100:+.1f} – {gap[2] * 100:+.1f} pp"
        tone = "" if gap is None or gap[1] <= 0 <= gap[2] else " good" if gap[1] > 0 else " bad"
        arms = words(
            "reports.uplift.row", treated=_share(uplift.treated.value), held=_share(uplift.held_out.value)
        )
        rows.append(
            tag(
                "tr",
                tag("td", tag("b", uplift.strategy), tag("span", arms, cls="sub num")),
                tag("td", tag("span", told, cls=f"chip{tone}"), tag("span", between, cls="sub num"), cls="right"),
            )
        )
    names = (("reports.strategy", ""), ("reports.value", "right"))
    return panel("chart", words("reports.uplift"), _table(words, names, rows), inset=False)


def agents_panel(words: Words, agents: Sequence[SumsRow]) -> Markup:
    """What people did: calls, talk and promises."""
    if not agents:
        nothing = empty("headset", words("reports.agents.none"), small=True)
        return panel("headset", words("reports.agents"), nothing)
    rows = []
    for row in sorted(agents, key=lambda row: -row.sums["handled"]):
        handled = max(1, row.sums["handled"])
        rows.append(
            tag(
                "tr",
                tag("td", tag("b", row.key)),
                tag("td", row.sums["handled"], cls="num right"),
                tag("td", length(row.sums["agent_ms"] / handled), cls="num right"),
                tag("td", percent(row.sums["agent_promises"] / handled), cls="num right"),
                tag("td", row.sums["agent_alerts"], cls="num right"),
            )
        )
    names = (("reports.agent", ""), ("reports.handled", "right"), ("reports.talk", "right"),
             ("reports.success", "right"), ("wall.alerts", "right"))  # fmt: skip
    return panel("headset", words("reports.agents"), _table(words, names, rows), inset=False)


def plans_panel(words: Words, plans: Sequence[ReportPlan]) -> Markup:
    """Reports that are sent, and a form for another one."""
    rows = []
    for plan in plans:
        state = words("reports.plans.waiting")
        if plan.sent_for:
            state = words("reports.plans.sent", day=plan.sent_for.isoformat())
        if plan.why:
            state = words("reports.plans.failed", why=plan.why)
        drop = tag(
            "button", words("reports.plans.drop"), cls="btn small quiet", type="button",
            data_post=f"/api/reports/plans/{plan.id}/drop", data_reload=True,
        )  # fmt: skip
        every = words(f"reports.plans.every.{plan.period.value}")
        below = f"{every} {plan.hour}:00 · {'+'.join(plan.formats)} · {', '.join(plan.recipients)}"
        rows.append(
            tag("tr", tag("td", tag("b", plan.name), tag("span", below, cls="sub")), tag("td", state), tag("td", drop))
        )
    listed = tag("div", tag("table", tag("tbody", *rows), cls="rows"), cls="scroll") if rows else None
    nothing = None if rows else empty("clock", words("reports.plans.none"), small=True)
    return panel("clock", words("reports.plans"), listed or nothing, _plan_form(words), inset=False)


def _plan_form(words: Words) -> Markup:
    periods = [tag("option", words(f"reports.plans.every.{p.value}"), value=p.value) for p in Period]
    formats = [tag("option", name, value=name) for name in ("xlsx,pdf", "xlsx", "pdf")]
    fields = (
        _field(words("reports.plans.name"), tag("input", name="name", cls="input", required=True, maxlength=80)),
        _field(words("reports.plans.to"), tag("input", name="recipients", cls="input", required=True)),
        _field(words("reports.period"), tag("select", *periods, name="period", cls="select")),
        _field(words("reports.plans.format"), tag("select", *formats, name="format", cls="select")),
        _field(
            words("reports.plans.hour"),
            tag("input", name="hour", type="number", min=0, max=23, value=8, cls="input"),
        ),
        tag("button", words("reports.plans.save"), cls="btn primary", type="submit"),
    )
    form = tag(
        "form", *fields, cls="in campaign-form", data_form="/api/reports/plans",
        data_done=words("reports.plans.saved"), data_saved="report_plans",
    )  # fmt: skip
    return tag("details", tag("summary", icon("plus"), words("reports.plans.new"), cls="cap"), form)


def _field(title: str, entry: Markup) -> Markup:
    return tag("label", tag("span", title), entry)


def _name(words: Words, figure_id: str) -> str:
    figure = FIGURES[figure_id]
    return figure.zh if words.language == "zh" else figure.en


def _definition(words: Words, figure_id: str) -> str:
    return FIGURE_TEXTS[figure_id] if words.language == "zh" else FIGURES[figure_id].definition


def _share(value: float | None) -> str:
    return "—" if value is None else percent(value)


def _table(words: Words, names: Sequence[tuple[str, str]], rows: Sequence[Markup]) -> Markup:
    heads = [tag("th", words(key), cls=cls) for key, cls in names]
    return tag("div", tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), cls="rows"), cls="scroll")


def _date(label: str, name: str, wanted: ReportFilter) -> Markup:
    value = getattr(wanted, name).isoformat()
    return tag("label", label, tag("input", type="date", name=name, value=value, cls="input"))


def _choice(words: Words, name: str, prefix: str, values: Sequence[str], chosen: str, before: str = "") -> Markup:
    head = f"{before} · " if before else ""
    options = [
        tag("option", head + words(f"{prefix}.{value}"), value=value, selected=value == chosen) for value in values
    ]
    return tag("select", *options, name=name, cls="select", data_submit=True, aria_label=before or name)


def _only(words: Words, name: str, values: Sequence[str], chosen: str) -> Markup:
    options = [tag("option", f"{words(f'reports.{name}')} · {words('all')}", value="")]
    options += [tag("option", value, value=value, selected=value == chosen) for value in values]
    return tag("select", *options, name=name, cls="select", data_submit=True, aria_label=words(f"reports.{name}"))
