"""Slots: what an utterance says about days, times, money and digits, parsed by hand-written rules."""

from voicebot.intent.slots.parse import parse_slots

__all__ = ["parse_slots"]
