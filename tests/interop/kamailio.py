"""Kamailio with the configuration that `voicebot kamailio config` writes: registrar, proxy, dispatcher, edge."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from voicebot.telephony.kamailio import Edge, TlsEdge, write

from .certificate import Certificate
from .peers import Peer
from .sipp import HOST, free_port, port_is_taken

DOMAIN = "voicebot.test"


class Kamailio(Peer):
    """One proxy on free ports of 127.0.0.1."""

    def __init__(
        self, folder: Path, phones: Mapping[str, str], workers: Sequence[str], carrier: str | None,
        carrier_address: str | None, certificate: Certificate | None,
    ) -> None:  # fmt: skip
        super().__init__("kamailio", folder / "kamailio")
        self.port, self.tls_port = free_port(), free_port()
        self._edge = Edge(
            listen=f"{HOST}:{self.port}",
            domain=DOMAIN,
            workers=tuple(workers),
            carrier=carrier,
            carrier_addresses=(carrier_address,) if carrier_address else (),
            phones=phones,
            tls=certificate and TlsEdge(f"{HOST}:{self.tls_port}", certificate.certificate, certificate.key),
            folder=self.folder,
            ping_s=1,
        )

    @property
    def address(self) -> tuple[str, int]:
        return HOST, self.port

    def aor(self, user: str) -> str:
        return f"sip:{user}@{DOMAIN}"

    async def begin(self) -> None:
        write(self._edge, self.folder)
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
    certificate: Certificate | None = None, carrier: str | None = None, carrier_address: str | None = None,
) -> AsyncIterator[Kamailio]:  # fmt: skip
    one = Kamailio(folder, phones or {}, workers, carrier, carrier_address, certificate)
    await one.begin()
    try:
        yield one
    finally:
        await one.stop()
