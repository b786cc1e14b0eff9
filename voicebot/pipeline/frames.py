"""Frames of a conversation that pipecat has no word for; an interruption may only drop what can be left unsaid."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipecat.frames.frames import DataFrame

from voicebot.dialog.events import Event
from voicebot.domain.talk import Order


@dataclass
class DialogEventFrame(DataFrame):
    """Something happened to the dialog."""

    event: Event
    answers_tick: int | None = None
    interruptible: bool = field(default=False, init=False)


@dataclass
class UtterFrame(DataFrame):
    """A sentence to be spoken; an interruption drops it while it still waits."""

    utterance_id: str
    text: str
    node: str
    may_interrupt: bool = True
    answers_tick: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()  # type: ignore[no-untyped-call]  # pipecat's frames are not annotated
        self.interruptible = self.may_interrupt


@dataclass
class ForeseenFrame(DataFrame):
    """Sentences that may be spoken next: the voice may get them ready, instead of the ones foreseen before."""

    texts: tuple[str, ...]


@dataclass
class BriefingFrame(DataFrame):
    """A sentence for the agent's ear alone."""

    text: str
    interruptible: bool = field(default=False, init=False)


@dataclass
class OrderFrame(DataFrame):
    """An order to the line, in its place among the sentences."""

    order: Order
    interruptible: bool = field(default=False, init=False)
