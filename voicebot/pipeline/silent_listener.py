"""SilentListener: a person has taken over; the bot writes down what the agent says and looks at its lawfulness."""

from __future__ import annotations

from voicebot.domain.journal import FactKind
from voicebot.domain.talk import Note, Order
from voicebot.pipeline.live_gate import LiveGate
from voicebot.pipeline.noticed import Utterance
from voicebot.pipeline.transport import SendOrder


class SilentListener:
    """For one call. It never speaks; a sentence that should not have been said becomes an alert, not a block."""

    def __init__(self, call: int, gate: LiveGate, order: SendOrder) -> None:
        self._call = call
        self._gate = gate
        self._order = order

    def agent_said(self, utterance: Utterance, end_ms: int) -> None:
        """`end_ms`: when the agent fell silent, on the clock of the callee's ear."""
        if not utterance.text:
            return
        start_ms = max(0, end_ms - (utterance.end_ms - utterance.start_ms))
        said = {
            "text": utterance.text,
            "confidence": round(utterance.confidence, 3),
            "start_ms": start_ms,
            "end_ms": end_ms,
        }
        self._order(self._note(FactKind.AGENT_HEARD, said))
        if rules := self._gate.alerts(utterance.text):
            self._order(self._note(FactKind.GATE_ALERT, {"text": utterance.text, "rules": rules}))

    def _note(self, kind: FactKind, data: dict[str, object]) -> Order:
        return Note(self._call, kind, data)
