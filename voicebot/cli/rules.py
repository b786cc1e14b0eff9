"""`voicebot rules`: judge rows, show the rules, look into the permission ledger, verify exports, register numbers."""

from __future__ import annotations

import datetime as dt
import getpass
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicebot.cli.terminal import AsJson, Config, fail, in_store, print_row

if TYPE_CHECKING:
    from voicebot.domain.ledger import Decision, DecisionSearch
    from voicebot.store.store import Store

rules = typer.Typer(no_args_is_help=True, help="The rulebook")
callers = typer.Typer(no_args_is_help=True, help="Numbers that we may show")
consents = typer.Typer(no_args_is_help=True, help="What debtors agreed to")
rules.add_typer(callers, name="caller-ids")
rules.add_typer(consents, name="consents")

Case = Annotated[str | None, typer.Option("--case", help="Case id")]
Number = Annotated[str | None, typer.Option("--number", help="The number dialled")]
Since = Annotated[str | None, typer.Option("--since", metavar="DAY", help="First day, 2026-11-22")]
Until = Annotated[str | None, typer.Option("--until", metavar="DAY", help="Last day")]
RuleId = Annotated[str | None, typer.Option("--rule", help="Such as CN-T1")]
Verdict = Annotated[bool | None, typer.Option("--allowed/--refused", help="Only these answers")]


@rules.command("table")
def rules_table() -> None:
    """Every rule of the shipped packs with figures, source, where it is held and which test shows it, as Markdown."""
    from voicebot.compliance.handbook import handbook
    from voicebot.compliance.packs import shipped_packs

    typer.echo(handbook(shipped_packs()), nl=False)


@rules.command("check")
def rules_check(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of packs and calendars; else VOICEBOT_HOME/rules")
    ] = None,
    config: Config = None,
) -> None:
    """What is in force, what cannot be read, and what will keep us from dialling; exit 1 if anything does now."""
    from voicebot.compliance.packs import load_packs
    from voicebot.config import SettingsError, load_settings
    from voicebot.domain.clock import SHANGHAI

    try:
        packs = load_packs(folder or load_settings(config).home / "rules")
    except SettingsError as error:
        fail(str(error))
    for pack in packs.all:
        print_row({"pack": pack.name, "version": pack.version, "rules": len(pack.rules), "sha256": pack.sha256})
    for warning in packs.warnings(dt.datetime.now(SHANGHAI).date()):
        typer.echo(warning, err=True)
    raise typer.Exit(1 if packs.problems else 0)


