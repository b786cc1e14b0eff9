"""`voicebot models`: recognisers and voices of others, from the catalogue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicebot.cli.terminal import AsJson, fail, print_row

if TYPE_CHECKING:
    from voicebot.catalogue.entries import Entry

models = typer.Typer(no_args_is_help=True, help="Models of others: recognisers and voices")

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="Models of the catalogue; none: all")]
Into = Annotated[Path | None, typer.Option("--into", help="Folder of the models; VOICEBOT_HOME/models unless given")]


def _catalogue() -> dict[str, Entry]:
    from voicebot.catalogue.entries import CATALOGUE_NAME, CatalogueError, read_catalogue
    from voicebot.config import models_dir

    try:
        return read_catalogue(models_dir() / CATALOGUE_NAME)
    except CatalogueError as error:
        fail(str(error))


def _chosen(names: list[str] | None) -> list[Entry]:
    from voicebot.catalogue.entries import CatalogueError, entry_of

    catalogue = _catalogue()
    try:
        return [entry_of(catalogue, name) for name in names or catalogue]
    except CatalogueError as error:
        fail(str(error))


def _folder(into: Path | None) -> Path:
    from voicebot.config import pulled_models_dir

    return into or pulled_models_dir()


@models.command("list")
def list_models(into: Into = None, as_json: AsJson = False) -> None:
    """Which models there are, and which of them lie here."""
    from rich.console import Console
    from rich.table import Column, Table

    from voicebot.catalogue.pull import is_pulled

    folder = _folder(into)
    rows = [(entry, is_pulled(entry, folder)) for entry in _catalogue().values()]
    if as_json:
        told = [
            {"name": entry.name, "engine": entry.engine, "title": entry.title, "bytes": entry.size, "pulled": pulled,
             "licence": entry.licence, "page": entry.page}
            for entry, pulled in rows
        ]  # fmt: skip
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    size = Column("size", justify="right", no_wrap=True)
    table = Table(Column("name", no_wrap=True), size, "here", "what and licence")
    for entry, pulled in rows:
        what = f"{entry.title}\n[dim]{entry.licence}[/dim]"
        table.add_row(entry.name, _megabytes(entry.size), "✓" if pulled else "", what)
    Console().print(table)


@models.command("pull")
def pull_models(
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="Models of the catalogue")],
    into: Into = None,
    mirror: Annotated[str | None, typer.Option(help="Take the files from here, such as https://hf-mirror.com")] = None,
) -> None:
    """Fetch models; what was begun is gone on with, what came is checked."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from voicebot.catalogue.pull import PullError, pull

    folder = _folder(into)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    for entry in _chosen(names):
        typer.echo(f"{entry.name}: {entry.title}\n  licence: {entry.licence}\n  {entry.page}", err=True)
        with Progress(*columns) as shown:
            tasks = {file.name: shown.add_task(file.name, total=file.size or file.roughly) for file in entry.files}

            try:
                target = pull(
                    entry,
                    folder,
                    lambda name, so_far, whole: shown.update(tasks[name], completed=so_far, total=whole),  # noqa: B023
                    mirror,
                )
            except PullError as error:
                shown.stop()
                fail(str(error))
            except OSError as error:
                shown.stop()
                fail(f"{folder} can't be used: {error}; choose another folder with --into")
        typer.echo(f"{target}\n{_assured(entry)}\nuse it: {_setting(entry)}", err=True)


@models.command("check")
def check_models(names: Names = None, into: Into = None, as_json: AsJson = False) -> None:
    """Whether the models that lie here are whole and unchanged; exit code 1 where one is not."""
    from voicebot.catalogue.pull import check, is_pulled

    folder, failed = _folder(into), False
    chosen = [entry for entry in _chosen(names) if names or is_pulled(entry, folder)]
    if not chosen:
        typer.echo(f"no model of the catalogue lies below {folder}: voicebot models pull NAME gets one", err=True)
    for entry in chosen:
        faults = check(entry, folder)
        failed = failed or bool(faults)
        if as_json:
            told = [{"file": fault.file, "what": fault.what} for fault in faults]
            print_row({"name": entry.name, "ok": not faults, "faults": told})
        else:
            typer.echo(f"{entry.name}: " + ("ok" if not faults else "; ".join(f"{f.file}: {f.what}" for f in faults)))
    raise typer.Exit(1 if failed else 0)


def _assured(entry: Entry) -> str:
    """What its files were held against."""
    recorded = [file.name for file in entry.files if file.sha256 is None]
    if not recorded:
        return "every file has the SHA-256 that its source states"
    return (
        f"no public source states the SHA-256 of {', '.join(recorded)}: what came is recorded, "
        "and voicebot models check holds later copies against it"
    )


def _setting(entry: Entry) -> str:
    variable = "VOICEBOT_SYNTHESIZER" if entry.engine == "piper" else "VOICEBOT_RECOGNIZER"
    return f"{variable}={entry.engine}:{entry.name}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB" if size else "?"
