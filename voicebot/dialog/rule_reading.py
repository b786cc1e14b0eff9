"""RuleReader: nodes, branches, handlers, prompts and effects of a script file, each problem with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import ScalarString

from voicebot.dialog.expression import Expression, ExpressionError, parse_expression
from voicebot.dialog.fields import Fields, Problem, near, shown
from voicebot.dialog.keys import BRANCH, EVERY_KEY, HANDLER, KEYS, PROMPT, SLOTS, TOP
from voicebot.dialog.script import Branch, Effect, Handler, Kind, Node, Prompt, Verb, Where
from voicebot.dialog.vocabulary import INTENTS
from voicebot.domain.outcome import Disposition
from voicebot.domain.stage import Tone
from voicebot.domain.understanding import Topic

_NEEDED = {
    Kind.PROMISE: ("say", "channel", "otherwise", "yes", "no"),
    Kind.RECORD: ("do", "goto"),
    Kind.SCRIPT: ("script",),
}
_RECORDING = re.compile("[a-z0-9_-]{1,80}")


class RuleReader(Fields):
    """`changing` collects nodes without `kind:`, which a script that extends another may have."""

    def __init__(self, file: str, problems: list[Problem], extends: bool) -> None:
        super().__init__(file, problems, TOP)
        self.extends = extends
        self.changing: set[str] = set()

    def node(self, name: str, body: CommentedMap, where: Where) -> Node:
        kind = self.choice(body, "kind", Kind, Kind.SAY)
        changes = "kind" not in body and self.extends
        if changes:  # a node of the script that this one extends: only what is said here is different
            self.changing.add(name)
        elif "kind" not in body:
            self.problem(where, "schema", f"node {name} has no `kind:`; one of {', '.join(Kind)}")
        self.known(body, EVERY_KEY if changes else KEYS[kind], f"a node of kind {kind}")
        if kind is Kind.ASK and "topic" not in body and not changes:
            self.problem(where, "schema", f"node {name} listens: it needs a `topic:`; one of {', '.join(Topic)}")
        if not changes:
            self._needed(name, kind, body, where)
        return self._node(name, kind, body, where)

    def _needed(self, name: str, kind: Kind, body: CommentedMap, where: Where) -> None:
        for key in _NEEDED.get(kind, ()):
            if body.get(key) is None:
                self.problem(where, "schema", f"node {name} of kind {kind} needs `{key}:`")

    def _node(self, name: str, kind: Kind, body: CommentedMap, where: Where) -> Node:
        usual_topic = Topic.PROMISE if kind is Kind.PROMISE else Topic.ANY
        return Node(
            id=name,
            kind=kind,
            where=where,
            say=self.prompts(body, "say"),
            do=self._effects(body),
            goto=self.target(body, "goto"),
            topic=self.choice(body, "topic", Topic, usual_topic),
            patience_s=self.number(body, "patience", 6.0, 1.0, 60.0),
            branches=tuple(self.branches(body)),
            again=self.prompts(body, "again"),
            short=self.prompts(body, "short"),
            no_input=self.prompts(body, "no_input"),
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
            **self._newer(body),
        )

    def _newer(self, body: CommentedMap) -> dict[str, Any]:
        return {
            "expects": self._intents(body, "expects"),
            "slots": self._slots(body),
            "barge_in": self.flag(body, "barge_in", True),
            "tone": self.tone(body),
            "channel": self.text(body, "channel", ""),
            "otherwise": self.prompts(body, "otherwise"),
            "yes": self.target(body, "yes"),
            "no": self.target(body, "no"),
            "changed": self.target(body, "changed"),
            "soft": self.target(body, "soft"),
            "script": self.text(body, "script", ""),
            "exits_to": self._exits(body),
        }

    def tone(self, body: CommentedMap) -> Tone | None:
        words = {tone.word: tone for tone in Tone}
        if body.get("tone") is None or body["tone"] in words:
            return words.get(body.get("tone", ""))
        self.problem(self.value_at(body, "tone"), "schema", f"`tone:` must be one of {', '.join(words)}")
        return None

    def _slots(self, body: CommentedMap) -> tuple[str, ...]:
        found = self._ids(body, "slots")
        for name in found:
            if name not in SLOTS:
                message = f"unknown slot {shown(name)}; known: {', '.join(SLOTS)}"
                self.problem(self.value_at(body, "slots"), "schema", message)
        return found

    def _exits(self, body: CommentedMap) -> dict[str, str]:
        exits = self.map(body, "exits_to")
        return {name: self.text(exits, name) for name, _ in self.items(exits)}

    def handlers(self, top: CommentedMap) -> Iterator[Handler]:
        handlers = self.map(top, "handlers")
        for name, _ in self.items(handlers):
            yield self._handler(name, self.map(handlers, name), self.key_at(handlers, name))

    def branches(self, body: CommentedMap) -> Iterator[Branch]:
        for index, item in enumerate(self.list(body, "branches")):
            where = self.item_at(body["branches"], index)
            if isinstance(item, CommentedMap):
                yield self._branch(item, where)
            else:
                message = "an entry of `branches:` is a mapping with `hears:`, `if:`, `goto:` …"
                self.problem(where, "schema", message)

    def _branch(self, body: CommentedMap, where: Where) -> Branch:
        self.known(body, BRANCH, "a branch")
        return Branch(
            where=where,
            hears=self._intents(body),
            when=self._expression(body, "if"),
            say=self.prompts(body, "say"),
            do=self._effects(body),
            goto=self.target(body, "goto"),
            goto_where=self.value_at(body, "goto"),
            named=self._ids(body, "hears"),
        )

    def _handler(self, name: str, body: CommentedMap, where: Where) -> Handler:
        self.known(body, HANDLER, "a handler")
        return Handler(
            name=name,
            where=where,
            hears=self._intents(body),
            when=self._expression(body, "if"),
            say=self.prompts(body, "say"),
            do=self._effects(body),
            goto=self.target(body, "goto"),
            goto_where=self.value_at(body, "goto"),
            at_least=self.number(body, "at_least", 0.0, 0.0, 1.0),
            patience_s=self.number(body, "patience", 6.0, 1.0, 60.0) if "patience" in body else None,
            resume=self.flag(body, "resume", True),
        )

    # -- parts

    def prompts(self, body: CommentedMap, key: str) -> tuple[Prompt, ...]:
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
        self.known(item, PROMPT, "a prompt")
        return Prompt(
            item["text"],
            where,
            self._expression(item, "if"),
            self.flag(item, "interruptible", True),
            self._ids(item, "variants"),
            self.text(item, "gentle", ""),
            self.text(item, "firm", ""),
            self._recording(item),
            self.flag(item, "must_hear", False),
        )

    def _recording(self, item: CommentedMap) -> str:
        name = self.text(item, "recorded", "")
        if name and not _RECORDING.fullmatch(name):
            message = f"`recorded: {shown(name)}` is no id: small letters, digits, - and _"
            self.problem(self.value_at(item, "recorded"), "schema", message)
        return name

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
                found.append(self._effect(verb, "" if value is None else value, where))
            else:
                self.problem(where, "schema", "an effect is a word or one `word: value` pair")
        return tuple(effect for effect in found if effect is not None)

    def _effect(self, verb: object, value: object, where: Where) -> Effect | None:
        if not isinstance(value, (str, int, float)):
            self.problem(where, "schema", f"the value of an effect is a word, not {shown(value)}")
            return None
        value = str(value)
        if not isinstance(verb, str) or verb not in Verb.__members__.values():
            self.problem(where, "unknown-effect", f"unknown effect {shown(verb)}; known: {', '.join(Verb)}")
            return None
        allowed = _ALLOWED.get(Verb(verb))
        if allowed is not None and value not in allowed:
            self.problem(where, "schema", f"{verb} takes one of {', '.join(allowed)}, not {shown(value)}")
            return None
        return Effect(Verb(verb), value, where)

    def _intents(self, body: CommentedMap, key: str = "hears") -> tuple[str, ...]:
        found: list[str] = []
        for index, intent in enumerate(self._ids(body, key)):
            matching = sorted(i for i in INTENTS if i.startswith(intent[:-1])) if intent.endswith("*") else [intent]
            if not matching or matching[0] not in INTENTS:
                where = self._id_at(body, key, index)
                self.problem(where, "unknown-intent", f"unknown intent {shown(intent)}{near(intent, INTENTS)}")
                continue
            found += matching
        return tuple(found)

    def _expression(self, body: CommentedMap, key: str) -> Expression | None:
        if body.get(key) is None:
            return None
        where = self.value_at(body, key)
        try:
            return parse_expression(self.text(body, key))
        except ExpressionError as error:
            quoted = isinstance(body[key], ScalarString)
            where = Where(where.file, where.line, where.column + error.column + quoted)
            self.problem(where, "expression", f"`{key}: {shown(body[key])}`: {error}")
            return None

    def _id_at(self, body: CommentedMap, key: str, index: int) -> Where:
        value = body.get(key)
        return self.item_at(value, index) if isinstance(value, CommentedSeq) else self.value_at(body, key)

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


_ALLOWED: dict[Verb, tuple[str, ...]] = {
    Verb.DISPOSITION: tuple(Disposition),
    Verb.DEFAULT_DISPOSITION: tuple(Disposition),
    Verb.STOP_CONTACT: ("number", "debtor"),
    Verb.TAKE_PROMISE: ("", "today", "near"),
    Verb.RECORD_PROMISE: ("confirmed", "unconfirmed"),
}
