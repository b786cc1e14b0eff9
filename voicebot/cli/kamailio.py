"""`voicebot kamailio`: write the configuration of the proxy in front of workers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicebot.cli.terminal import fail

if TYPE_CHECKING:
    from voicebot.telephony.kamailio import TlsEdge

kamailio = typer.Typer(no_args_is_help=True, help="The proxy in front of workers")


@kamailio.callback()
def _group() -> None:
    """The proxy in front of workers."""


@kamailio.command("config")
def kamailio_config(
    out: Annotated[Path, typer.Option("--out", help="Folder to write kamailio.cfg and the files beside it into")],
    listen: Annotated[str, typer.Option("--listen", help="host:port where carrier, phones and workers reach it")],
    domain: Annotated[str, typer.Option("--domain", help="Host in the phones' addresses; a name, not an address")],
    worker: Annotated[list[str], typer.Option("--worker", help="host:port of each worker; give it several times")],
    carrier: Annotated[str | None, typer.Option("--carrier", help="host:port that numbers go to")] = None,
    carrier_address: Annotated[
        list[str] | None, typer.Option("--carrier-address", help="IP address that may call in; default: --carrier's")
    ] = None,
    phones: Annotated[
        Path | None, typer.Option("--phones", help="File with a desk phone's name and password on each line")
    ] = None,
    tls_listen: Annotated[str | None, typer.Option("--tls-listen", help="host:port for TLS")] = None,
    certificate: Annotated[Path | None, typer.Option("--certificate", help="Certificate for TLS, PEM")] = None,
    key: Annotated[Path | None, typer.Option("--key", help="Its private key, PEM")] = None,
    installed_at: Annotated[
        Path | None, typer.Option("--installed-at", help="Folder the files will lie in on the proxy; default: --out")
    ] = None,
    ping: Annotated[int, typer.Option("--ping", min=1, help="Seconds between two questions to each worker")] = 2,
) -> None:
    """Write a folder that Kamailio 5.6 or newer runs with: kamailio -f FOLDER/kamailio.cfg"""
    from voicebot.config import host_port
    from voicebot.telephony.kamailio import Edge, write

    own = [host_port(carrier)[0]] if carrier else []
    try:
        edge = Edge(
            listen=_address(listen),
            domain=domain,
            workers=tuple(f"sip:{_address(one)}" for one in worker),
            carrier=f"sip:{_address(carrier)}" if carrier else None,
            carrier_addresses=tuple(carrier_address or own),
            phones=_phones(phones),
            tls=_tls(tls_listen, certificate, key),
            folder=(installed_at or out).absolute(),
            ping_s=ping,
        )
        for file in write(edge, out):
            typer.echo(str(file))
    except (ValueError, OSError) as error:
        fail(str(error))


def _address(text: str) -> str:
    """host:port, checked."""
    from voicebot.config import host_port

    try:
        host_port(text)
    except ValueError as error:
        raise ValueError(f"{text}: {error}") from error
    return text


def _phones(file: Path | None) -> dict[str, str]:
    found = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines() if file else (), 1):
        name, _, word = line.strip().partition(" ")
        if not name or name.startswith("#"):
            continue
        if not word.strip():
            raise ValueError(f"{file}, line {number}: a phone's name, a blank, its password")
        found[name] = word.strip()
    return found


def _tls(listen: str | None, certificate: Path | None, key: Path | None) -> TlsEdge | None:
    from voicebot.telephony.kamailio import TlsEdge

    given = [listen, certificate, key]
    if not any(given):
        return None
    if listen is None or certificate is None or key is None:
        raise ValueError("TLS needs all of --tls-listen, --certificate and --key")
    return TlsEdge(_address(listen), certificate.absolute(), key.absolute())
