"""The JSON Schema of script files, made from the same words that the reader takes; editors complete and check by it."""

from __future__ import annotations

import json
from typing import Any

from voicebot.dialog import keys
from voicebot.dialog.script import Kind, Policy, Type, Verb
from voicebot.dialog.vocabulary import INTENTS, MANDATORY_HANDLERS
from voicebot.domain.outcome import Disposition
from voicebot.domain.stage import Stage, Tone
from voicebot.domain.understanding import EmotionLabel, Topic

_Schema = dict[str, Any]
_TEXT: _Schema = {"type": "string"}
_FLAG: _Schema = {"type": "boolean"}
_WORD: _Schema = {"type": ["string", "number"]}
_CONDITION: _Schema = {"type": ["string", "number"], "description": "such as: said.date and not heard(dl_callback)"}


def _ref(name: str) -> _Schema:
    return {"$ref": f"#/$defs/{name}"}


def _object(properties: _Schema, **more: Any) -> _Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False, **more}


def _some(item: _Schema) -> _Schema:
    return {"anyOf": [item, {"type": "array", "items": item}]}


def _number(low: float, high: float) -> _Schema:
    return {"type": "number", "minimum": low, "maximum": high}


def schema() -> _Schema:
    """JSON Schema (2020-12) of a whole script file."""
    top = {
        "script": _WORD, "title": _WORD, "version": _WORD, "extends": _WORD, "include": _some(_TEXT),
        "stage": {"enum": list(Stage)}, "tone": _ref("tone"), "language": {"enum": list(keys.LANGUAGES)},
        "voice": _WORD,
        "variables": {"type": "object", "additionalProperties": _ref("variable")},
        "start": _WORD, "limit": _WORD, "silent": _WORD, "voicemail": _WORD,
        "policy": _object({name: _number(0, 1000) for name in Policy.__dataclass_fields__}),
        "silence": _ref("prompts"), "neutral": _WORD,
        "softeners": _object({label.value: _TEXT for label in EmotionLabel}),
        "handlers": {
            "type": "object", "additionalProperties": _ref("handler"),
            "description": "mandatory, here or in a script that is extended: " + ", ".join(MANDATORY_HANDLERS),
        },
        "nodes": {"type": "object", "additionalProperties": _ref("node")},
    }  # fmt: skip
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "voicebot call script",
        **_object({key: top[key] for key in keys.TOP}, required=["script"]),
        "$defs": {
            "tone": {"enum": [tone.word for tone in Tone]},
            "intents": _some({"type": "string", "pattern": _intents()}),
            "prompt": {"anyOf": [_TEXT, _prompt()]},
            "prompts": _some(_ref("prompt")),
            "effects": {"type": "array", "items": {"anyOf": [{"enum": list(Verb)}, _effects()]}},
            "variable": _variable(),
            "branch": _object(_rule(keys.BRANCH)),
            "handler": _object(_rule(keys.HANDLER)),
            "node": {"anyOf": [_node(kind) for kind in Kind] + [_changed_node()]},
        },
    }


def _intents() -> str:
    """Names of intents and of families: `dp_*`."""
    families = sorted({intent[: at + 1] for intent in INTENTS for at, char in enumerate(intent) if char == "_"})
    return f"^(?:{'|'.join(sorted(INTENTS))}|(?:{'|'.join(families)})\\w*\\*)$"


def _prompt() -> _Schema:
    parts = {
        "text": _TEXT, "if": _CONDITION, "interruptible": _FLAG, "variants": _some(_TEXT), "gentle": _TEXT,
        "firm": _TEXT, "recorded": {"type": "string", "pattern": "^[a-z0-9_-]{1,80}$"}, "must_hear": _FLAG,
    }  # fmt: skip
    return _object({key: parts[key] for key in keys.PROMPT}, required=["text"])


def _effects() -> _Schema:
    values = {
        Verb.DISPOSITION: {"enum": list(Disposition)},
        Verb.DEFAULT_DISPOSITION: {"enum": list(Disposition)},
        Verb.STOP_CONTACT: {"enum": ["number", "debtor"]},
        Verb.TAKE_PROMISE: {"enum": ["today", "near", None]},
        Verb.RECORD_PROMISE: {"enum": ["confirmed", "unconfirmed"]},
    }
    either: _Schema = {"type": ["string", "number", "null"]}
    return _object({verb.value: values.get(verb, either) for verb in Verb}, minProperties=1, maxProperties=1)


def _variable() -> _Schema:
    sources = {"anyOf": [{"enum": list(keys.SOURCES)}, {"type": "string", "pattern": r"^extra\..+"}]}
    return _object({"type": {"enum": list(Type)}, "value": _WORD, "from": sources})


def _rule(names: tuple[str, ...]) -> _Schema:
    parts = {
        "hears": _ref("intents"), "if": _CONDITION, "say": _ref("prompts"), "do": _ref("effects"), "goto": _WORD,
        "at_least": _number(0, 1), "patience": _number(1, 60), "resume": _FLAG,
    }  # fmt: skip
    return {name: parts[name] for name in names}


_PARTS: _Schema = {
    "say": _ref("prompts"), "do": _ref("effects"), "without": _some(_TEXT), "gentle": _FLAG, "tone": _ref("tone"),
    "barge_in": _FLAG, "goto": _WORD, "branches": {"type": "array", "items": _ref("branch")},
    "topic": {"enum": list(Topic)}, "expects": _ref("intents"), "slots": _some({"enum": list(keys.SLOTS)}),
    "patience": _number(1, 60), "again": _ref("prompts"), "short": _ref("prompts"), "no_input": _ref("prompts"),
    "tries": _number(1, 5), "exhausted": _WORD, "silent": _WORD, "silences": _number(1, 5), "channel": _WORD,
    "otherwise": _ref("prompts"), "yes": _WORD, "no": _WORD, "changed": _WORD, "soft": _WORD, "script": _WORD,
    "exits_to": {"type": "object", "additionalProperties": _WORD}, "skill": _WORD, "reason": _WORD,
    "briefing": _WORD, "hold": _WORD, "urgent": _FLAG, "failed": _WORD,
}  # fmt: skip
_REQUIRED = {
    Kind.ASK: ["topic"],
    Kind.PROMISE: ["say", "channel", "otherwise", "yes", "no"],
    Kind.RECORD: ["do", "goto"],
    Kind.SCRIPT: ["script"],
}


def _node(kind: Kind) -> _Schema:
    parts = {key: _PARTS[key] for key in keys.KEYS[kind] if key != "kind"}
    return _object({"kind": {"const": kind.value}, **parts}, required=["kind", *_REQUIRED.get(kind, [])])


def _changed_node() -> _Schema:
    """In a script that extends another: only what is different."""
    return _object(dict(_PARTS))


def schema_text() -> str:
    """The schema as the file docs/reference/script.schema.json holds it."""
    return json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"
