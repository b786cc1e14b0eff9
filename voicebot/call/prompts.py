"""What the line can say by itself: sentences that the brain renders in advance and leaves with it."""

from __future__ import annotations

from voicebot.handoff import hold

APOLOGY = "apology"
"""Spoken when the brain is gone, or the line of the agent who was talking."""
FAREWELL = "farewell"
"""Spoken then when no person can be fetched either; a callback is booked."""

STORED = {
    APOLOGY: "非常抱歉，线路出了一点问题，我马上请同事接听，请您稍等。",
    FAREWELL: "很抱歉，同事现在都在忙。我已经登记，会由同事尽快给您回电。再见。",
    **hold.SENTENCES,
}
