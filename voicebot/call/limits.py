"""Limits: how long a call may take, and the time in which its recording counts."""

from __future__ import annotations

from voicebot.domain.journal import FactKind

MOST_MS = 20 * 60 * 1000
"""A call longer than this is ended: nothing a script does takes 20 minutes."""
MOST_WITH_PERSON_MS = 55 * 60 * 1000
"""The same while a person talks or is fetched: shorter than the hour after which a call counts as lost."""
FETCH_AGAIN_S = 15.0
"""So long somebody in danger is left in peace before a person is fetched again."""
MOST_GAP_TICKS = 500
"""Ticks that one stall may add to the recording."""


def in_recording_time(kind: FactKind, data: dict[str, object], opened_at_ms: int) -> dict[str, object]:
    """The brain counts from the moment the call was opened to it, the recording from its first tick."""
    if kind not in (FactKind.HEARD, FactKind.AGENT_HEARD, FactKind.GATE_ALERT):
        return data
    times = {key: at for key in ("start_ms", "end_ms") if isinstance(at := data.get(key), int)}
    return data | {key: at + opened_at_ms for key, at in times.items()}
