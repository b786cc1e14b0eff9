"""Cluster: the whole product on hosts of its own: database with replica, proxy, two workers, two controls, far end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import psycopg

from tests.interop.peers import find
from tests.prompts import share_prompts

from .database import Server, until, url_of
from .hosts import Host, Network

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = "calls.example"
ADDRESSES = {
    "db1": "10.77.0.11", "db2": "10.77.0.12", "edge": "10.77.0.20", "far": "10.77.0.30",
    "one": "10.77.0.41", "two": "10.77.0.42", "control": "10.77.0.51", "standby": "10.77.0.52",
}  # fmt: skip
DISK_MB = {"two": 400}
WORKERS, CONTROLS = ("one", "two"), ("control", "standby")
TRUNK = f"""\
[[trunks]]
name = "edge"
host = "{DOMAIN}"
proxy = "{ADDRESSES["edge"]}:5060"
max_calls = 12
calls_per_second = 4
options_every_s = 2
"""
PHONE = ("1001", "geheim")
KAMAILIO = find("kamailio") or "kamailio"
CLOCK = "clock"
"""File on a host that tells by how much its clock is wrong."""


class Cluster:
    """Leaving the block ends all. `people`: number to persona or `brief`; `clocks`: hosts whose clocks can be set."""

    def __init__(self, people: Mapping[str, str], clocks: Collection[str] = ()) -> None:
        self._people, self._clocks = people, clocks
        self._folder = tempfile.TemporaryDirectory(prefix="vbc-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self.folder.chmod(0o755)
        self.network = Network()
        self._workers: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Cluster:
        self.network.__enter__()
        try:
            hosts = {name: self.network.host(name, address, self.folder / name, DISK_MB.get(name))
                     for name, address in ADDRESSES.items()}  # fmt: skip
            self.hosts: dict[str, Host] = hosts
            self.primary, self.replica = Server(hosts["db1"]), Server(hosts["db2"])
            self.url = url_of(self.primary, self.replica)
            self._begin()
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        self.network.__exit__()
        if keep := os.environ.get("CLUSTER_LOGS"):
            for log in self.folder.glob("*.log"):
                shutil.copy(log, keep)
        self._folder.cleanup()

    # --- processes -----------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._start_far_end()
        self.primary.make()
        self.replica.copy(self.primary)
        self._start_edge()
        for name in CONTROLS:
            self.start_control(name)
        for name in WORKERS:
            share_prompts(self.hosts[name].folder / "home")
            self.start_worker(name)
        until(self._is_up, 300, self.said)

    def _is_up(self) -> bool:
        """Whether both workers would dial and both controls are there."""
        try:
            ready = self.primary.asked("SELECT count(*) FROM workers WHERE may_dial")
            return ready == len(WORKERS) and all(self.console_answers(name) for name in CONTROLS)
        except psycopg.errors.UndefinedTable:
            return False

    def _start_far_end(self) -> None:
        far = self.hosts["far"]
        people = far.folder / "people.json"
        people.write_text(json.dumps(dict(self._people)))
        listen = f"{far.address}:5060"
        far.start(sys.executable, str(Path(__file__).with_name("town.py")), listen, str(self.book), str(people),
                  log="town", environment={"PYTHONPATH": str(ROOT)})  # fmt: skip

    def _start_edge(self) -> None:
        edge, far = self.hosts["edge"], self.hosts["far"]
        key, certificate = (str(edge.folder / name) for name in ("key.pem", "cert.pem"))
        names = f"subjectAltName=IP:{edge.address},DNS:{DOMAIN}"
        edge.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={DOMAIN}",
                 "-addext", names, "-keyout", key, "-out", certificate)  # fmt: skip
        (edge.folder / "phones").write_text(" ".join(PHONE) + "\n")
        workers = [part for name in WORKERS for part in ("--worker", f"{self.hosts[name].address}:5060")]
        self.voicebot(edge, "kamailio", "config", "--out", str(edge.folder), "--listen", f"{edge.address}:5060",
                      "--domain", DOMAIN, "--carrier", f"{far.address}:5060", "--ping", "1", *workers,
                      "--phones", str(edge.folder / "phones"), "--tls-listen", f"{edge.address}:5061",
                      "--certificate", certificate, "--key", key)  # fmt: skip
        config = str(edge.folder / "kamailio.cfg")
        edge.start(KAMAILIO, "-f", config, "-DD", "-E", "-Y", str(edge.folder), "-m", "64", "-M", "8", log="kamailio")

    def call_in(self) -> list[dict[str, object]]:
        """A desk phone registers over TLS and calls a worker; what came of each."""
        far, edge = self.hosts["far"], self.hosts["edge"]
        said = far.run(sys.executable, str(Path(__file__).with_name("caller.py")), far.address, edge.address,
                       str(edge.folder), *PHONE, DOMAIN, environment={"PYTHONPATH": str(ROOT)})  # fmt: skip
        return [json.loads(line) for line in said.splitlines() if line.startswith("{")]

    def start_worker(self, name: str) -> None:
        host = self.hosts[name]
        self._workers[name] = host.start(
            sys.executable, "-m", "voicebot.cli", "worker", "--database", self.url, "--name", name,
            log="worker", environment=self.environment(host),
        )  # fmt: skip

    def start_control(self, name: str) -> None:
        host = self.hosts[name]
        host.start(sys.executable, "-m", "voicebot.cli", "control", "--database", self.url, "--name", name,
                   log="control", environment=self.environment(host))  # fmt: skip

    def voicebot(self, host: Host, *arguments: str) -> str:
        """Run a command of the product on a host to its end."""
        return host.run(sys.executable, "-m", "voicebot.cli", *arguments, environment=self.environment(host))

    def environment(self, host: Host) -> dict[str, str]:
        trunks = host.folder / "trunks.toml"
        trunks.write_text(TRUNK)
        settings = {
            "PYTHONPATH": str(ROOT),
            "VOICEBOT_HOME": str(host.folder / "home"),
            "VOICEBOT_DATABASE_URL": self.url,
            "VOICEBOT_SIP_LISTEN": f"{host.address}:5060",
            "VOICEBOT_HTTP_LISTEN": "127.0.0.1:8080",
            "VOICEBOT_TRUNKS": str(trunks),
            "VOICEBOT_ALLOWED_PEERS": f"{ADDRESSES['edge']}/32",
            "VOICEBOT_MAX_CALLS": "6",
            "VOICEBOT_MOST_LATE_MS": "1000",  # eight machines share the cores of one
            "VOICEBOT_DISK_RESERVE_MB": "64",  # what the rulebook wants free, 200, must count all the same
            "VOICEBOT_DRAIN_SECONDS": "20",
        }
        return settings | (self._lying_clock(host) if host.name in self._clocks else {})

    def _lying_clock(self, host: Host) -> dict[str, str]:
        clock = host.folder / CLOCK
        if not clock.exists():
            clock.write_text("+0")
        return {"LD_PRELOAD": faketime() or "", "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}  # fmt: skip

    def set_clock(self, name: str, seconds: int) -> None:
        """From within a second on the host's clock goes so many seconds wrong."""
        (self.hosts[name].folder / CLOCK).write_text(f"{seconds:+d}")

    # --- looking on ----------------------------------------------------------------------------------------

    @property
    def book(self) -> Path:
        return self.hosts["far"].folder / "book.jsonl"

    def rung(self) -> Counter[str]:
        """How often each number was rung so far, as the far end saw it."""
        return Counter(row["number"] for row in self.rows("rung"))

    def rows(self, what: str) -> list[dict[str, str]]:
        lines = self.book.read_text().splitlines() if self.book.exists() else []
        return [row for line in lines if (row := json.loads(line))["what"] == what]

    def bundles(self) -> dict[str, Path]:
        """The sealed recordings on the disks of all workers, by call."""
        homes = [self.hosts[name].folder / "home" for name in WORKERS]
        found = [path for home in homes for path in home.glob("recordings/*/*/*/*/*.zip")]
        return {path.stem: path for path in found}

    def unsealed(self, workers: Collection[str] = WORKERS) -> list[Path]:
        """Folders of calls that nobody has sealed."""
        homes = [self.hosts[name].folder / "home" for name in workers]
        found = [folder for home in homes for folder in home.glob("recordings/*/*/*/*") if folder.is_dir()]
        return [folder for folder in found if not is_sealed(folder)]

    def console_answers(self, name: str) -> bool:
        ask = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8080/healthz', timeout=2).status)"
        try:
            return self.hosts[name].run(sys.executable, "-c", ask).strip() == "200"
        except AssertionError:
            return False

    def said(self) -> str:
        """The ends of all logs, for a failure's message."""
        return "\n".join(host.said() for host in self.hosts.values())


def is_sealed(folder: Path) -> bool:
    return (folder / f"{folder.name}.zip").exists()


def faketime() -> str | None:
    """The library that makes clocks wrong, where it is installed."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return str(found[0]) if found else None

