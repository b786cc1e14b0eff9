"""baresip: a telephone on libre, driven over its control port; it plays a tone and writes down what it hears."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .certificate import Certificate
from .installation import free_port as any_port
from .peers import Peer
from .sipp import HOST, free_port
from .tones import NOTHING, read_wav, tone, write_wav

CONFIG = """\
poll_method epoll
sip_listen {host}:{port}
sip_trans_def {transport}
call_local_timeout 60
call_max_calls 20
audio_player aufile,{folder}/played.wav
audio_source aufile,{folder}/tone.wav
audio_alert aufile,/dev/null
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
audio_level no
rtp_ports 30000-39998
rtcp_mux no
jitter_buffer_delay 2-5
net_interface {host}
module_path /usr/lib/baresip/modules
module g711.so
module g722.so
module opus.so
module aufile.so
module sndfile.so
module uuid.so
module srtp.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
snd_path {folder}
ctrl_tcp_listen {host}:{control}
"""
TLS = "sip_certificate {both}\nsip_cafile {certificate}\n"


OVER = "session closed"
"""Its words for a call that we ended; how long it was it says only of those above a second."""


class Baresip(Peer):
    """One telephone. `account` adds parameters to its only account, as baresip's manual names them."""

    def __init__(
        self, folder: Path, hz: int, account: str = "", *, user: str = "baresip", transport: str = "udp",
        certificate: Certificate | None = None, registrar: str | None = None, outbound: str = "", rate: int = 8000,
    ) -> None:  # fmt: skip
        super().__init__("baresip", folder / user)
        self.port, self.control, self._hz = free_port(), any_port(1), hz
        self._certificate, self._transport, self._rate = certificate, transport, rate
        host = registrar or f"{HOST}:{self.port + (transport == 'tls')}"
        self.uri = f"sip:{user}@{host}" + ("" if transport == "udp" else f";transport={transport}")
        interval = 60 if registrar else 0
        if "audio_codecs" not in account:
            account += ";audio_codecs=PCMU/8000/1,PCMA/8000/1"
        account += f';outbound="{outbound}"' if outbound else ""
        self._account = f"<{self.uri}>;regint={interval};{account}"

    async def begin(self) -> None:
        """Start it, ready to call and to be called."""
        self.folder.mkdir(parents=True)
        write_wav(self.folder / "tone.wav", tone(self._hz, 30.0, rate=self._rate), self._rate)
        values = {"host": HOST, "port": self.port, "control": self.control, "folder": self.folder}
        config = CONFIG.format(transport=self._transport, rate=self._rate, **values)
        if self._certificate is not None:
            config += TLS.format(both=self._certificate.both, certificate=self._certificate.certificate)
        (self.folder / "config").write_text(config)
        (self.folder / "accounts").write_text(self._account + "\n")
        for name in ("contacts", "uuid"):
            (self.folder / name).touch()
        await self.run("baresip", "-s", "-f", str(self.folder), "-t", "120", environment={"HOME": str(self.folder)})
        await self.says("baresip is ready")

    async def tell(self, command: str, params: str = "") -> str:
        """One command over the control port, such as `dial`, `hold`, `resume`, `hangup`, `sndcode`."""
        reader, writer = await asyncio.open_connection(HOST, self.control)
        try:
            order = json.dumps({"command": command, "params": params}).encode()
            writer.write(b"%d:%s," % (len(order), order))
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                return (await asyncio.wait_for(reader.read(65536), 1.0)).decode(errors="replace")
            return ""
        finally:
            writer.close()

    def heard(self) -> NDArray[np.int16]:
        """Everything it has heard so far in all its calls."""
        return np.concatenate([NOTHING, *(read_wav(path) for path in sorted(self.folder.glob("dump-*-dec.wav")))])


@contextlib.asynccontextmanager
async def baresip(folder: Path, hz: int, account: str = "", **options: object) -> AsyncIterator[Baresip]:
    one = Baresip(folder, hz, account, **options)  # type: ignore[arg-type]
    await one.begin()
    try:
        yield one
    finally:
        await one.stop()
