"""The picture of the comparison: cost, lateness and loss over the number of calls."""

from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # the backend must be chosen first

PANELS = (("cpu_s_per_call_minute", "CPU seconds per call-minute", "log"),
          ("late", "packets later than 20 ms or lost, %", "symlog"),
          ("setups_per_s", "call set-ups per second", "log"))


def plot(rows: list[dict[str, Any]], path: str) -> None:
    """Write the picture; the ending of `path` says the format."""
    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(13, 4))
    for axis, (key, title, scale) in zip(axes, PANELS, strict=True):
        for server in dict.fromkeys(row["server"] for row in rows):
            points = [(row["calls"], _value(row, key)) for row in rows if row["server"] == server]
            known = [(calls, value) for calls, value in points if value is not None]
            axis.plot([calls for calls, _ in known], [value for _, value in known], marker="o", label=server)
        axis.set(title=title, xlabel="calls at a time", yscale=scale)
        axis.grid(visible=True, alpha=0.3)
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def _value(row: dict[str, Any], key: str) -> float | None:
    if not row.get("expected"):
        return None
    if key == "late":
        return float(100 * (row["later_than_20_ms"] + row["lost"]) / row["expected"])
    value = row[key]
    return None if value is None else float(value)
