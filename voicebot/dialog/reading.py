"""From YAML text to a Script: every problem is noted with its line and column, none is raised."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from voicebot.dialog.expression import Expression, ExpressionError, parse_expression
from voicebot.dialog.script import NEUTRAL, Branch, Effect, Handler, Kind, Node, Policy, Prompt, Script, Verb, Where
from voicebot.dialog.vocabulary import INTENTS
from voicebot.domain.outcome import Disposition
from voicebot.domain.understanding import EmotionLabel, Topic

_T = TypeVar("_T")
_TOP = (
    "script", "title", "version", "extends", "start", "limit", "silent", "voicemail", "policy", "silence",
    "softeners", "neutral", "handlers", "nodes",
)  # fmt: skip
_COMMON = ("kind", "say", "do", "without", "gentle")
_ASK = (
    "topic", "patience", "branches", "again", "short", "no_input", "tries", "exhausted", "silent", "silences",
)  # fmt: skip
_KEYS = {
    Kind.SAY: (*_COMMON, "goto"),
    Kind.BRANCH: (*_COMMON, "branches"),
    Kind.ASK: (*_COMMON, *_ASK),
    Kind.TRANSFER: (*_COMMON, "skill", "reason", "briefing", "hold", "urgent", "failed"),
    Kind.HANG_UP: _COMMON,
    Kind.MESSAGE: _COMMON,
}
_BRANCH = ("hears", "if", "say", "do", "goto")
_HANDLER = (*_BRANCH, "at_least", "patience", "resume")
_PROMPT = ("text", "if", "interruptible")
_DEEPEST_FILE = 1_000_000


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a script that cannot stand: where, which rule, and what to do about it."""

    where: Where
    code: str
    message: str


@dataclass
class Draft:
    """What could be read: raw sections and the problems met. `build` makes a Script of it when complete."""

    file: str
    top: CommentedMap | None = None
    nodes: dict[str, Node] = field(default_factory=dict)
    handlers: list[Handler] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    policy: dict[str, float] = field(default_factory=dict)
    silence: tuple[Prompt, ...] = ()
    softeners: dict[str, Prompt] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    sha256: str = ""


