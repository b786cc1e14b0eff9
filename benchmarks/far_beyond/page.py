"""The tables of the page about sizes that nobody has measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from benchmarks.capacity.page import markdown
from benchmarks.far_beyond.check import WITHIN, Compared
from benchmarks.far_beyond.outlook import Ground, Outlook, knee
from benchmarks.far_beyond.stations import line_seconds, seats_of


def tables(ground: Ground, outlooks: Sequence[Outlook], checked: Sequence[Compared]) -> str:
    return "\n".join([
        _fed(ground), _flows(ground, outlooks), _knees(ground), _loads(outlooks), _parts(outlooks), _waits(outlooks),
        _yuan(outlooks),
        _checked(checked),
    ])  # fmt: skip


def _fed(ground: Ground) -> str:
    costs, alone = ground.costs, ground.alone
    waking = ", ".join(f"{per_s:,.0f} with {count} listeners" for count, per_s in sorted(alone.waking_per_s.items()))
    call = sum(costs.call_core.values())
    body = [
        ["a call on the line", f"{call:.4f} cores", "benchmarks/capacity"],
        ["all calls of a worker in one batch", f"{sum(costs.base_core.values()):.3f} cores", "benchmarks/capacity"],
        ["database, an attempt", f"{costs.attempt_s['database'] * 1000:.0f} ms of a core", "benchmarks/capacity"],
        ["control, an attempt", f"{costs.attempt_s['control'] * 1000:.0f} ms of a core", "benchmarks/capacity"],
        ["rows written, an attempt", f"{costs.rows:.0f}", "benchmarks/capacity"],
        ["transactions, an attempt", f"{costs.transactions:.0f}", "benchmarks/capacity"],
        ["log of the database, an attempt", f"{costs.log_bytes / 1024:.0f} KB", "benchmarks/capacity"],
        ["wake-ups, an attempt", f"{costs.wakes:.0f}", "benchmarks/capacity"],
        ["calls at once on a worker machine", f"{seats_of(costs, ground.prices, ground.day)}",
         "benchmarks/capacity" if costs.seats else "what its cores would hold: no limit was measured"],
        ["leases", f"{alone.leases_per_s:.0f} a second", "benchmarks.dialler.leases"],
        ["commits that wake", f"{waking} a second", "benchmarks.far_beyond.wakes"],
        ["Kamailio, a call", f"{alone.proxy_s * 1000:.2f} ms of a core", "benchmarks.far_beyond.proxy"],
    ]
    return "What the model was fed with:\n\n" + markdown(("what", "measured", "by"), body)


def _flows(ground: Ground, outlooks: Sequence[Outlook]) -> str:
    """Everything together, however it is parted."""
    costs, day, prices = ground.costs, ground.day, ground.prices
    body = []
    for one in outlooks:
        per_s = one.per_hour / 3600
        lines, talking = per_s * line_seconds(day), per_s * day.answered * day.talk_s
        body.append([
            f"{one.per_hour:,.0f}", f"{lines:,.0f}", f"{per_s * costs.rows:,.0f}", f"{per_s * costs.transactions:,.0f}",
            f"{per_s * costs.wakes:,.0f}", f"{per_s * costs.log_bytes / 1e6:,.1f}",
            f"{lines * prices['codec_bits_per_s'] / 1e6:,.0f}", f"{talking * costs.call_core['recogniser']:,.1f}",
            f"{math.ceil(talking / prices['recogniser_seats_per_gpu']):,}",
        ])  # fmt: skip
    head = ("attempts an hour", "calls at once", "rows/s", "transactions/s", "wake-ups/s", "log MB/s", "uplink Mbit/s",
            "cores for the embedded recogniser", "or GPU cards for a large one")  # fmt: skip
    return "What flows in all installations together:\n\n" + markdown(head, body)


def _knees(ground: Ground) -> str:
    names = ground.loads(1.0)
    order = sorted(names, key=lambda name: knee(name, ground))
    body = [[name, f"{knee(name, ground):,.0f}"] for name in order]
    title = f"Attempts an hour at which one installation has a station {ground.prices['most_load']:.0%} busy:\n\n"
    return title + markdown(("station", "attempts an hour"), body)


def _loads(outlooks: Sequence[Outlook]) -> str:
    names = list(outlooks[0].loads)
    body = [[f"{one.per_hour:,.0f}", *(f"{one.loads[name]:.2f}" for name in names), one.first] for one in outlooks]
    title = "How busy each station of one single installation would be (1 and more can't be kept up):\n\n"
    return title + markdown(("attempts an hour", *names, "full first"), body)


def _parts(outlooks: Sequence[Outlook]) -> str:
    keys = list(outlooks[0].parts)
    body = [
        [f"{one.per_hour:,.0f}", *(_count(one.parts[key]) for key in keys), one.worker_machines] for one in outlooks
    ]
    title = "How many installations it takes when work is parted by that key, and worker machines in all of them:\n\n"
    return title + markdown(("attempts an hour", *(f"by {key}" for key in keys), "worker machines"), body)


def _waits(outlooks: Sequence[Outlook]) -> str:
    body = []
    for one in outlooks:
        if one.parted is not None and one.result is not None:
            seen = one.result.stations
            worst = max(seen, key=lambda name: seen[name].wait_p95_s)
            parted = f"{one.parted[1]} by {one.parted[0]}" if one.parted[1] > 1 else "one"
            body.append([f"{one.per_hour:,.0f}", parted, f"{one.result.on_the_line:,.0f}", worst,
                         f"{seen[worst].busy:.2f}", f"{seen[worst].wait_p95_s * 1000:.0f}",
                         f"{one.result.seats_wait_p95_s * 1000:.0f}"])
    head = ("attempts an hour", "installations", "calls at once in the largest", "longest wait at", "busy", "P95 ms",
            "P95 ms for a seat")  # fmt: skip
    return "The largest of these installations, simulated:\n\n" + markdown(head, body)


def _yuan(outlooks: Sequence[Outlook]) -> str:
    priced = [one for one in outlooks if one.yuan]
    if not priced:
        return ""
    items = list(priced[0].yuan)
    body = [[f"{one.per_hour:,.0f}", *(f"{one.yuan[item]:,.0f}" for item in items), f"{_total(one.yuan):,.0f}"]
            for one in priced]
    title = "Yuan a month (prices are assumptions, `benchmarks/far_beyond/prices.toml`):\n\n"
    return title + markdown(("attempts an hour", *items, "sum"), body)


def _checked(checked: Sequence[Compared]) -> str:
    if not checked:
        return "Sizes that were kept from the model, to check it: none yet.\n"
    body = [[one.calls, f"{one.predicted_cores:.2f}", f"{one.measured_cores:.2f}", f"{one.error:.0%}",
             f"{one.predicted_per_s:.3f}", f"{one.measured_per_s:.3f}"] for one in checked]
    head = ("calls", "cores predicted", "cores measured", "off by", "attempts/s predicted", "attempts/s measured")
    return f"Sizes that were kept from the model (it may be off by {WITHIN:.0%}):\n\n" + markdown(head, body)


def _count(parts: int | None) -> str:
    return "not enough" if parts is None else str(parts)


def _total(yuan: Mapping[str, float]) -> float:
    return sum(yuan.values())
