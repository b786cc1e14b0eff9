"""A campaign on eight hosts while they die one after another: nobody is rung twice, and nothing of anybody is lost."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator

import pytest

from tests.interop.peers import requires
from voicebot.store.database import lock_key

from .campaign import PROMISER, Tally, begin, disagreements, people
from .cluster import ADDRESSES, CONTROLS, WORKERS, Cluster, faketime, is_sealed
from .database import Server, until, unusable
from .hosts import requires_hosts

pytestmark = [
    requires_hosts(),
    requires("kamailio", "openssl"),
    pytest.mark.skipif(unusable() is not None, reason=f"!!! NO DATABASE, NO PROOF: {unusable()}"),
]
STAGES = ("restart", "cut", "oneway", "control", "worker", "clock", "disk", "failover")
BRIEF, PROMISERS, AT_ONCE = 4, 1, 2
PATIENCE_S = 120.0
WRONG_S = 600


class Drill:
    """One campaign per stage. `database` is the server that is the primary just now."""

    def __init__(self, cluster: Cluster, persons: dict[str, dict[str, str]]) -> None:
        self.cluster, self.persons = cluster, persons
        self.database: Server = cluster.primary
        self.began = time.monotonic()

    def begin(self, stage: str) -> None:
        """Start the stage's campaign, and wait until it rings."""
        self.say(f"stage {stage}")
        asyncio.run(begin(self.database.local_url, stage, self.persons[stage], 1 if stage == "calm" else AT_ONCE))
        self.rings(stage, 1)

    def rings(self, stage: str, count: int) -> None:
        """Wait until so many people of the stage have been rung."""
        self.holds(lambda: len(self.cluster.rung().keys() & self.persons[stage].keys()) >= count, f"{count} of {stage}")

    def goes_on(self, stage: str) -> None:
        """More people of the stage are reached than were at once under way, whatever has happened."""
        self.rings(stage, len(self.persons[stage]) - 2)
        self.say(f"stage {stage} went on")

    def holds(self, condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
        until(condition, patience_s, lambda: f"{what}\n{self.cluster.said()}")

    def leader(self) -> str | None:
        """The control that dials."""
        key = lock_key("leader", "dialler") & (1 << 64) - 1
        query = (
            "SELECT host(client_addr) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory'"
            f" AND granted AND classid = {key >> 32} AND objid = {key & 0xFFFFFFFF}"
        )
        address = self.database.asked(query)
        return next((name for name in CONTROLS if ADDRESSES[name] == address), None)

    def calls_of(self, worker: str) -> int:
        query = f"SELECT count(*) FROM calls WHERE worker LIKE '{worker}%'"
        return int(str(self.database.asked(query)))

    def busy(self, worker: str) -> int:
        query = f"SELECT count(*) FROM calls WHERE worker LIKE '{worker}%' AND ended_at IS NULL"
        return int(str(self.database.asked(query)))

    def unsealed(self, worker: str) -> int:
        """Recordings for which the worker says that it had no room."""
        query = f"SELECT coalesce((figures ->> 'unsealed')::int, 0) FROM workers WHERE name = '{worker}-0'"
        return int(str(self.database.asked(query)))

    def may_dial(self, worker: str) -> bool:
        """What the worker says of itself."""
        return bool(self.database.asked(f"SELECT may_dial FROM workers WHERE name = '{worker}-0'"))

    def agreed(self) -> list[str]:
        """On what the witnesses do not agree; what was lost and found is booked within a minute."""
        for _ in range(30):
            found = disagreements(Tally.of(self.database.sockets), self.cluster)
            if not found:
                break
            time.sleep(2)
        self.say(f"{len(found)} disagreements among {len(self.cluster.bundles())} recordings")
        return found

    def say(self, what: str) -> None:
        print(f"{time.monotonic() - self.began:6.1f} s  {what}", flush=True)


@pytest.fixture(scope="module")
def drill() -> Iterator[Drill]:
    persons = people(STAGES, BRIEF, PROMISERS)
    persons["calm"] = {f"1380013990{number}": PROMISER for number in range(3)}
    everybody = {number: kind for stage in persons.values() for number, kind in stage.items()}
    with Cluster(everybody, clocks=("one", *CONTROLS) if faketime() else ()) as cluster:
        yield Drill(cluster, persons)


def test_calls_come_in_over_tls_to_whichever_worker_is_there(drill: Drill) -> None:
    """The proxy as registrar, as the edge that speaks TLS, and as dispatcher when a cable is cut."""
    for name in (None, *WORKERS):
        host = drill.cluster.hosts.get(name or "")
        if host is not None:
            host.cut()
        try:
            said = drill.cluster.call_in()
        finally:
            if host is not None:
                host.mend()
        drill.say(f"with {name or 'nobody'} cut off: {said}")
        assert said[0] == {"registered": True}
        assert said[1]["by"] == "local" and int(str(said[1]["loud_ms"])) > 500, said
    assert all(drill.calls_of(name) for name in WORKERS)


def test_a_campaign_outlives_its_machines(drill: Drill) -> None:
    failures = [failure for stage in STAGES if (failure := played(drill, stage)) is not None]
    assert not failures, "\n".join(failures)
    drill.holds(lambda: Tally.of(drill.database.sockets).open_attempts() == 0, "everybody settled", 2 * PATIENCE_S)
    drill.say("settled")
    if not Tally.of(drill.database.sockets).promised:  # every promise was cut off by what happened
        drill.begin("calm")
        drill.holds(lambda: Tally.of(drill.database.sockets).open_attempts() == 0, "calm", 3 * PATIENCE_S)
    found = drill.agreed()
    assert not found, "\n".join([*found, drill.cluster.said()])
    never = {number for stage in STAGES for number in drill.persons[stage]} - drill.cluster.rung().keys()
    assert len(never) <= len(STAGES), f"lost without having been rung: {never}\n{drill.cluster.said()}"
    assert Tally.of(drill.database.sockets).promised, f"nobody promised anything\n{drill.cluster.said()}"


def played(drill: Drill, stage: str) -> str | None:
    """Play one stage, and the next ones also when it fails: they tell more together."""
    try:
        drill.begin(stage)
        ACTS[stage](drill)
        drill.goes_on(stage)
    except AssertionError as error:
        drill.say(f"stage {stage} FAILED")
        for host in drill.cluster.hosts.values():
            host.mend()
        return f"stage {stage}: {error}"
    return None


# --- what happens in each stage ---------------------------------------------------------------------------


def the_database_is_restarted(drill: Drill) -> None:
    for name in WORKERS:
        drill.holds(lambda name=name: drill.calls_of(name) > 0, f"{name} has calls")  # type: ignore[misc]
    drill.database.restart()


def a_cable_is_cut(drill: Drill) -> None:
    with cut(drill, "one"):
        time.sleep(10)


def a_cable_is_cut_one_way_and_then_the_other(drill: Drill) -> None:
    with cut(drill, "two", away=False):
        time.sleep(6)
    with cut(drill, "two", towards=False):
        time.sleep(6)


def the_control_dies(drill: Drill) -> None:
    drill.holds(lambda: drill.leader() is not None, "somebody leads")
    leader = drill.leader()
    assert leader is not None
    other = next(name for name in CONTROLS if name != leader)
    drill.cluster.hosts[leader].power_off()
    drill.holds(lambda: drill.leader() == other, f"{other} leads")
    drill.say(f"{other} leads in place of {leader}")
    drill.cluster.hosts[leader].power_on()
    drill.cluster.start_control(leader)


def a_worker_dies(drill: Drill) -> None:
    drill.holds(lambda: drill.busy("two") > 0, "two talks")
    drill.cluster.hosts["two"].power_off()
    drill.holds(lambda: held_by(drill, "two") == 0, "the calls of two are resolved")
    drill.say("what two left is resolved")
    drill.cluster.hosts["two"].power_on()
    drill.cluster.start_worker("two")


def a_clock_jumps(drill: Drill) -> None:
    if faketime() is None:
        drill.say("!!! NO FAKETIME: no clock jumped; apt-get install faketime")
        return
    leader, cluster = drill.leader(), drill.cluster
    assert leader is not None
    other = next(name for name in CONTROLS if name != leader)
    for name in ("one", leader):
        cluster.set_clock(name, WRONG_S)
    drill.holds(lambda: drill.leader() == other, f"{other} leads, as the clock of {leader} is wrong")
    drill.holds(lambda: not drill.may_dial("one"), "one takes no calls with a wrong clock")
    drill.say(f"the clocks of one and {leader} are wrong, {other} leads")
    before = drill.calls_of("one")
    drill.rings("clock", 3)
    assert drill.calls_of("one") == before, "a worker with a wrong clock was given calls"
    for name in ("one", leader):
        cluster.set_clock(name, 0)


def a_disk_fills(drill: Drill) -> None:
    host = drill.cluster.hosts["two"]
    drill.holds(lambda: drill.busy("two") > 0, "two talks")
    host.fill_disk()
    drill.holds(lambda: drill.unsealed("two") > 0, "the call of two is over, and can't be sealed")
    drill.holds(lambda: not drill.may_dial("two"), "two takes no calls with a full disk")
    left = drill.cluster.unsealed(["two"])
    drill.say(f"the disk of two is full, {len(left)} recordings are not sealed")
    drill.rings("disk", 3)
    host.free_disk()
    drill.holds(lambda: all(map(is_sealed, left)), "two seals as soon as there is room, without a restart")
    drill.holds(lambda: drill.may_dial("two"), "two takes calls again")


def the_primary_dies(drill: Drill) -> None:
    drill.cluster.hosts["db1"].power_off()
    drill.cluster.replica.promote()
    drill.database = drill.cluster.replica


ACTS: dict[str, Callable[[Drill], None]] = {
    "restart": the_database_is_restarted,
    "cut": a_cable_is_cut,
    "oneway": a_cable_is_cut_one_way_and_then_the_other,
    "control": the_control_dies,
    "worker": a_worker_dies,
    "clock": a_clock_jumps,
    "disk": a_disk_fills,
    "failover": the_primary_dies,
}


@contextlib.contextmanager
def cut(drill: Drill, name: str, **ways: bool) -> Iterator[None]:
    host = drill.cluster.hosts[name]
    host.cut(**ways)
    drill.say(f"the cable of {name} is cut")
    try:
        yield
    finally:
        host.mend()
        drill.say("mended")


def held_by(drill: Drill, worker: str) -> int:
    """Attempts whose call a worker has begun, and nobody has settled."""
    query = (
        "SELECT count(*) FROM attempts JOIN calls ON calls.id = attempts.call_id"
        f" WHERE state = 'placed' AND worker LIKE '{worker}%'"
    )
    return int(str(drill.database.asked(query)))
