"""From YAML text to a Script: every problem is noted with its line and column, none is raised."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from voicebot.dialog.expression import Expression, ExpressionError, parse_expression
from voicebot.dialog.fields import Fields, Problem
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
KEYS = {
    Kind.SAY: (*_COMMON, "goto"),
    Kind.BRANCH: (*_COMMON, "branches"),
    Kind.ASK: (*_COMMON, *_ASK),
    Kind.TRANSFER: (*_COMMON, "skill", "reason", "briefing", "hold", "urgent", "failed"),
    Kind.HANG_UP: _COMMON,
    Kind.MESSAGE: _COMMON,
}
"""The keys a node of each kind may have."""
EVERY_KEY = tuple(dict.fromkeys(key for keys in KEYS.values() for key in keys))
_BRANCH = ("hears", "if", "say", "do", "goto")
_HANDLER = (*_BRANCH, "at_least", "patience", "resume")
_PROMPT = ("text", "if", "interruptible")
LARGEST = 1_000_000
"""Bytes of a script file."""


@dataclass
class Draft:
    """What could be read: raw sections and the problems met. `build` makes a Script of it when complete."""

    file: str
    top: CommentedMap | None = None
    nodes: dict[str, Node] = field(default_factory=dict)
    changes: set[str] = field(default_factory=set)
    handlers: list[Handler] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    policy: dict[str, float] = field(default_factory=dict)
    silence: tuple[Prompt, ...] = ()
    softeners: dict[str, Prompt] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    places: dict[str, Where] = field(default_factory=dict)
    sha256: str = ""


def read_draft(data: bytes, file: str) -> Draft:
    """Read any bytes at all; what is wrong with them stands in `problems`."""
    draft = Draft(file, sha256=hashlib.sha256(data).hexdigest())
    start = Where(file, 1, 1)
    if len(data) > LARGEST:
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


class _Reader(Fields):
    def __init__(self, draft: Draft) -> None:
        super().__init__(draft.file, draft.problems, _TOP)
        self._draft = draft

    def read(self, top: CommentedMap) -> None:
        self.known(top, _TOP, "a script")
        for key in ("script", "title", "version", "extends", "start", "limit", "silent", "voicemail", "neutral"):
            if key in top:
                self._draft.words[key] = self.text(top, key)
                self._draft.places[key] = self.value_at(top, key)
        self._read_policy(self.map(top, "policy"))
        self._draft.silence = self._prompts(top, "silence")
        for label, _ in self.items(self.map(top, "softeners")):
            self._softener(self.map(top, "softeners"), label)
        for handler in self._maps(top, "handlers", named=True):
            self._draft.handlers.append(handler)
        nodes = self.map(top, "nodes")
        for name, _ in self.items(nodes):
            body = self.map(nodes, name)
            self._draft.nodes[name] = self._node(name, body, self.key_at(nodes, name))

    # -- sections

    def _read_policy(self, policy: CommentedMap) -> None:
        self.known(policy, tuple(Policy.__dataclass_fields__), "policy")
        for key, value in self.items(policy):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1000:
                self.problem(self.value_at(policy, key), "schema", f"policy.{key} must be a number from 0 to 1000")
            else:
                self._draft.policy[key] = float(value)

    def _softener(self, softeners: CommentedMap, label: str) -> None:
        if label not in EmotionLabel.__members__.values():
            self.problem(self.key_at(softeners, label), "unknown-emotion", f"unknown emotion {label!r}")
            return
        self._draft.softeners[label] = Prompt(self.text(softeners, label), self.value_at(softeners, label))

    def _node(self, name: str, body: CommentedMap, where: Where) -> Node:
        kind = self.choice(body, "kind", Kind, Kind.SAY)
        changes = "kind" not in body and bool(self._draft.words.get("extends"))
        if changes:  # a node of the script that this one extends: only what is said here is different
            self._draft.changes.add(name)
        elif "kind" not in body:
            self.problem(where, "schema", f"node {name} has no `kind:`; one of {', '.join(Kind)}")
        self.known(body, EVERY_KEY if changes else KEYS[kind], f"a node of kind {kind}")
        topic = self.choice(body, "topic", Topic, Topic.ANY)
        if kind is Kind.ASK and "topic" not in body and not changes:
            self.problem(where, "schema", f"node {name} listens: it needs a `topic:`; one of {', '.join(Topic)}")
        return Node(
            id=name,
            kind=kind,
            where=where,
            say=self._prompts(body, "say"),
            do=self._effects(body),
            goto=self.target(body, "goto"),
            topic=topic,
            patience_s=self.number(body, "patience", 6.0, 1.0, 60.0),
            branches=tuple(self._maps(body, "branches", named=False)),
            again=self._prompts(body, "again"),
            short=self._prompts(body, "short"),
            no_input=self._prompts(body, "no_input"),
            tries=int(self.number(body, "tries", 2, 1, 5)),
            exhausted=self.target(body, "exhausted"),
            silent=self.target(body, "silent"),
            without=self._ids(body, "without"),
            gentle=self.flag(body, "gentle", False),
            silences=int(self.number(body, "silences", 3, 1, 5)) if "silences" in body else None,
            skill=self.text(body, "skill", "general"),
            reason=self.text(body, "reason", ""),
            briefing=self.text(body, "briefing", ""),
            hold=self.text(body, "hold", ""),
            urgent=self.flag(body, "urgent", False),
            failed=self.target(body, "failed"),
            places={key: self.value_at(body, key) for key in body},
        )

    def _maps(self, parent: CommentedMap, key: str, *, named: bool) -> Iterator[Any]:
        if named:
            handlers = self.map(parent, key)
            for name, _ in self.items(handlers):
                yield self._handler(name, self.map(handlers, name), self.key_at(handlers, name))
            return
        for index, item in enumerate(self.list(parent, key)):
            where = self.item_at(parent[key], index)
            if isinstance(item, CommentedMap):
                yield self._branch(item, where)
            else:
                self.problem(where, "schema", f"an entry of `{key}:` is a mapping with `hears:`, `if:`, `goto:` …")

    def _branch(self, body: CommentedMap, where: Where) -> Branch:
        self.known(body, _BRANCH, "a branch")
        return Branch(
            where=where,
            hears=self._intents(body),
            when=self._expression(body, "if"),
            say=self._prompts(body, "say"),
            do=self._effects(body),
            goto=self.target(body, "goto"),
            goto_where=self.value_at(body, "goto"),
        )

    def _handler(self, name: str, body: CommentedMap, where: Where) -> Handler:
        self.known(body, _HANDLER, "a handler")
        return Handler(
            name=name,
            where=where,
            hears=self._intents(body),
            when=self._expression(body, "if"),
            say=self._prompts(body, "say"),
            do=self._effects(body),
            goto=self.target(body, "goto"),
            goto_where=self.value_at(body, "goto"),
            at_least=self.number(body, "at_least", 0.0, 0.0, 1.0),
            patience_s=self.number(body, "patience", 6.0, 1.0, 60.0) if "patience" in body else None,
            resume=self.flag(body, "resume", True),
        )

    # -- parts

    def _prompts(self, body: CommentedMap, key: str) -> tuple[Prompt, ...]:
        value = body.get(key)
        if value is None:
            return ()
        if isinstance(value, str):
            return (Prompt(value, self.value_at(body, key)),)
        return tuple(p for i, item in enumerate(self.list(body, key)) if (p := self._prompt(value, i, item)))

    def _prompt(self, parent: CommentedSeq, index: int, item: object) -> Prompt | None:
        where = self.item_at(parent, index)
        if isinstance(item, str):
            return Prompt(item, where)
        if not isinstance(item, CommentedMap) or not isinstance(item.get("text"), str):
            self.problem(where, "schema", "a prompt is a sentence, or a mapping with `text:` and `if:`")
            return None
        self.known(item, _PROMPT, "a prompt")
        return Prompt(item["text"], where, self._expression(item, "if"), self.flag(item, "interruptible", True))

    def _effects(self, body: CommentedMap) -> tuple[Effect, ...]:
        if body.get("do") is None:
            return ()
        found = []
        for index, item in enumerate(self.list(body, "do")):
            where = self.item_at(body["do"], index)
            if isinstance(item, str):
                found.append(self._effect(item, "", where))
            elif isinstance(item, CommentedMap) and len(item) == 1:
                verb, value = next(iter(item.items()))
                found.append(self._effect(str(verb), "" if value is None else str(value), where))
            else:
                self.problem(where, "schema", "an effect is a word or one `word: value` pair")
        return tuple(effect for effect in found if effect is not None)

    def _effect(self, verb: str, value: str, where: Where) -> Effect | None:
        if verb not in Verb.__members__.values():
            self.problem(where, "unknown-effect", f"unknown effect {verb!r}; known: {', '.join(Verb)}")
            return None
        allowed = _ALLOWED.get(Verb(verb))
        if allowed is not None and value not in allowed:
            self.problem(where, "schema", f"{verb} takes one of {', '.join(allowed)}, not {value!r}")
            return None
        return Effect(Verb(verb), value, where)

    def _intents(self, body: CommentedMap) -> tuple[str, ...]:
        found: list[str] = []
        for intent in self._ids(body, "hears"):
            matching = sorted(i for i in INTENTS if i.startswith(intent[:-1])) if intent.endswith("*") else [intent]
            if not matching or matching[0] not in INTENTS:
                self.problem(self.value_at(body, "hears"), "unknown-intent", f"unknown intent {intent!r}")
            found += matching
        return tuple(found)

    def _expression(self, body: CommentedMap, key: str) -> Expression | None:
        if body.get(key) is None:
            return None
        where = self.value_at(body, key)
        try:
            return parse_expression(str(body[key]))
        except ExpressionError as error:
            where = Where(where.file, where.line, where.column + error.column)
            self.problem(where, "expression", f"`{key}: {body[key]}`: {error}")
            return None

    def _ids(self, body: CommentedMap, key: str) -> tuple[str, ...]:
        value = body.get(key)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        for index, item in enumerate(self.list(body, key)):
            if not isinstance(item, str):
                self.problem(self.item_at(value, index), "schema", f"`{key}:` holds ids")
        return tuple(item for item in self.list(body, key) if isinstance(item, str))


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