@rules.command("ledger")
def rules_ledger(
    case: Case = None,
    number: Number = None,
    since: Since = None,
    until: Until = None,
    rule: RuleId = None,
    allowed: Verdict = None,
    limit: Annotated[int, typer.Option("--limit", min=1)] = 50,
    export: Annotated[Path | None, typer.Option("--export", help="Write all that match: .csv, else JSON Lines")] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Answers of the rulebook, newest first; or an export for a regulator, oldest first, every row with its hash."""
    from voicebot.domain.ledger import DecisionSearch

    wanted = DecisionSearch(case, number, _day(since), _day(until), rule, allowed)
    if export is not None:
        length, head = in_store(config, lambda store: _export(store, wanted, export))
        typer.echo(f"{export}: 链长 {length}，末端 {head}")
        return

    async def search(store: Store) -> list[Decision]:
        return await store.decisions.search(wanted, limit)

    for row in in_store(config, search):
        _show(row, as_json)


async def _export(store: Store, wanted: DecisionSearch, file: Path) -> tuple[int, str]:
    from voicebot.console.rulebook_data import RulebookData
    from voicebot.domain.clock import SystemClock

    while await store.decisions.chain():
        pass
    rows = RulebookData(store, SystemClock()).export(wanted, file.suffix == ".csv", whole=True)
    with file.open("w", encoding="utf-8", newline="") as out:
        async for line in rows:
            out.write(line)
    return await store.decisions.head()


def _show(row: Decision, as_json: bool) -> None:
    from voicebot.domain.clock import SHANGHAI
    from voicebot.domain.ledger import told

    if as_json:
        print_row(told(row))
        return
    at, verdict = row.at.astimezone(SHANGHAI), "允许" if row.allowed else "拒绝"
    typer.echo(
        f"{at:%Y-%m-%d %H:%M:%S}  {verdict}  {row.rule or '-':6}  {row.case_id or '-'}  {row.number}  {row.reason}"
    )


@rules.command("verify")
def rules_verify(
    file: Annotated[Path, typer.Argument(help="A whole export as JSON Lines")],
    head: Annotated[str | None, typer.Option("--head", help="The last hash, as it was noted elsewhere")] = None,
    as_json: AsJson = False,
) -> None:
    """Whether an export of the whole ledger is complete and unchanged; exit 1 if not. Needs no database."""
    from voicebot.domain.ledger import FIRST, Break, breaks

    try:
        rows = list(_rows(file))
    except (OSError, ValueError) as error:
        fail(f"{file} can't be read: {error}")
    found = list(breaks(rows))
    last = rows[-1].get("sha256") if rows else FIRST
    if head is not None and last != head:
        found.append(Break(len(rows), f"the chain ends with {last}, not with the hash given: its tail is missing"))
    if as_json:
        print_row({"valid": not found, "length": len(rows), "head": last,
                   "breaks": [{"position": each.position, "why": each.why} for each in found]})  # fmt: skip
    else:
        for each in found:
            typer.echo(f"第 {each.position} 条：{each.why}")
        typer.echo(f"{len(rows)} 条，{'完整' if not found else '不完整'}，末端 {last}")
    raise typer.Exit(1 if found else 0)


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8-sig") as lines:
        for line in lines:
            if line.strip():
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ValueError("a line is no object")
                yield row


@callers.command("add")
def callers_add(
    number: str,
    holder: Annotated[str, typer.Option("--holder", help="Who holds the number, as registered with the carrier")],
    valid_from: Annotated[str, typer.Option("--from", metavar="DAY")],
    valid_to: Annotated[str | None, typer.Option("--to", metavar="DAY")] = None,
    verified_on: Annotated[str | None, typer.Option("--verified", metavar="DAY", help="When that was proved")] = None,
    config: Config = None,
) -> None:
    """Register a number that our trunks may show, or write its entry anew; unverified it is not dialled with."""
    from voicebot.domain.clock import SystemClock
    from voicebot.domain.permission import CallerId

    begins = _day(valid_from)
    assert begins is not None
    entry = CallerId(number, holder, begins, _day(valid_to), _day(verified_on))
    in_store(config, lambda store: store.caller_ids.save(entry, getpass.getuser(), SystemClock().now()))
    typer.echo(f"已登记主叫号码 {number}")


@callers.command("list")
def callers_list(as_json: AsJson = False, config: Config = None) -> None:
    """The registered numbers."""
    for entry in in_store(config, lambda store: store.caller_ids.all()):
        row = {"number": entry.number, "holder": entry.holder, "valid_from": str(entry.valid_from)}
        row |= {
            name: str(day) for name, day in (("valid_to", entry.valid_to), ("verified_on", entry.verified_on)) if day
        }
        print_row(row) if as_json else typer.echo("  ".join(row.values()))


@callers.command("remove")
def callers_remove(number: str, config: Config = None) -> None:
    """A number is not ours any more."""
    if not in_store(config, lambda store: store.caller_ids.remove(number)):
        fail(f"{number} is not registered: see voicebot rules caller-ids list")


@consents.command("import")
def consents_import(file: Path, as_json: AsJson = False, config: Config = None) -> None:
    """A CSV: debtor_id, kind, from, to, until, given_at, evidence; exit 1 when a row could not be taken."""
    from voicebot.console.rulebook_data import ConsentsTaken, RulebookData
    from voicebot.domain.clock import SystemClock

    try:
        content = file.read_bytes()
    except OSError as error:
        fail(f"{file} can't be read: {error}")

    async def work(store: Store) -> ConsentsTaken:
        return await RulebookData(store, SystemClock()).import_consents(content)

    found = in_store(config, work)
    rejected = [
        {"row": each.row, "column": each.column, "value": each.value, "reason": each.reason} for each in found.rejected
    ]
    if as_json:
        print_row({"taken": found.taken, "rejected": rejected})
    else:
        typer.echo(f"已登记 {found.taken} 条同意")
        for each in found.rejected:
            typer.echo(f"第 {each.row} 行 {each.column} {each.value}：{each.reason}")
    raise typer.Exit(1 if rejected else 0)


def _day(text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        fail(f"{text!r} is no day such as 2026-11-22")