def read_draft(data: bytes, file: str) -> Draft:
    """Read any bytes at all; what is wrong with them stands in `problems`."""
    draft = Draft(file, sha256=hashlib.sha256(data).hexdigest())
    start = Where(file, 1, 1)
    if len(data) > _DEEPEST_FILE:
        draft.problems.append(Problem(start, "too-large", "a script may not be larger than one megabyte"))
        return draft
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a twice-used anchor is legal YAML
            top = YAML(typ="rt").load(io.StringIO(data.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        draft.problems.append(Problem(start, "encoding", f"the file is not UTF-8 ({error.reason}); save it as UTF-8"))
        return draft
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Where(file, mark.line + 1, mark.column + 1) if mark else start
        draft.problems.append(Problem(where, "yaml", f"not valid YAML: {error.problem or error}"))
        return draft
    except Exception as error:  # the YAML library lets ValueError, RecursionError and others through
        draft.problems.append(Problem(start, "yaml", f"not valid YAML: {type(error).__name__} {error}"))
        return draft
    if not isinstance(top, CommentedMap):
        draft.problems.append(Problem(start, "schema", "a script is a mapping with `script:`, `start:`, `nodes:` …"))
        return draft
    draft.top = top
    _Reader(draft).read(top)
    return draft


class _Reader:
    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    def read(self, top: CommentedMap) -> None:
        self._known(top, _TOP, "a script")
        for key in ("script", "title", "version", "extends", "start", "limit", "silent", "voicemail", "neutral"):
            if key in top:
                self._draft.words[key] = self._text(top, key)
        self._read_policy(self._map(top, "policy"))
        self._draft.silence = self._prompts(top, "silence")
        for label, _ in self._items(self._map(top, "softeners")):
            self._softener(self._map(top, "softeners"), label)
        for handler in self._maps(top, "handlers", named=True):
            self._draft.handlers.append(handler)
        nodes = self._map(top, "nodes")
        for name, _ in self._items(nodes):
            body = self._map(nodes, name)
            self._draft.nodes[name] = self._node(name, body, self._key_at(nodes, name))

    # -- sections

    def _read_policy(self, policy: CommentedMap) -> None:
        self._known(policy, tuple(Policy.__dataclass_fields__), "policy")
        for key, value in self._items(policy):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1000:
                self._problem(self._value_at(policy, key), "schema", f"policy.{key} must be a number from 0 to 1000")
            else:
                self._draft.policy[key] = float(value)

    def _softener(self, softeners: CommentedMap, label: str) -> None:
        if label not in EmotionLabel.__members__.values():
            self._problem(self._key_at(softeners, label), "unknown-emotion", f"unknown emotion {label!r}")
            return
        self._draft.softeners[label] = Prompt(self._text(softeners, label), self._value_at(softeners, label))

    def _node(self, name: str, body: CommentedMap, where: Where) -> Node:
        kind = self._choice(body, "kind", Kind, Kind.SAY)
        if "kind" not in body:
            self._problem(where, "schema", f"node {name} has no `kind:`; one of {', '.join(Kind)}")
        self._known(body, _KEYS[kind], f"a node of kind {kind}")
        topic = self._choice(body, "topic", Topic, Topic.ANY)
        if kind is Kind.ASK and "topic" not in body:
            self._problem(where, "schema", f"node {name} listens: it needs a `topic:`; one of {', '.join(Topic)}")
        return Node(
            id=name,
            kind=kind,
            where=where,
            say=self._prompts(body, "say"),
            do=self._effects(body),
            goto=self._target(body, "goto"),
            topic=topic,
            patience_s=self._number(body, "patience", 6.0, 1.0, 60.0),
            branches=tuple(self._maps(body, "branches", named=False)),
            again=self._prompts(body, "again"),
            short=self._prompts(body, "short"),
            no_input=self._prompts(body, "no_input"),
            tries=int(self._number(body, "tries", 2, 1, 5)),
            exhausted=self._target(body, "exhausted"),
            silent=self._target(body, "silent"),
            without=self._ids(body, "without"),
            gentle=self._flag(body, "gentle", False),
            silences=int(self._number(body, "silences", 3, 1, 5)) if "silences" in body else None,
            skill=self._text(body, "skill", "general"),
            reason=self._text(body, "reason", ""),
            briefing=self._text(body, "briefing", ""),
            hold=self._text(body, "hold", ""),
            urgent=self._flag(body, "urgent", False),
            failed=self._target(body, "failed"),
            places={key: self._value_at(body, key) for key in body},
        )

    def _maps(self, parent: CommentedMap, key: str, *, named: bool) -> Iterator[Any]:
        if named:
            handlers = self._map(parent, key)
            for name, _ in self._items(handlers):
                yield self._handler(name, self._map(handlers, name), self._key_at(handlers, name))
            return
        for index, item in enumerate(self._list(parent, key)):
            where = self._item_at(parent[key], index)
            if isinstance(item, CommentedMap):
                yield self._branch(item, where)
            else:
                self._problem(where, "schema", f"an entry of `{key}:` is a mapping with `hears:`, `if:`, `goto:` …")

    def _branch(self, body: CommentedMap, where: Where) -> Branch:
        self._known(body, _BRANCH, "a branch")
        return Branch(
            where=where,
            hears=self._intents(body),
            when=self._expression(body, "if"),
            say=self._prompts(body, "say"),
            do=self._effects(body),
            goto=self._target(body, "goto"),
            goto_where=self._value_at(body, "goto"),
        )

    def _handler(self, name: str, body: CommentedMap, where: Where) -> Handler:
        self._known(body, _HANDLER, "a handler")
        return Handler(
            name=name,
            where=where,
            hears=self._intents(body),
            when=self._expression(body, "if"),
            say=self._prompts(body, "say"),
            do=self._effects(body),
            goto=self._target(body, "goto"),
            goto_where=self._value_at(body, "goto"),
            at_least=self._number(body, "at_least", 0.0, 0.0, 1.0),
            patience_s=self._number(body, "patience", 6.0, 1.0, 60.0) if "patience" in body else None,
            resume=self._flag(body, "resume", True),
        )

    # -- parts

    def _prompts(self, body: CommentedMap, key: str) -> tuple[Prompt, ...]:
        value = body.get(key)
        if value is None:
            return ()
        if isinstance(value, str):
            return (Prompt(value, self._value_at(body, key)),)
        return tuple(p for i, item in enumerate(self._list(body, key)) if (p := self._prompt(value, i, item)))

    def _prompt(self, parent: CommentedSeq, index: int, item: object) -> Prompt | None:
        where = self._item_at(parent, index)
        if isinstance(item, str):
            return Prompt(item, where)
        if not isinstance(item, CommentedMap) or not isinstance(item.get("text"), str):
            self._problem(where, "schema", "a prompt is a sentence, or a mapping with `text:` and `if:`")
            return None
        self._known(item, _PROMPT, "a prompt")
        return Prompt(item["text"], where, self._expression(item, "if"), self._flag(item, "interruptible", True))

    def _effects(self, body: CommentedMap) -> tuple[Effect, ...]:
        if body.get("do") is None:
            return ()
        found = []
        for index, item in enumerate(self._list(body, "do")):
            where = self._item_at(body["do"], index)
            if isinstance(item, str):
                found.append(self._effect(item, "", where))
            elif isinstance(item, CommentedMap) and len(item) == 1:
                verb, value = next(iter(item.items()))
                found.append(self._effect(str(verb), "" if value is None else str(value), where))
            else:
                self._problem(where, "schema", "an effect is a word or one `word: value` pair")
        return tuple(effect for effect in found if effect is not None)

    def _effect(self, verb: str, value: str, where: Where) -> Effect | None:
        if verb not in Verb.__members__.values():
            self._problem(where, "unknown-effect", f"unknown effect {verb!r}; known: {', '.join(Verb)}")
            return None
        allowed = _ALLOWED.get(Verb(verb))
        if allowed is not None and value not in allowed:
            self._problem(where, "schema", f"{verb} takes one of {', '.join(allowed)}, not {value!r}")
            return None
        return Effect(Verb(verb), value, where)

    def _intents(self, body: CommentedMap) -> tuple[str, ...]:
        found: list[str] = []
        for intent in self._ids(body, "hears"):
            matching = sorted(i for i in INTENTS if i.startswith(intent[:-1])) if intent.endswith("*") else [intent]
            if not matching or matching[0] not in INTENTS:
                self._problem(self._value_at(body, "hears"), "unknown-intent", f"unknown intent {intent!r}")
            found += matching
        return tuple(found)

    def _expression(self, body: CommentedMap, key: str) -> Expression | None:
        if body.get(key) is None:
            return None
        where = self._value_at(body, key)
        try:
            return parse_expression(str(body[key]))
        except ExpressionError as error:
            where = Where(where.file, where.line, where.column + error.column)
            self._problem(where, "expression", f"`{key}: {body[key]}`: {error}")
            return None

    def _ids(self, body: CommentedMap, key: str) -> tuple[str, ...]:
        value = body.get(key)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        for index, item in enumerate(self._list(body, key)):
            if not isinstance(item, str):
                self._problem(self._item_at(value, index), "schema", f"`{key}:` holds ids")
        return tuple(item for item in self._list(body, key) if isinstance(item, str))

    # -- scalars

    def _text(self, body: CommentedMap, key: str, default: str = "") -> str:
        value = body.get(key, default)
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return str(value)
        self._problem(self._value_at(body, key), "schema", f"`{key}:` must be text")
        return default

    def _target(self, body: CommentedMap, key: str) -> str | None:
        return self._text(body, key) if body.get(key) is not None else None

    def _flag(self, body: CommentedMap, key: str, default: bool) -> bool:
        value = body.get(key, default)
        if isinstance(value, bool):
            return value
        self._problem(self._value_at(body, key), "schema", f"`{key}:` must be true or false")
        return default

    def _number(self, body: CommentedMap, key: str, default: float, low: float, high: float) -> float:
        value = body.get(key, default)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        self._problem(self._value_at(body, key), "schema", f"`{key}:` must be a number from {low:g} to {high:g}")
        return default

    def _choice(self, body: CommentedMap, key: str, kind: Callable[[str], _T], default: _T) -> _T:
        try:
            return kind(body[key]) if key in body else default
        except (ValueError, TypeError):
            known = ", ".join(getattr(kind, "__members__", {}).values())
            self._problem(self._value_at(body, key), f"unknown-{key}", f"unknown {key} {body[key]!r}; one of {known}")
            return default

    # -- structure and places

    def _map(self, parent: CommentedMap, key: str) -> CommentedMap:
        value = parent.get(key)
        if isinstance(value, CommentedMap):
            return value
        if value is not None:
            self._problem(self._value_at(parent, key), "schema", f"`{key}:` must be a mapping")
        elif key in parent and key not in _TOP:
            self._problem(self._key_at(parent, key), "schema", f"`{key}:` is empty")
        return CommentedMap()

    def _list(self, parent: CommentedMap, key: str) -> CommentedSeq:
        value = parent.get(key)
        if isinstance(value, CommentedSeq):
            return value
        if value is not None:
            self._problem(self._value_at(parent, key), "schema", f"`{key}:` must be a list")
        return CommentedSeq()

    def _items(self, body: CommentedMap) -> Iterator[tuple[str, object]]:
        for key, value in body.items():
            if isinstance(key, str):
                yield key, value
            else:
                self._problem(self._key_at(body, key), "schema", f"the key {key!r} must be text")

    def _known(self, body: CommentedMap, keys: tuple[str, ...], what: str) -> None:
        for key in body:
            if key not in keys:
                message = f"unknown key {key!r} in {what}; known: {', '.join(keys)}"
                self._problem(self._key_at(body, key), "unknown-key", message)

    def _problem(self, where: Where, code: str, message: str) -> None:
        self._draft.problems.append(Problem(where, code, message))

    def _at(self, position: object, fallback: object) -> Where:
        for place in (position, fallback):
            if isinstance(place, (tuple, list)) and len(place) == 2:
                return Where(self._draft.file, int(place[0]) + 1, int(place[1]) + 1)
        return Where(self._draft.file, 1, 1)

    def _own(self, body: CommentedMap | CommentedSeq) -> tuple[int, int]:
        return (body.lc.line or 0, body.lc.col or 0)

    def _key_at(self, body: CommentedMap, key: object) -> Where:
        found = (body.lc.data or {}).get(key)
        return self._at(tuple(found[:2]) if found else None, self._own(body))

    def _value_at(self, body: CommentedMap, key: object) -> Where:
        found = (body.lc.data or {}).get(key)
        return self._at(tuple(found[2:4]) if found else None, self._own(body))

    def _item_at(self, body: CommentedSeq, index: int) -> Where:
        found = (body.lc.data or {}).get(index)
        return self._at(tuple(found[:2]) if found else None, self._own(body))


def build(draft: Draft) -> Script | None:
    """The Script of a complete draft; None (with the reason among the problems) when a section is missing."""
    words = draft.words
    for key in ("script", "start", "limit", "silent", "voicemail"):
        if not words.get(key):
            where = Where(draft.file, 1, 1)
            draft.problems.append(Problem(where, "schema", f"the script has no `{key}:`"))
    if not draft.nodes:
        draft.problems.append(Problem(Where(draft.file, 1, 1), "schema", "the script has no `nodes:`"))
    if any(problem.code == "schema" for problem in draft.problems):
        return None
    numbers = {k: v if k in ("accept", "floor") else int(v) for k, v in draft.policy.items()}
    return Script(
        id=words["script"],
        title=words.get("title", ""),
        version=words.get("version", "0"),
        start=words["start"],
        limit=words["limit"],
        silent=words["silent"],
        voicemail=words["voicemail"],
        nodes=draft.nodes,
        handlers=tuple(draft.handlers),
        policy=Policy(**numbers),  # type: ignore[arg-type]  # checked against the fields of Policy when read
        silence=draft.silence,
        softeners=draft.softeners,
        neutral=words.get("neutral") or NEUTRAL,
        file=draft.file,
        sha256=draft.sha256,
    )


_ALLOWED: dict[Verb, tuple[str, ...]] = {
    Verb.DISPOSITION: tuple(Disposition),
    Verb.DEFAULT_DISPOSITION: tuple(Disposition),
    Verb.STOP_CONTACT: ("number", "debtor"),
    Verb.TAKE_PROMISE: ("", "today", "near"),
    Verb.RECORD_PROMISE: ("confirmed", "unconfirmed"),
}
