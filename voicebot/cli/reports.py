"""`voicebot reports`: figures on the terminal, as JSON, XLSX or PDF; their definitions; made anew from the journals."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicebot.cli.terminal import AsJson, Config, fail, in_store, print_row

if TYPE_CHECKING:
    from voicebot.domain.report import ReportFilter
    from voicebot.store.store import Store

reports = typer.Typer(no_args_is_help=True, help="Figures and reports")

Since = Annotated[str | None, typer.Option("--since", metavar="DATE", help="First day, YYYY-MM-DD")]
Until = Annotated[str | None, typer.Option("--until", metavar="DATE", help="Last day; today if not given")]
Only = Annotated[list[str] | None, typer.Option("--only", metavar="DIMENSION=VALUE", help="Such as stage=M1")]


@reports.command("show")
def show(
    since: Since = None,
    until: Until = None,
    only: Only = None,
    by: Annotated[str, typer.Option("--by", help="stage, region, age, script, strategy or agent")] = "stage",
    period: Annotated[str, typer.Option("--period", help="day, week or month")] = "day",
    script: Annotated[str, typer.Option("--script", help="Whose funnel; the busiest if not given")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="Write .xlsx, .pdf or .json instead")] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Figures of the last thirty days, or of those given."""
    from voicebot.domain.report import Period
    from voicebot.reports.book import Book, read_book
    from voicebot.reports.book import as_json as told
    from voicebot.reports.figures import FIGURES
    from voicebot.reports.reading import bounds, shown

    wanted = _filter(since, until, only)
    if period not in list(Period):
        fail(f"--period {period!r}: day, week or month")

    async def work(store: Store) -> Book:
        return await read_book(store, wanted, Period(period), by, script)

    book = in_store(config, work)
    if out is not None:
        _write(book, out)
    elif as_json:
        print_row(told(book))
    else:
        for name, ratio in book.figures.items():
            figure = FIGURES[name]
            counted = f"{ratio.numerator:,} / {ratio.denominator:,}"
            typer.echo(f"{figure.zh}\t{shown(figure, ratio)}\t{counted}\t{bounds(figure, ratio)}")


@reports.command("figures")
def figures(as_json: AsJson = False) -> None:
    """Every figure with its definition; needs no database."""
    from voicebot.reports.figures import FIGURES

    for figure in FIGURES.values():
        row = {"id": figure.id, "zh": figure.zh, "en": figure.en, "unit": figure.unit.value}
        row["definition"] = figure.definition
        print_row(row) if as_json else typer.echo(f"{figure.id}\t{figure.zh}\t{figure.definition}")


@reports.command("rebuild")
def rebuild(config: Config = None, as_json: AsJson = False) -> None:
    """Make all sums anew from the journals; they come out the same as those summed while calls ended."""
    from voicebot.config import SettingsError, load_settings
    from voicebot.domain.clock import SystemClock
    from voicebot.quality.afterwards import Afterwards
    from voicebot.reports.rollup import RollUp

    try:
        recordings = load_settings(config).recordings
    except (SettingsError, ValueError) as error:
        fail(str(error))

    async def work(store: Store) -> tuple[int, bool]:
        await Afterwards(store, SystemClock()).catch_up()
        rollup = RollUp(store, recordings, SystemClock())
        await rollup.catch_up()
        before = await store.report_calls.sums()
        counted = await rollup.rebuild()
        return counted, before == await store.report_calls.sums()

    counted, same = in_store(config, work)
    if as_json:
        print_row({"calls": counted, "same": same})
    else:
        typer.echo(f"已从话单重算 {counted} 通；与此前的汇总{'完全一致' if same else '不一致，已更正'}")


def _filter(since: str | None, until: str | None, only: list[str] | None) -> ReportFilter:
    from voicebot.domain.clock import SHANGHAI
    from voicebot.domain.report import ReportFilter
    from voicebot.domain.tally import DIMENSIONS

    try:
        last = dt.date.fromisoformat(until) if until else dt.datetime.now(SHANGHAI).date()
        first = dt.date.fromisoformat(since) if since else last - dt.timedelta(days=29)
    except ValueError as error:
        fail(f"a date is YYYY-MM-DD: {error}")
    chosen = dict(item.partition("=")[::2] for item in only or ())
    if unknown := chosen.keys() - set(DIMENSIONS):
        fail(f"--only {', '.join(sorted(unknown))}: one of {', '.join(DIMENSIONS)}, such as stage=M1")
    return ReportFilter(first, last, chosen)


def _write(book: object, out: Path) -> None:
    import json

    from voicebot.reports.book import Book, as_json
    from voicebot.reports.paper import embeds, paper
    from voicebot.reports.spreadsheet import spreadsheet

    assert isinstance(book, Book)
    match out.suffix:
        case ".xlsx":
            data = spreadsheet(book)
        case ".pdf":
            data = paper(book)
            if not embeds():
                typer.echo("no Chinese font to embed: install fonts-wqy-microhei; readers will use their own", err=True)
        case ".json":
            data = json.dumps(as_json(book), ensure_ascii=False, indent=1).encode()
        case _:
            fail(f"{out}: the name ends in .xlsx, .pdf or .json")
    try:
        out.write_bytes(data)
    except OSError as error:
        fail(f"{out}: {error.strerror}")
