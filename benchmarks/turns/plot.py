"""The picture of the turns: how long callers wait, with us and with the stock pipeline, over the calls at once."""

from __future__ import annotations

from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # the backend must be chosen first

PANELS = (
    ("from the caller's last sound to the bot's first, ms", (("p50_ms", "P50"), ("p95_ms", "P95"))),
    ("from the answer to the first words, ms", (("first_words_p50_ms", "P50"), ("first_words_p95_ms", "P95"))),
    ("from the third interrupting syllable to silence, ms",
     (("stops_after_third_p50_ms", "P50"), ("stops_after_third_p95_ms", "P95"))),
)


def plot(rows: list[dict[str, Any]], path: str) -> None:
    """Write the picture; the ending of `path` says the format."""
    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(14, 4))
    for axis, (title, lines) in zip(axes, PANELS, strict=True):
        for server, colour in (("ours", "tab:blue"), ("stock", "tab:orange")):
            for (key, name), style in zip(lines, ("-", "--"), strict=True):
                points = [(row["calls"], row[key]) for row in rows if row["server"] == server and row[key] is not None]
                axis.plot([calls for calls, _ in points], [value for _, value in points], style, marker="o",
                          color=colour, label=f"{server} {name}")
        axis.set(title=title, xlabel="calls at once", ylim=(0, None))
        axis.title.set_fontsize(10)
        axis.grid(visible=True, alpha=0.3)
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)
