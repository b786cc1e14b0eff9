"""`voicebot worker`, `voicebot control` and `voicebot workers`: several machines on one database."""

from __future__ import annotations

import asyncio
import getpass
import time
from typing import TYPE_CHECKING, Annotated

import typer

from voicebot.cli.running import run_until_signal
from voicebot.cli.terminal import AsJson, Config, fail, in_store, print_row

if TYPE_CHECKING:
    from voicebot.domain.fleet import ControlSeen, WorkerSeen
    from voicebot.store.store import Store

worker = typer.Typer(invoke_without_command=True, help="Lines and brains alone, on the database of a fleet")
workers = typer.Typer(no_args_is_help=True, help="The workers of all machines")

Database = Annotated[str | None, typer.Option("--database", metavar="URL", help="The fleet's PostgreSQL")]
Name = Annotated[str | None, typer.Option("--name", help="This machine's name among the others; kept")]
Wait = Annotated[float, typer.Option("--wait", metavar="SECONDS", min=0, help="Wait so long for its calls to end")]
Which = Annotated[str, typer.Argument(metavar="NAME", help="A worker, or a machine: all workers of it")]


@worker.callback()
def worker_run(
    context: typer.Context, database: Database = None, name: Name = None, config: Config = None
) -> None:
    """Carry calls for a fleet until SIGTERM, which drains; `drain` and `resume` order one from afar."""
    if context.invoked_subcommand is None:
        from voicebot.app import work

        run_until_signal(lambda settings, stop: work(settings, stop, name), config, database)


def control_run(database: Database = None, name: Name = None, config: Config = None) -> None:
    """Console, dialler and browser telephones alone; one control of a fleet dials, the others stand by."""
    from voicebot.app import direct

    run_until_signal(lambda settings, stop: direct(settings, stop, name), config, database)


@workers.command("list")
def workers_list(as_json: AsJson = False, config: Config = None) -> None:
    """Every worker with state, calls, version and clock, and the controls; the one that dials is marked."""

    async def work(store: Store) -> tuple[list[WorkerSeen], list[ControlSeen]]:
        return await store.workers.all(), await store.workers.controls()

    seen, controls = in_store(config, work)
    for one in seen:
        _tell_worker(one, as_json)
    for control in controls:
        _tell_control(control, as_json)


def _tell_worker(one: WorkerSeen, as_json: bool) -> None:
    row = {
        "worker": one.name,
        "machine": one.machine,
        "state": one.state.value,
        "drained": one.drained,
        "calls": one.calls,
        "most": one.most,
        "may_dial": one.may_dial,
        "version": one.version,
        "schema": one.schema,
        "sip": one.sip,
        "epoch": one.epoch,
        "age_s": round(one.age_s, 1),
        "clock_ahead_ms": one.skew_ms,
    }
    if as_json:
        print_row(row)
        return
    typer.echo(
        f"{one.name}  {one.state.value}  {one.calls}/{one.most}  {one.version}  {one.sip}  "
        f"{one.age_s:.0f} s  {one.skew_ms:+d} ms"
    )


def _tell_control(one: ControlSeen, as_json: bool) -> None:
    role = "leads" if one.leads and one.living else "stands by" if one.living else "silent"
    row = {
        "control": one.name,
        "role": role,
        "version": one.version,
        "schema": one.schema,
        "http": one.http,
        "age_s": round(one.age_s, 1),
        "clock_ahead_ms": one.skew_ms,
    }
    if as_json:
        print_row(row)
        return
    typer.echo(f"{one.name}  {role}  {one.http}  {one.version}  {one.age_s:.0f} s  {one.skew_ms:+d} ms")


@worker.command("drain")
@workers.command("drain")
def drain(name: Which, wait: Wait = 0.0, config: Config = None) -> None:
    """Take no further calls there; those that run go on. Exit 1 when some still run after --wait."""
    _order(name, True, config)
    if wait and not in_store(config, lambda store: _drained(store, name, wait)):
        typer.echo(f"{name}：仍有通话", err=True)
        raise typer.Exit(1)


@worker.command("resume")
@workers.command("resume")
def resume(name: Which, config: Config = None) -> None:
    """Take calls there again."""
    _order(name, False, config)


def _order(name: str, on: bool, config: Config) -> None:
    reached = in_store(config, lambda store: store.workers.drain(name, getpass.getuser(), on))
    if not reached:
        fail(f"no worker or machine {name!r} lives: see voicebot workers list")
    typer.echo(f"{'正在排空' if on else '恢复接单'}：{'、'.join(reached)}")


async def _drained(store: Store, name: str, within_s: float) -> bool:
    """Wait until nothing runs there any more."""
    until = time.monotonic() + within_s
    while True:
        there = [one for one in await store.workers.all() if name in (one.name, one.machine)]
        if all(one.drained or not one.living for one in there):
            return True
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.5)
