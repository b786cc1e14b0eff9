"""The picture: how busy each station is over the attempts an hour, and what a month costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # the backend must be chosen first

from benchmarks.far_beyond.outlook import Ground, Outlook


def plot(ground: Ground, outlooks: Sequence[Outlook], path: Path) -> None:
    """Write the picture; the ending of `path` says the format."""
    figure, (busy, months) = pyplot.subplots(1, 2, figsize=(13, 4.6))
    sizes = [10 ** (4 + step / 20) for step in range(41)]
    for name in ground.loads(1.0):
        busy.plot(sizes, [ground.loads(size / 3600)[name] for size in sizes], label=name)
    busy.axhline(1.0, color="grey", linewidth=1)
    busy.axhline(ground.prices["most_load"], color="grey", linewidth=1, linestyle=":")
    busy.set(title="how busy the stations of one single installation are", xscale="log", yscale="log",
             xlabel="attempts an hour", ylim=(0.001, 100))  # fmt: skip
    priced = [one for one in outlooks if one.yuan]
    if priced:
        stacks = [[one.yuan[item] for one in priced] for item in priced[0].yuan]
        months.stackplot([one.per_hour for one in priced], stacks, labels=list(priced[0].yuan), alpha=0.85)
    months.set(title="yuan a month, parted as needed", xscale="log", yscale="log", xlabel="attempts an hour")
    for axis in (busy, months):
        axis.title.set_fontsize(10)
        axis.grid(visible=True, alpha=0.3)
        axis.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
