"""`voicebot trunks`: read a trunk file and say what is wrong with it; ask its trunks whether they are there."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicebot.cli.terminal import AsJson, fail, print_row

if TYPE_CHECKING:
    from voicebot.telephony.trunk import Trunk

trunks = typer.Typer(no_args_is_help=True, help="SIP trunks")
TrunkFile = Annotated[Path, typer.Argument(metavar="FILE", help="TOML file with [[trunks]]")]


def _read(file: Path) -> tuple[Trunk, ...]:
    from voicebot.telephony.trunk_file import TrunkFileError, read_trunks

    try:
        return read_trunks(file)
    except TrunkFileError as error:
        fail(str(error))


@trunks.command("check")
def trunks_check(file: TrunkFile, as_json: AsJson = False) -> None:
    """Read FILE: every mistake with trunk, key and remedy (exit 2), else what each trunk is and what looks odd."""
    found = _read(file)
    for trunk in found:
        shown = {
            "name": trunk.name,
            "address": trunk.hop_uri,
            "registers": trunk.registering is not None,
            "priority": trunk.priority,
            "weight": trunk.weight,
            "max_calls": trunk.max_calls,
            "calls_per_second": trunk.calls_per_second,
            "codecs": list(trunk.codecs),
            "srtp": trunk.srtp,
            "shows": list(trunk.caller.numbers),
        }
        print_row(shown) if as_json else typer.echo("  ".join(f"{key}={_plain(value)}" for key, value in shown.items()))
    for warning in warnings(found, file.absolute().parent):
        typer.echo(f"注意：{warning}", err=True)


def _plain(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def warnings(found: Sequence[Trunk], folder: Path) -> list[str]:
    """What is allowed but rarely meant."""
    said = []
    for trunk in found:
        if trunk.transport != "tls" and trunk.srtp == "offer":
            said.append(f'{trunk.name}: srtp 的密钥经 {trunk.transport} 明文传输，建议 transport = "tls"')
        if trunk.options_every_s == 0 and len(found) > 1:
            said.append(f"{trunk.name}: options_every_s = 0，线路中断要等呼叫失败才会发现")
        if not trunk.inbound.peers:
            said.append(f"{trunk.name}: 未设 inbound.peers，来电只认其域名解析到的地址")
    for file in sorted(folder.glob("*.password")):
        if file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            said.append(f"{file.name}: 其他用户可读，请 chmod 600")
    return said


@trunks.command("probe")
def trunks_probe(
    file: TrunkFile,
    host: Annotated[str, typer.Option("--from", help="Our address to ask from")] = "0.0.0.0",
    as_json: AsJson = False,
) -> None:
    """Send OPTIONS, and REGISTER where it is wanted, once to each trunk of FILE; exit 1 when one does not work."""
    from sip.errors import SipError
    from voicebot.config import SettingsError, load_settings
    from voicebot.telephony.engines import tls_of
    from voicebot.telephony.trunk_probe import probe_trunks

    found = _read(file)
    try:
        rows = asyncio.run(probe_trunks(found, host, tls_of(load_settings(), found)))
    except (SettingsError, SipError, OSError) as error:
        fail(str(error))
    for row in rows:
        if as_json:
            print_row(asdict(row) | {"works": row.works})
            continue
        registered = f"  REGISTER {row.register} {row.register_said}" if row.register is not None else ""
        mark = "✔" if row.works else "✘"
        typer.echo(f"{mark} {row.trunk}  {row.address}  OPTIONS {row.options} ({row.options_ms} ms){registered}")
    raise typer.Exit(0 if all(row.works for row in rows) else 1)
