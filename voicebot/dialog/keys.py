"""Keys: what may stand where in a script file. Reading, JSON Schema and docs all take them from here."""

from __future__ import annotations

from voicebot.dialog.script import Kind

TOP = (
    "script", "title", "version", "extends", "include", "stage", "tone", "language", "voice", "variables", "start",
    "limit", "silent", "voicemail", "policy", "silence", "softeners", "neutral", "handlers", "nodes",
)  # fmt: skip
"""Top level."""
_COMMON = ("kind", "say", "do", "without", "gentle", "tone", "barge_in")
_ASK = (
    "topic", "expects", "slots", "patience", "branches", "again", "short", "no_input", "tries", "exhausted", "silent",
    "silences",
)  # fmt: skip
KEYS = {
    Kind.SAY: (*_COMMON, "goto"),
    Kind.BRANCH: (*_COMMON, "branches"),
    Kind.RECORD: ("kind", "do", "goto"),
    Kind.ASK: (*_COMMON, *_ASK),
    Kind.PROMISE: (*_COMMON, *_ASK, "channel", "otherwise", "yes", "no", "changed", "soft"),
    Kind.SCRIPT: ("kind", "script", "exits_to"),
    Kind.TRANSFER: (*_COMMON, "skill", "reason", "briefing", "hold", "urgent", "failed"),
    Kind.HANG_UP: _COMMON,
    Kind.MESSAGE: _COMMON,
}
"""The keys a node of each kind may have."""
EVERY_KEY = tuple(dict.fromkeys(key for keys in KEYS.values() for key in keys))
FIELDS = {"patience": "patience_s"}
"""Keys of a node whose field has another name."""
BRANCH = ("hears", "if", "say", "do", "goto")
HANDLER = (*BRANCH, "at_least", "patience", "resume")
PROMPT = ("text", "if", "interruptible", "variants", "gentle", "firm", "recorded", "must_hear")
VARIABLE = ("type", "value", "from")
"""A script's own variable: `value` or `from`."""
SLOTS = ("date", "time", "amount", "ratio", "installments", "digits")
"""What an answer may state, for `slots:`."""
LANGUAGES = ("zh-CN",)
SOURCES = {
    "case.amount_fen": "amount", "case.principal_fen": "amount", "case.fees_fen": "amount",
    "case.overdue_days": "days", "case.product": "text", "debtor.name": "text", "creditor.name": "text",
    "creditor.neutral_name": "text", "creditor.hotline": "digits", "offers.waive_fen": "amount",
    "offers.parts": "number", "offers.extension_days": "days",
}  # fmt: skip
"""Where a variable may be taken from, and its type; `extra.<key>` of the call besides, as text."""
EXTRA = "extra."
