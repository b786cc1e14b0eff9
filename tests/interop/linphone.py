"""linphone: a telephone on belle-sip that can transfer with Replaces, driven by what one would type at its console."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .certificate import Certificate
from .peers import Peer
from .sipp import HOST, free_port
from .tones import read_wav, tone, write_wav

SETTINGS = """\
[sip]
sip_port={port}
sip_tcp_port={port}
sip_tls_port=0
guess_hostname=0
contact="{user}" <sip:{user}@{host}>
use_info={info}
use_rfc2833={events}
use_ipv6=0
register_only_when_network_is_up=0
media_encryption={encryption}
media_encryption_mandatory={mandatory}
{more}
[rtp]
audio_rtp_port={media}
{codecs}
[video]
capture=0
display=0
[net]
mtu=0
"""
WIDE = (("opus", 48000), ("speex", 32000), ("speex", 16000), ("speex", 8000))
"""Codecs other than G.711: left out unless asked for, as a running recording does not tell its rate."""


class Linphone(Peer):
    """One telephone. `more` adds lines to the section [sip] of its settings."""

    def __init__(
        self, folder: Path, hz: int, user: str = "linphone", *, encryption: str = "none", info: bool = False,
        more: str = "", answers: bool = True, password: str | None = None,
        tls: Certificate | None = None, wide: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(user, folder / user)
        self.port, self._hz, self._answers = free_port(), hz, answers
        self.uri = f"sip:{user}@{HOST}:{self.port}"
        self._settings = SETTINGS.format(
            port=self.port, user=user, host=HOST, info=int(info), events=int(not info), encryption=encryption,
            mandatory=int(encryption != "none"), media=free_port(), more=more,
            codecs="\n".join(
                f"[audio_codec_{at}]\nmime={name}\nrate={rate}\nenabled={int(wide)}"
                for at, (name, rate) in enumerate(WIDE)
            ),
        )  # fmt: skip
        if tls is not None:
            trust = f"sip_tls_port=-1\nroot_ca={tls.certificate}\nverify_server_certs=1\nverify_server_cn=0"
            self._settings = self._settings.replace("sip_tls_port=0", trust)
        if password is not None:
            self._settings += f"[auth_info_0]\nusername={user}\npasswd={password}\nrealm=station\n"
        self._record = self.folder / "heard.wav"

    async def begin(self) -> None:
        """Start it, ready to call and to be called."""
        for place in (".local/share/linphone", ".config/linphone"):
            (self.folder / place).mkdir(parents=True)
        (self.folder / "rc").write_text(self._settings)
        wav = write_wav(self.folder / "tone.wav", tone(self._hz, 60.0))
        automatic = ["-a"] if self._answers else []
        home = {"HOME": str(self.folder), "TERM": "dumb"}
        await self.run("linphonec", "-c", "rc", "-d", "5", "-l", "trace.log", *automatic, environment=home)
        await self.says("linphonec>|Ready")
        await self.type("soundcard use files", f"play {wav}", f"record {self._record}")

    def trace(self) -> str:
        """Every SIP message, and what it thought."""
        return (self.folder / "trace.log").read_text(errors="replace")

    async def stop(self, patience_s: float = 3.0) -> None:
        if self._process is not None and self.process.returncode is None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                await self.type("terminate all", "quit")
            with contextlib.suppress(TimeoutError):
                await self.ends(patience_s)
        await super().stop(patience_s)

    def heard(self) -> NDArray[np.int16]:
        """Everything it has heard so far, in all its calls one after the other."""
        return read_wav(self._record)


@contextlib.asynccontextmanager
async def linphone(folder: Path, hz: int, user: str = "linphone", **options: Any) -> AsyncIterator[Linphone]:
    one = Linphone(folder, hz, user, **options)
    await one.begin()
    try:
        yield one
    finally:
        await one.stop()
