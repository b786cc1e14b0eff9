"""Kamailio with the configuration that docs/how-to/kamailio ships: registrar, proxy with 407, dispatcher, edge."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .certificate import Certificate
from .peers import Peer
from .sipp import HOST, free_port, port_is_taken

SHIPPED = Path(__file__).parents[2] / "docs" / "how-to" / "kamailio" / "kamailio.cfg"
DOMAIN = "voicebot.test"
TLS = """\
[server:default]
method = TLSv1.2+
private_key = {key}
certificate = {certificate}
[client:default]
method = TLSv1.2+
"""


class Kamailio(Peer):
    """One proxy on free ports of 127.0.0.1. `defines` are the lines of its local.cfg."""

    def __init__(
        self, folder: Path, phones: Mapping[str, str], workers: Sequence[str], defines: Mapping[str, str],
        certificate: Certificate | None,
    ) -> None:  # fmt: skip
        super().__init__("kamailio", folder / "kamailio")
        self.port, self.tls_port = free_port(), free_port()
        self._phones, self._workers, self._certificate = phones, workers, certificate
        self._defines = {
            "LISTEN": f"udp:{HOST}:{self.port}", "DOMAIN": f'"{DOMAIN}"', "PING_SECONDS": "1",
            "WORKERS": f'"{self.folder}/dispatcher.list"', "TLS_SETTINGS": f'"{self.folder}/tls.cfg"', **defines,
        }  # fmt: skip

    @property
    def address(self) -> tuple[str, int]:
        return HOST, self.port

    def aor(self, user: str) -> str:
        return f"sip:{user}@{DOMAIN}"

    def _write(self, name: str, lines: Sequence[str]) -> None:
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines))

    async def begin(self) -> None:
        self.folder.mkdir(parents=True)
        shutil.copy(SHIPPED, self.folder)
        defines = [f"#!define {name} {value}" for name, value in self._defines.items()]
        if self._certificate is not None:
            defines += ["#!define WITH_TLS", f"#!define TLS_LISTEN tls:{HOST}:{self.tls_port}"]
            paths = {"key": self._certificate.key, "certificate": self._certificate.certificate}
            self._write("tls.cfg", [TLS.format(**paths)])
        self._write("local.cfg", defines)
        self._write("passwords.cfg", [f'$sht(password=>{user}) = "{word}";' for user, word in self._phones.items()])
        self._write("dispatcher.list", [f"1 {worker} 0 0" for worker in self._workers])
        config = str(self.folder / "kamailio.cfg")
        await self.run("kamailio", "-f", config, "-DD", "-E", "-Y", str(self.folder), "-m", "64", "-M", "8")
        for _ in range(100):
            assert self.process.returncode is None, self.said()
            if port_is_taken(self.port):
                return
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def kamailio(
    folder: Path, phones: Mapping[str, str] | None = None, workers: Sequence[str] = (), *,
    certificate: Certificate | None = None, **defines: Any,
) -> AsyncIterator[Kamailio]:  # fmt: skip
    one = Kamailio(folder, phones or {}, workers, defines, certificate)
    await one.begin()
    try:
        yield one
    finally:
        await one.stop()
