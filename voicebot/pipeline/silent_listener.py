"""SilentListener: a person has taken over; the bot writes down what the agent says and looks at its lawfulness."""

from __future__ import annotations

from voicebot.domain.journal import FactKind
from voicebot.domain.talk import Note, Order
from voicebot.pipeline.live_gate import LiveGate
from voicebot.pipeline.noticed import Utterance
from voicebot.pipeline.transport import SendOrder

SHORTEST = 6
"""Fewer characters say too little: half a word often looks like something worse."""
STANDS_MS = 400
"""So long must a sentence that still runs look unlawful, so that what follows can make it lawful again."""


class SilentListener:
    """For one call. It never speaks; a sentence that should not have been said becomes an alert, not a block.

    The alert does not wait for the end of the sentence: who is threatened must not be talked to for twenty seconds.
    """

    def __init__(self, call: int, gate: LiveGate, order: SendOrder) -> None:
        self._call = call
        self._gate = gate
        self._order = order
        self._began_ms = 0
        self._seen: dict[str, int] = {}
        self._alerted: set[str] = set()

    def agent_began(self, at_ms: int) -> None:
        """The agent's voice was noticed; times are on the clock of the callee's ear."""
        self._began_ms = at_ms
        self._seen.clear()
        self._alerted.clear()

    def agent_saying(self, text: str, at_ms: int) -> None:
        """What the agent has said so far."""
        rules = self._gate.alerts(text) if len(text) >= SHORTEST else []
        self._seen = {rule: self._seen.get(rule, at_ms) for rule in rules}
        standing = [rule for rule, since_ms in self._seen.items() if at_ms - since_ms >= STANDS_MS]
        self._alert(text, standing, self._began_ms, at_ms)

    def agent_said(self, utterance: Utterance, end_ms: int) -> None:
        """`end_ms`: when the agent fell silent."""
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
        self._alert(utterance.text, self._gate.alerts(utterance.text), start_ms, end_ms)
        self._alerted.clear()

    def _alert(self, text: str, rules: list[str], start_ms: int, end_ms: int) -> None:
        """One alert per rule and sentence; a later one of the same sentence says so."""
        new = [rule for rule in rules if rule not in self._alerted]
        if new:
            data: dict[str, object] = {"text": text, "rules": new, "start_ms": start_ms, "end_ms": end_ms}
            self._order(self._note(FactKind.GATE_ALERT, data | ({"again": True} if self._alerted else {})))
            self._alerted |= set(new)

    def _note(self, kind: FactKind, data: dict[str, object]) -> Order:
        return Note(self._call, kind, data)
