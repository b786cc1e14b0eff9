"""The page for two machines is followed to the letter, with namespaces as machines."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.prompts import share_prompts

from .hosts import Host, Network, requires_hosts

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "two-machines.md"
BLOCK = re.compile(r"^```sh\n# on the (\w+) machine\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESSES = {"first": "10.0.0.1", "second": "10.0.0.2"}
PATIENCE_S = 180.0
DONE = "@@ done"

pytestmark = [
    requires_hosts(),
    pytest.mark.skipif(
        not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")),
        reason="!!! NO POSTGRESQL OF DEBIAN'S, THE PAGE CAN'T BE FOLLOWED: apt-get install postgresql",
    ),
]


class Shell:
    """A root shell on one machine, whose /srv is the machine's own. It ends at the first command that fails."""

    def __init__(self, host: Host) -> None:
        self.host = host
        share_prompts(host.folder / "voicebot")
        own = f"mount --bind {host.folder} /srv && cd / && exec bash -e"
        tools = install(host.folder.with_name(f"{host.name}-tools"))
        self._process = subprocess.Popen(
            ["ip", "netns", "exec", host.space, "sh", "-c", own],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{tools}:{os.environ['PATH']}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        host.processes.append(self._process)  # type: ignore[arg-type]

    def follow(self, commands: str) -> str:
        """Type in what the page says; what was printed. AssertionError when a command fails or never ends."""
        assert self._process.stdin is not None and self._process.stdout is not None
        watch = threading.Timer(PATIENCE_S, self._process.kill)
        watch.daemon = True
        watch.start()
        typed = self.host.folder / "typed"
        typed.write_text(commands)
        self._process.stdin.write(f"source /srv/typed\necho '{DONE}'\n")
        self._process.stdin.flush()
        said = []
        for line in self._process.stdout:
            if line.startswith(DONE):
                watch.cancel()
                return "".join(said)
            said.append(line)
        logs = "".join(f"--- {log}\n{log.read_text()[-3000:]}" for log in self.host.folder.glob("voicebot/*.log"))
        raise AssertionError(f"on the {self.host.name} machine:\n{commands}\n{''.join(said)}\n{logs}")


def install(folder: Path) -> Path:
    """The product's programs, as an installation puts them into the PATH."""
    folder.mkdir()
    for name, runs in {"voicebot": "-m voicebot.cli", "python": ""}.items():
        (folder / name).write_text(f'#!/bin/sh\nexec {sys.executable} {runs} "$@"\n')
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def machines() -> Iterator[dict[str, Shell]]:
    folder = Path(tempfile.mkdtemp(prefix="vbc-"))
    folder.chmod(0o755)
    try:
        with Network() as network:
            yield {name: Shell(network.host(name, address, folder / name)) for name, address in ADDRESSES.items()}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_the_page_is_followed_to_the_letter(machines: dict[str, Shell]) -> None:
    blocks = BLOCK.findall(PAGE.read_text())
    assert len(blocks) == PAGE.read_text().count("```sh"), "a block does not say on which machine"
    said = [machines[machine].follow(commands) for machine, commands in blocks]
    joined, rung, verified, drained, led = said[2], said[4], said[5], said[6], said[7]
    for name in ("first-0", "second-0"):
        assert name in joined
    assert re.search(r"^(first|second)-control +leads", joined, re.MULTILINE) and "stands by" in joined
    assert "calls=4" in rung and "busy" in rung
    assert "有效" in verified or "valid" in verified.lower()
    assert "second-0" in drained
    assert re.search(r"^second-control +leads", led, re.MULTILINE)
