"""The turns that line and brain take before other work of the machine: a packet every 20 ms can't stand in a queue."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

_BETTER_NICENESS: Final = -10


def go_first() -> str:
    """Take the best turn that is allowed, for this process and the threads it starts; which one, for the log.

    "real time" (SCHED_RR, the lowest priority of its kind, so that nothing of the kernel waits for us) wants
    CAP_SYS_NICE or RLIMIT_RTPRIO, and "nice" the same right or RLIMIT_NICE. Without them: "like all others".
    A niceness alone is not enough: beside one busy process on the same core a fair turn comes 4 to 130 ms late.
    """
    with contextlib.suppress(OSError, AttributeError):  # AttributeError: not Linux
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))
        return "real time"
    with contextlib.suppress(OSError):
        os.nice(_BETTER_NICENESS)
        return "nice"
    return "like all others"


def go_second() -> None:
    """Take a better share than other work of the machine, if that is allowed: for the brain, which callers wait for."""
    with contextlib.suppress(OSError):
        os.nice(_BETTER_NICENESS)
    with contextlib.suppress(OSError):  # where each session has a share of its own, a niceness counts inside it only
        Path("/proc/self/autogroup").write_text(str(_BETTER_NICENESS))


def stand_in_line() -> None:
    """Give such a turn back, in a child of a line process that computes."""
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, 0, 0)
