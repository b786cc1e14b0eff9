"""One row of the comparison: a server in its own process under so many calls."""

import json
import os
import socket
import subprocess
import sys
import time
from functools import partial
from typing import Any, Final

from benchmarks.line.far_end import WARM_UP_S
from benchmarks.line.witness import excused, watched
from voicebot.worker.priority import go_first

SERVERS: Final = {
    "echo": ["benchmarks.line.our_line", "echo"],
    "line": ["benchmarks.line.our_line", "line"],
    "stalled": ["benchmarks.line.our_line", "stalled"],
    "baresip": ["benchmarks.line.baresip"],
    "pyvoip": ["benchmarks.line.pyvoip"],
}
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


class ServerDied(Exception):
    """The server under test ended by itself; its error is on standard error."""


def measure(kind: str, calls: int, seconds: float, *, apart: bool = False) -> dict[str, Any]:
    """The figures of this server under this many calls; where it breaks, `broke` says how.

    `apart`: the server (with the stalling brain) keeps to one half of the cores, the phones to the other.
    """
    ours, theirs = halves() if apart else (None, None)
    own, far = free_port(), free_port()
    module, *arguments = SERVERS[kind]
    if module.endswith("our_line"):
        arguments += ["--port", str(own), "--calls", str(calls)]
    else:
        arguments += ["--port", str(own), "--far-port", str(far)]
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=partial(settle, ours)) as server:
        try:
            figures = _measured(server, calls, seconds, far, theirs)
        except ServerDied as error:
            figures = {"broke": str(error) or "the server ended by itself"}
        finally:
            server.kill()
    return {"server": kind, "calls": calls, "seconds": seconds, **figures}


def halves() -> tuple[set[int], set[int]]:
    """The cores we may use, in two halves; the same set twice where there is one core only."""
    cores = sorted(os.sched_getaffinity(0))
    middle = len(cores) // 2
    return (set(cores[:middle]), set(cores[middle:])) if middle else (set(cores), set(cores))


def settle(cores: set[int] | None) -> None:
    """What the line process of a worker does for itself, every server here gets, and the phones, if it is allowed."""
    if cores:
        os.sched_setaffinity(0, cores)
    go_first()


def _measured(
    server: "subprocess.Popen[str]", calls: int, seconds: float, far: int, cores: set[int] | None
) -> dict[str, Any]:
    told = _read(server)
    ports = [str(port) for port in told.get("ports", [])]
    command = [sys.executable, "-m", "benchmarks.line.far_end", "--seconds", str(seconds), "--own-port", str(far)]
    command += ports or ["--calls", str(calls), "--target", f"sip:bot@127.0.0.1:{told['port']}"]
    command += ["--registers"] if told.get("registers") else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=partial(settle, cores)) as far_end:
        up = _read(far_end)
        time.sleep(WARM_UP_S)
        with watched() as machine:
            before, began = cpu_s(server.pid), time.monotonic()
            time.sleep(seconds * 0.95)
            load = (cpu_s(server.pid) - before) / (time.monotonic() - began)
            memory, threads = memory_mb(server.pid), thread_count(server.pid)
            figures = _read(far_end)
        far_end.kill()
    standing = int(up["up"])
    late = [(due, at) for due, at in figures.pop("late")]
    figures |= {"late_by_itself": len(late) - excused(late, machine.gaps), "stolen_percent": machine.stolen * 100}
    figures |= {"stood_still_ms": 1000 * sum(end - begin for begin, end in machine.gaps)}
    figures |= {"up": standing, "cpu_percent": load * 100, "memory_mb": memory, "threads": threads}
    figures["cpu_s_per_call_minute"] = load * 60 / standing if standing else None
    figures["setups_per_s"] = None if ports or not standing else standing / up["setup_s"]
    return figures | ({"broke": f"only {standing} calls were answered"} if standing < calls else {})


def _read(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        raise ServerDied("ended early")
    figures: dict[str, Any] = json.loads(line)
    return figures


def cpu_s(pid: int) -> float:
    """CPU seconds of a process with all its threads (Linux). ServerDied when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except FileNotFoundError as error:
        raise ServerDied("ended under load") from error
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def memory_mb(pid: int) -> float:
    return _status(pid, "VmRSS:") / 1024


def thread_count(pid: int) -> int:
    return _status(pid, "Threads:")


def _status(pid: int, name: str) -> int:
    with open(f"/proc/{pid}/status") as status:
        return next((int(line.split()[1]) for line in status if line.startswith(name)), 0)


def free_port() -> int:
    """An even port that is free now, with a free neighbour as far as can be told."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1]) & ~1
