"""Peer: a foreign program in a process of its own, its log at hand; and what to say where it is not installed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from .tones import until_heard

PACKAGES = {
    "sipp": "sip-tester",
    "baresip": "baresip-core",
    "linphonec": "linphone-cli",
    "kamailio": "kamailio",
    "openssl": "openssl",
    "turnserver": "coturn",
}
"""Program to Debian package."""


def requires(*programs: str) -> pytest.MarkDecorator:
    """Skip, and say so loudly, where a foreign program is missing. `make peers` installs them."""
    missing = [program for program in programs if find(program) is None]
    packages = " ".join(PACKAGES[program] for program in missing)
    return pytest.mark.skipif(bool(missing), reason=f"!!! NO {' '.join(missing).upper()}: apt-get install {packages}")


def find(program: str) -> str | None:
    """Its path; also where a daemon lives that is on no ordinary user's path."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")


class Peer:
    """One running foreign program."""

    def __init__(self, name: str, folder: Path) -> None:
        self.folder = folder
        self.log = folder / f"{name}.log"
        self._process: asyncio.subprocess.Process | None = None

    async def run(self, *command: str, environment: Mapping[str, str] | None = None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                find(command[0]) or command[0], *command[1:], cwd=self.folder, stdin=asyncio.subprocess.PIPE,
                stdout=log, stderr=log, env={**os.environ, **(environment or {})}, start_new_session=True,
            )  # fmt: skip

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "run it first"
        return self._process

    def said(self) -> str:
        """Its log, without the line that baresip writes five times a second."""
        return re.sub(r"\[\d:\d\d:\d\d\] audio=.*?\(bit/s\)\s*", "", self.log.read_text(errors="replace"))

    async def says(self, pattern: str, within_s: float = 10.0, times: int = 1) -> Sequence[str]:
        """Wait until its log holds a pattern so many times; all matches."""
        deadline = time.monotonic() + within_s
        while len(found := re.findall(pattern, self.said())) < times:
            assert time.monotonic() < deadline, f"no {pattern!r} within {within_s} s:\n{self.said()[-4000:]}"
            await asyncio.sleep(0.05)
        return found

    def heard(self) -> NDArray[np.int16]:
        """Everything it has heard so far, 8 kHz; a telephone knows."""
        raise LookupError(f"{self.log.stem} does not record")

    async def hears(self, hz: int, ms: int, share: float = 0.5) -> None:
        """Wait until more than `ms` of all it has heard are this tone; among others ask for a smaller share."""
        await until_heard(self.heard, hz, ms, share=share)

    async def type(self, *lines: str) -> None:
        """Type commands at its console."""
        assert self.process.stdin is not None
        for line in lines:
            self.process.stdin.write(f"{line}\n".encode())
            await self.process.stdin.drain()
            await asyncio.sleep(0.1)

    async def ends(self, within_s: float) -> int:
        """Wait until it ends by itself; its exit code."""
        return await asyncio.wait_for(self.process.wait(), within_s)

    async def stop(self, patience_s: float = 3.0) -> None:
        """Ask it to end; end it if it does not."""
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await self.ends(patience_s)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
