"""`voicebot cases` and `voicebot payments`: case files in and out, and the money that came."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicebot.cli.terminal import AsJson, Config, fail, in_store, print_row

if TYPE_CHECKING:
    from voicebot.store.store import Store

cases = typer.Typer(no_args_is_help=True, help="Cases")
payments = typer.Typer(no_args_is_help=True, help="Payments")


@cases.command("import")
def cases_import(
    file: Path,
    as_json: AsJson = False,
    config: Config = None,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", help="Write rejected rows here, as a CSV to mend and import again")
    ] = None,
    creditor: Annotated[
        str, typer.Option("--creditor", help="Whose the cases are where no column names a creditor")
    ] = "",
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="HEADING=MEANING", help="What a heading means; remembered for such files"),
    ] = None,
) -> None:
    """Import cases from CSV (UTF-8 or GB18030) or XLSX; rejected rows are listed and block nothing."""
    from voicebot.cases.columns import check_mapping, shape_of
    from voicebot.cases.importer import Wish, import_table, read_case_table
    from voicebot.cases.mending import rejects_csv
    from voicebot.cases.tables import read_bytes
    from voicebot.domain.clock import SystemClock

    async def work(store: Store) -> dict[str, object]:
        table = read_case_table(read_bytes(file))
        shape = shape_of(table.header.cells)
        mapping = check_mapping(_mapping(maps or [])) or await store.imports.remembered(creditor, shape) or {}
        if maps:
            await store.imports.remember(creditor, shape, mapping, SystemClock().now())
        wish = Wish(mapping, creditor, "", file.name)
        report = await import_table(table, store, progress=_progress(), wish=wish)
        if rejects is not None and report.rejected:
            rejects.write_bytes(rejects_csv(table, report.rejected))
        return report.to_json()

    report = in_store(config, work)
    if as_json:
        print_row(report)
    else:
        _show_import(report)


@cases.command("export")
def cases_export(
    file: Annotated[Path, typer.Argument(help="Where to write; .xlsx makes a workbook, anything else a CSV")],
    config: Config = None,
    status: Annotated[str, typer.Option("--status", help="open, suspended or closed")] = "",
    creditor: Annotated[str, typer.Option("--creditor", help="Only this creditor's, by name")] = "",
    min_days: Annotated[int | None, typer.Option("--min-days", help="Overdue at least so long")] = None,
    max_days: Annotated[int | None, typer.Option("--max-days", help="Overdue at most so long")] = None,
) -> None:
    """Write cases to a file that an import understands, with what came of them."""
    from voicebot.cases.exporting import MOST_XLSX, csv_bytes, export_lines, headings, workbook_bytes
    from voicebot.store.cases import CaseFilter

    async def work(store: Store) -> int:
        ids = {each.name: each.id for each in await store.cases.creditors()}
        if creditor and creditor not in ids:
            raise ValueError(f"there is no creditor {creditor!r}; there are: {', '.join(ids) or 'none'}")
        wanted = CaseFilter(
            status=status, creditor_id=ids.get(creditor, ""), min_overdue_days=min_days, max_overdue_days=max_days
        )
        lines = [headings()]
        with file.open("wb") as out:
            count, first = 0, True
            async for line in export_lines(store, wanted):
                lines.append(line)
                count += 1
                if file.suffix.lower() != ".xlsx" and len(lines) >= 1000:
                    out.write(csv_bytes(lines, first))
                    lines, first = [], False
                elif len(lines) > MOST_XLSX:
                    raise ValueError(f"more than {MOST_XLSX} cases; export a CSV instead")
            out.write(workbook_bytes(lines) if file.suffix.lower() == ".xlsx" else csv_bytes(lines, first))
        return count

    typer.echo(f"已导出 {in_store(config, work)} 个案件到 {file}")


@payments.command("import")
def payments_import(file: Path, as_json: AsJson = False, config: Config = None) -> None:
    """Book payments from CSV or XLSX: each once by its reference; paid cases are closed, promises settled."""
    from voicebot.cases.payments import import_payments

    async def work(store: Store) -> dict[str, object]:
        return (await import_payments(file, store)).to_json()

    report: Mapping[str, Any] = in_store(config, work)
    if as_json:
        print_row(report)
        return
    kept = f" · 结案 {report['closed']} · 兑现承诺 {report['promises_kept']}"
    typer.echo(f"入账 {report['booked']} · 重复 {report['duplicates']}{kept}")
    for rejected in report["rejected"]:
        typer.echo(f"第 {rejected['row']} 行 {rejected['column']}={rejected['value']!r}: {rejected['reason']}")


def _mapping(maps: list[str]) -> dict[str, str]:
    mapping = {}
    for each in maps:
        heading, equals, meaning = each.partition("=")
        if not equals or not heading:
            fail(f"--map {each!r}: write HEADING=MEANING, for example 余额=欠款金额; nothing behind = leaves it out")
        mapping[heading] = meaning
    return mapping


def _progress() -> Any:
    """How far the import is, on a terminal; nothing where standard error is a file."""
    if not sys.stderr.isatty():
        return lambda done, total: None
    shown = [0.0]

    def show(done: int, total: int) -> None:
        if done == total or time.monotonic() - shown[0] > 0.2:
            shown[0] = time.monotonic()
            sys.stderr.write(f"\r已写入 {done:,} / {total:,}" + ("\n" if done == total else ""))
            sys.stderr.flush()

    return show


def _show_import(report: Mapping[str, Any]) -> None:
    typer.echo(f"新增 {report['imported']} · 更新 {report['updated']} · 重复 {report['duplicates']}")
    for rejected in report["rejected"]:
        typer.echo(f"第 {rejected['row']} 行 {rejected['column']}={rejected['value']!r}: {rejected['reason']}")
        for also in rejected["more"]:
            typer.echo(f"    另有 {also['column']}={also['value']!r}: {also['reason']}")
    for warning in report["warnings"]:
        typer.echo(f"注意：{warning}")
    if report["ignored_columns"]:
        typer.echo(f"未使用的列：{'、'.join(report['ignored_columns'])}")
