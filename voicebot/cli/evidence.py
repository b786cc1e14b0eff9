"""voicebot evidence …: verify, export, redact, hold; the log, its keys and witnesses; the operation log."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicebot.cli.terminal import AsJson, Config, fail, in_store, print_row

if TYPE_CHECKING:
    from voicebot.config import Settings
    from voicebot.evidence.signer import Signer
    from voicebot.store.store import Store

evidence = typer.Typer(no_args_is_help=True, help="Evidence bundles")
Bundle = Annotated[Path, typer.Argument(help="A sealed call, a zip")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Where to write")]


@evidence.command("verify")
def verify(
    bundles: list[Path],
    as_json: AsJson = False,
    key: Annotated[str | None, typer.Option("--key", help="Public key (hex) that must have signed")] = None,
) -> None:
    """Verify evidence bundles offline; any flipped bit is found."""
    from voicebot.evidence.verify import verify_rows

    invalid = False
    for row in verify_rows(bundles, key):
        invalid = invalid or not row["valid"]
        print_row(row) if as_json else _show_verdict(row)
    raise typer.Exit(1 if invalid else 0)


def _show_verdict(row: Mapping[str, Any]) -> None:
    typer.echo(f"{'✔ 有效 valid' if row['valid'] else '✘ 无效 INVALID'}  {row['path']}")
    for failure in row["failures"]:
        typer.echo(f"    {failure['code']}: {failure['what']}")


@evidence.command("export")
def export(bundle: Bundle, out: Out, config: Config = None) -> None:
    """Write a sealed call with today's proof (time-stamps that came later), readable without the vault's key."""
    from voicebot.evidence.export import export_bundle

    _, signer = _house(config)
    _members(bundle)
    _note(config, "exported", f"call:{bundle.stem}", {"to": out.name})
    export_bundle(bundle, signer, out)
    typer.echo(str(out))


@evidence.command("case")
def case(
    case_id: str,
    out: Out,
    masked: Annotated[bool, typer.Option("--masked", help="Without whom it is about, and without recordings")] = False,
    config: Config = None,
) -> None:
    """Write all evidence of a case, of seven kinds, into one signed zip. Needs the database."""
    from voicebot.domain.clock import SystemClock
    from voicebot.evidence.case_file import CaseMaterial, case_file
    from voicebot.evidence.log import replace

    settings, signer = _house(config)

    async def work(store: Store) -> bytes:
        papers = await store.papers.of_case(case_id)
        if papers is None:
            fail(f"there is no case {case_id}")
        who = getpass.getuser()
        await store.operations.note(who, "cli", "exported", f"case:{case_id}", SystemClock().now(), {"masked": masked})
        about = [f"case:{case_id}", *(f"call:{call['id']}" for call in papers.calls)]
        done = await store.operations.about(about)
        material = CaseMaterial(papers, done, settings.recordings, settings.home / "letters", masked)
        return await asyncio.to_thread(case_file, material, signer, SystemClock(), who)

    replace(out, in_store(config, work))
    typer.echo(str(out))


@evidence.command("redact")
def redact(
    bundle: Bundle,
    out: Out,
    spans: Annotated[list[str], typer.Option("--span", help="left, right or third, or such as right:12-15 (seconds)")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record")],
    config: Config = None,
) -> None:
    """Write a copy of a call with spans of a channel taken out; the rest still verifies."""
    from voicebot.domain.clock import SystemClock
    from voicebot.evidence import redaction
    from voicebot.evidence.log import replace
    from voicebot.evidence.stored_zip import zip_bytes

    _, signer = _house(config)
    members = _members(bundle)
    wanted = [_span(text, members) for text in spans]
    try:
        who = getpass.getuser()
        copy = redaction.redact(members, wanted, by=who, reason=reason, signer=signer, clock=SystemClock())
    except redaction.RedactionRefused as refused:
        fail(str(refused))
    _note(config, "redacted", f"call:{bundle.stem}", {"spans": spans, "reason": reason})
    replace(out, zip_bytes(copy))
    typer.echo(str(out))


def _span(text: str, members: Mapping[str, bytes]) -> Any:
    from voicebot.evidence.redaction import Span, whole_channel

    channel, _, seconds = text.partition(":")
    first, _, last = seconds.partition("-")
    if not seconds:
        return whole_channel(members, channel)
    if not (first.isdigit() and last.isdigit()):
        fail(f"--span {text}: give a channel, or channel:from-to in seconds, such as right:12-15")
    return Span(channel, int(first), int(last))


@evidence.command("vcon")
def vcon(
    bundle: Bundle,
    out: Out,
    masked: Annotated[bool, typer.Option("--masked", help="Without the number that was dialled")] = False,
    config: Config = None,
) -> None:
    """Write a call as a vCon, the IETF's container of conversations."""
    from voicebot.evidence.vcon import to_vcon

    members = _members(bundle)
    _note(config, "exported", f"call:{bundle.stem}", {"as": "vcon", "masked": masked})
    out.write_text(json.dumps(to_vcon(members, masked=masked), ensure_ascii=False), "utf-8")
    typer.echo(str(out))


