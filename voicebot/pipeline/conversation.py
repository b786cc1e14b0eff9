"""Conversation: where the talk stands right now, shared by the processors of one call's pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from voicebot.domain.understanding import Topic


@dataclass(slots=True)
class Conversation:
    """`speaking`: utterances ordered and not yet over, each with whether it may be interrupted.

    `on_listen` is called when the dialog starts to wait for the caller.
    """

    call: int
    call_id: str
    speaking: dict[str, bool] = field(default_factory=dict)
    listening: bool = False
    topic: Topic = Topic.OPEN
    patience_s: float = 6.0
    handed_over: bool = False
    over: bool = False
    on_listen: Callable[[], None] = lambda: None

    @property
    def bot_speaks(self) -> bool:
        return bool(self.speaking)

    @property
    def may_interrupt(self) -> bool:
        """True unless a sentence that must be heard is on the air or waiting."""
        return all(self.speaking.values())
