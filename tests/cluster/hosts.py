"""Hosts: network namespaces as machines, each on a cable to one router; cables can be cut one way or both."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import pytest

_numbers = itertools.count()
CALM = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def missing_rights() -> str | None:
    """Why no hosts can be made here; None where they can. Found out by making one."""
    for program in ("ip", "setpriv", "mount"):
        if shutil.which(program) is None:
            return f"{program} is not installed (iproute2, util-linux)"
    try:
        with Network():
            return None
    except subprocess.CalledProcessError as error:
        return f"network namespaces can't be made: {error.stderr.strip()}"


def requires_hosts() -> pytest.MarkDecorator:
    """Skips loudly where there are no rights to make hosts."""
    why = missing_rights()
    return pytest.mark.skipif(why is not None, reason=f"!!! NO HOSTS, NO PROOF: {why}. Run this as root")


class Network:
    """A router and the hosts around it; leaving the block ends all their processes and takes it all away."""

    def __init__(self) -> None:
        self._mark = f"vb{os.getpid() % 100_000}-{next(_numbers)}"
        self._router = f"{self._mark}-router"
        self.hosts: dict[str, Host] = {}

    def __enter__(self) -> Network:
        _run("ip", "netns", "add", self._router)
        try:
            _run("ip", "-n", self._router, "link", "set", "lo", "up")
            self.inside(self._router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        for host in self.hosts.values():
            host.leave()
        for name in (self._router, *(host.space for host in self.hosts.values())):
            with contextlib.suppress(subprocess.CalledProcessError):
                _run("ip", "netns", "del", name)

    def host(self, name: str, address: str, folder: Path, disk_mb: int | None = None) -> Host:
        """A machine with its own address; `disk_mb`: its folder is a disk of that size."""
        host = self.hosts[name] = Host(self, name, address, folder, f"{self._mark}-{name}", disk_mb)
        port = host.port
        _run("ip", "netns", "add", host.space)
        _run("ip", "link", "add", "eth0", "netns", host.space, "type", "veth", "peer", "name", port,
             "netns", self._router)  # fmt: skip
        for line in (f"addr add {address}/32 dev eth0", "link set lo up", "link set eth0 up",
                     "route add 169.254.1.1 dev eth0", "route add default via 169.254.1.1 dev eth0"):  # fmt: skip
            _run("ip", "-n", host.space, *line.split())
        for line in (f"addr add 169.254.1.1/32 dev {port}", f"link set {port} up"):
            _run("ip", "-n", self._router, *line.split())
        _run("ip", "-n", self._router, "route", "add", f"{address}/32", "dev", port)
        return host

    def drop(self, *what: str) -> None:
        """From now on the router swallows packets of this kind, without a word to anybody."""
        self.pass_on(*what)
        _run("ip", "-n", self._router, "rule", "add", "pref", "10", *what, "blackhole")

    def pass_on(self, *what: str) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            _run("ip", "-n", self._router, "rule", "del", "pref", "10", *what, "blackhole")

    @staticmethod
    def inside(space: str, *command: str) -> str:
        """Run a program inside a namespace to its end; what it printed."""
        return _run("ip", "netns", "exec", space, *command)


class Host:
    """One machine: an address, a folder as its disk, and processes that see only its own network."""

    def __init__(
        self, network: Network, name: str, address: str, folder: Path, space: str, disk_mb: int | None
    ) -> None:
        self.network, self.name, self.address, self.folder, self.space = network, name, address, folder, space
        self.port = f"to-{name}"[:15]
        self.processes: list[subprocess.Popen[bytes]] = []
        self._from, self._to = ("iif", self.port), ("to", address)
        folder.mkdir(parents=True, exist_ok=True)
        self._disk = disk_mb is not None
        if self._disk:
            _run("mount", "-t", "tmpfs", "-o", f"size={disk_mb}m,mode=0755", "disk", str(folder))

    # --- processes -----------------------------------------------------------------------------------------

    def start(
        self, *command: str, log: str, environment: Mapping[str, str] | None = None, user: str | None = None,
        folder: Path | None = None,
    ) -> subprocess.Popen[bytes]:  # fmt: skip
        """Start a program of this machine in a process group of its own; `log`: file beside the disk."""
        process = subprocess.Popen(
            [*self._entry(user), *command],
            env={**os.environ, **CALM, **(environment or {})},
            cwd=folder or self.folder,
            stdin=subprocess.DEVNULL,
            stdout=(out := self.log(log)),
            stderr=out,
            start_new_session=True,
        )
        out.close()
        self.processes.append(process)
        return process

    def run(
        self, *command: str, environment: Mapping[str, str] | None = None, user: str | None = None,
        folder: Path | None = None, patience_s: float = 60,
    ) -> str:  # fmt: skip
        """Run a program to its end; what it printed. AssertionError tells what it said when it failed."""
        done = subprocess.run(
            [*self._entry(user), *command],
            env={**os.environ, **CALM, **(environment or {})},
            cwd=folder or self.folder,
            capture_output=True,
            text=True,
            timeout=patience_s,
            check=False,
        )
        assert done.returncode == 0, f"{self.name}$ {' '.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _entry(self, user: str | None) -> Sequence[str]:
        into = ("ip", "netns", "exec", self.space)
        if user is None:
            return into
        return (*into, "setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--init-groups")

    def log(self, name: str) -> IO[bytes]:
        return self.log_file(name).open("ab")

    def log_file(self, name: str) -> Path:
        return self.folder.parent / f"{self.name}-{name}.log"

    def said(self, lines: int = 25) -> str:
        """The end of each of its logs, for a failure's message."""
        logs = sorted(self.folder.parent.glob(f"{self.name}-*.log"))
        return "\n".join(
            f"--- {file.name}\n" + "\n".join(file.read_text(errors="replace").splitlines()[-lines:]) for file in logs
        )

    def pids(self) -> list[int]:
        return [int(pid) for pid in _run("ip", "netns", "pids", self.space).split()]

    def kill_all(self) -> None:
        """SIGKILL for everything that runs here, as when the power goes."""
        for _ in range(50):
            pids = self.pids()
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for process in self.processes:
                process.poll()
            if not pids:
                break
            time.sleep(0.1)
        self.processes.clear()

    def power_off(self) -> None:
        """Nobody is told: first the cable goes dead, then the processes."""
        self.cut()
        self.kill_all()

    def power_on(self) -> None:
        """The machine is back, with its disk, and nothing runs on it yet."""
        self.mend()

    def leave(self) -> None:
        self.kill_all()
        if self._disk:
            with contextlib.suppress(subprocess.CalledProcessError):
                _run("umount", "-l", str(self.folder))

    # --- cable and disk ------------------------------------------------------------------------------------

    def cut(self, *, away: bool = True, towards: bool = True) -> None:
        """Cut the cable: what this host sends (`away`), what is sent to it (`towards`), or both."""
        if away:
            self.network.drop(*self._from)
        if towards:
            self.network.drop(*self._to)

    def mend(self) -> None:
        self.network.pass_on(*self._from)
        self.network.pass_on(*self._to)

    def fill_disk(self, leave_mb: int = 0) -> None:
        """Fill this host's disk, but for so much."""
        free = shutil.disk_usage(self.folder).free - (leave_mb << 20)
        with (self.folder / "filling").open("wb") as file, contextlib.suppress(OSError):
            while free > 0:
                file.write(bytes(min(free, 1 << 20)))
                free -= 1 << 20

    def free_disk(self) -> None:
        (self.folder / "filling").unlink(missing_ok=True)


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