@evidence.command("hold")
def hold(
    case_id: str,
    reason: Annotated[str | None, typer.Option("--reason", help="Put a hold on the case, for this reason")] = None,
    lift: Annotated[int | None, typer.Option("--lift", help="Lift the hold of this number")] = None,
    config: Config = None,
) -> None:
    """List, put on or lift legal holds: of a case that has one, nothing is deleted. Needs the database."""
    from voicebot.domain.clock import SystemClock

    async def work(store: Store) -> list[Any]:
        who, now = getpass.getuser(), SystemClock().now()
        if reason is not None:
            number = await store.holds.put(case_id, reason, who, now)
            await store.operations.note(who, "cli", "held", f"case:{case_id}", now, {"hold": number, "reason": reason})
        if lift is not None and await store.holds.lift(lift, who, now):
            await store.operations.note(who, "cli", "released", f"case:{case_id}", now, {"hold": lift})
        return list(await store.holds.standing(case_id))

    for one in in_store(config, work):
        typer.echo(f"{one.id}  {one.since:%Y-%m-%d}  {one.by}  {one.reason}")


@evidence.command("log")
def log(as_json: AsJson = False, config: Config = None) -> None:
    """Check the log of all sealed calls against its heads and time-stamps, and show its state."""
    from voicebot.evidence.log_check import check_log

    _, signer = _house(config)
    state = check_log(signer)
    if as_json:
        print_row(state)
    else:
        for name, value in state.items():
            typer.echo(f"{name:<12} {value}")
    raise typer.Exit(1 if state["failures"] else 0)


@evidence.command("rotate-key")
def rotate_key(config: Config = None) -> None:
    """Make a new signing key, endorsed by the present one; running processes use it from the next call on."""
    from voicebot.domain.clock import SystemClock

    _, signer = _house(config)
    fresh = signer.rotate(SystemClock().now())
    _note(config, "rotated_key", f"key:{fresh.key_id}", {"before": signer.key_id})
    typer.echo(f"{fresh.key_id}  {fresh.public.hex()}")


@evidence.command("operations")
def operations(as_json: AsJson = False, limit: int = 50, config: Config = None) -> None:
    """Check the whole operation log and show its newest entries. Needs the database."""
    from voicebot.evidence.operation_check import check_operations

    _, signer = _house(config)

    async def work(store: Store) -> tuple[list[tuple[str, str]], list[Any]]:
        return await check_operations(store.operations.in_order(), signer), await store.operations.latest(limit)

    failures, newest = in_store(config, work)
    _print_operations(newest, as_json)
    for code, what in failures:
        typer.echo(f"✘ {code}: {what}", err=True)
    raise typer.Exit(1 if failures else 0)


def _print_operations(newest: Iterable[Any], as_json: bool) -> None:
    for one in newest:
        if as_json:
            print_row({**one.told(), "sha256": one.sha256})
        else:
            who = f"{one.actor} ({one.role})"
            typer.echo(f"{one.position:>6}  {one.at:%Y-%m-%d %H:%M:%S}  {who}  {one.action}  {one.subject}")


def _house(config: Path | None) -> tuple[Settings, Signer]:
    from voicebot.config import SettingsError, load_settings
    from voicebot.evidence.signer import Signer, SigningKeyUnusable

    try:
        settings = load_settings(config)
        return settings, Signer.load_or_create(settings.keys)
    except (SettingsError, SigningKeyUnusable) as error:
        fail(str(error))


def _members(bundle: Path) -> dict[str, bytes]:
    """The members of a bundle that verifies; else the command ends."""
    from voicebot.evidence.reading import sealed_members
    from voicebot.evidence.verify import verify_bundle

    verdict = verify_bundle(bundle)
    if not verdict.valid:
        fail(f"{bundle} does not verify: {verdict.failures[0][0]}: {verdict.failures[0][1]}")
    return sealed_members(bundle)


def _note(config: Path | None, action: str, subject: str, detail: Mapping[str, object]) -> None:
    """Write into the operation log, where there is a database."""
    from voicebot.domain.clock import SystemClock

    async def work(store: Store) -> None:
        await store.operations.note(getpass.getuser(), "cli", action, subject, SystemClock().now(), detail)

    in_store(config, work)
