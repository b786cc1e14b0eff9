"""The database of the cluster by itself: one URL finds whichever server may be written to."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .database import Server, until, url_of
from .hosts import Host, Network, requires_hosts

pytestmark = requires_hosts()
WRITE = """
import sys
from sqlalchemy import create_engine, text
from voicebot.store.urls import sqlalchemy_url
with create_engine(sqlalchemy_url(sys.argv[1]), connect_args={"connect_timeout": 3}).begin() as connection:
    connection.execute(text("INSERT INTO written VALUES (:word)"), {"word": sys.argv[2]})
"""


@pytest.fixture
def network() -> Iterator[tuple[Network, Path]]:
    with tempfile.TemporaryDirectory(prefix="vbc-") as name, Network() as one:
        Path(name).chmod(0o755)
        yield one, Path(name)


def write(host: Host, url: str, word: str) -> None:
    import sys

    root = Path(__file__).resolve().parents[2]
    host.run(sys.executable, "-c", WRITE, url, word, environment={"PYTHONPATH": str(root)})


def test_the_replica_takes_over_with_everything_that_was_written(network: tuple[Network, Path]) -> None:
    net, folder = network
    one, two = (Server(net.host(f"db{n}", f"10.77.0.{n}", folder / f"db{n}")) for n in (1, 2))
    asker = net.host("asker", "10.77.0.3", folder / "asker")
    one.make()
    two.copy(one)
    url = url_of(one, two)
    one.tell("CREATE TABLE written (word text)")
    write(asker, url, "first")
    one.restart()
    until(lambda: one.asked("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == 1)
    write(asker, url, "second")
    one.host.power_off()
    with contextlib.suppress(AssertionError):
        write(asker, url, "to nobody")
    two.promote()
    write(asker, url, "third")
    assert two.asked("SELECT string_agg(word, ' ') FROM written") == "first second third"
