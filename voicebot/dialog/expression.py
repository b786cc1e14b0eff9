"""The expression language of call scripts: `said.date and not heard(dl_callback)`. Parsed once, no eval.

expression = conjunction { "or" conjunction }
conjunction = negation { "and" negation }
negation = "not" negation | comparison
comparison = value [ ("==" | "!=" | "<=" | ">=" | "<" | ">") value ]
value = NUMBER | 'text' | NAME | FUNCTION "(" ID { "," ID } ")" | "(" expression ")"
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

NAMES: dict[str, str] = {
    "true": "always",
    "verified": "the callee proved to be the debtor",
    "danger": "the callee may harm himself",
    "emotion": "label of the emotion, for gentler words only",
    "tries": "utterances not understood at this question",
    "visits": "times this node was entered",
    "turns": "utterances and silences so far",
    "silences": "silences in a row",
    "spoke": "the callee said words that were understood",
    "identity.matched": "this utterance holds the right identity factor",
    "identity.offered": "this utterance holds an identity factor, right or wrong",
    "identity.tries": "wrong identity factors so far",
    "said.date": "this utterance names a day from today on",
    "said.soon": "this utterance names a day that a promise may lie on",
    "said.later": "this utterance names a day after today",
    "said.call": "this utterance speaks of ringing or talking again",
    "said.ring": "this utterance asks to be rung again",
    "said.ready": "this utterance asks us to go on talking",
    "said.denies": "this utterance begins with a no",
    "said.machine": "this utterance is worded like an announcement or an assistant",
    "said.amount": "this utterance names an amount or a share",
    "said.everything": "this utterance names everything that is due, or its sum",
    "said.time": "this utterance names a time of day",
    "said.past": "this utterance speaks of the past",
    "said.unclear": "a date or amount is in this utterance, but which one must be asked",
    "said.new": "this utterance changes the pending promise",
    "pending.date": "a day of payment is known",
    "pending.today": "the day of payment is today",
    "pending.amount": "an amount is known",
    "pending.partial": "less than everything is to be paid",
    "pending.needs_amount": "only a part is to be paid and nobody said how much",
    "pending.far": "the day lies beyond the horizon of the script",
    "pending.too_far": "the day lies beyond any horizon that may be recorded",
    "promised": "a promise was recorded",
    "callback": "a callback was booked",
    "callback_timed": "a callback was booked for a named time",
    "disposition": "outcome so far, or empty",
    "facts.has_case": "the call belongs to a case",
    "facts.outbound": "we rang the callee",
    "facts.agent_available": "a person can be fetched",
    "facts.overdue_days": "days overdue",
    "facts.stage": "stage of the bill: M0, S1, S2, S3, M2, M3 or M4",
    "facts.amount_fen": "total due in fen",
    "facts.split": "principal and fees are known",
    "facts.fees": "the bill holds interest or fees",
    "facts.can_verify": "the case holds an identity factor",
    "facts.credit_reported": "the case says that it was reported to the credit bureau",
    "facts.lawsuit": "the case says that a lawsuit was filed",
    "facts.visit": "the case says that a visit is arranged",
    "offers.waiver": "a part of the fees may be given up in this case",
    "offers.instalments": "this case may be paid in parts",
    "offers.extension": "this case may be paid some days later",
}
FUNCTIONS: dict[str, str] = {
    "heard": "any of these intents was accepted in this utterance; dp_* is a family",
    "top": "one of these intents is the best one",
    "times": "utterances so far in which one of these intents was accepted",
    "handled": "times a global handler took over",
    "passed": "times a node was entered",
}
NUMBERS = frozenset(
    {"tries", "visits", "turns", "silences", "identity.tries", "facts.overdue_days", "facts.amount_fen"}
)
TEXTS = frozenset({"emotion", "disposition", "facts.stage"})
"""Names whose value is a number or a text; all others hold or do not."""
OWN = "vars."
"""Before the name of a script's own variable."""
Value = bool | int | float | str | None
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|'(?P<text>[^']*)'|(?P<word>[A-Za-z_][\w.]*\*?)|(?P<sign>==|!=|<=|>=|[<>(),]))"
)
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_DEEPEST = 30


class ExpressionError(ValueError):
    """The text is not an expression; `column` counts from 0 inside it."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column


class Scope(Protocol):
    """Where names get their values from."""

    def value(self, name: str) -> Value: ...

    def call(self, function: str, ids: tuple[str, ...]) -> Value: ...


@dataclass(frozen=True, slots=True)
class Expression:
    """A node of the parsed tree: `op` is or, and, not, name, call, value or a comparison sign."""

    op: str
    parts: tuple[Expression, ...] = ()
    name: str = ""
    ids: tuple[str, ...] = ()
    literal: Value = None

    run: Callable[[Scope], Value] = field(init=False, compare=False, repr=False, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "run", self._compiled())

    def evaluate(self, scope: Scope) -> Value:
        return self.run(scope)

    def _compiled(self) -> Callable[[Scope], Value]:
        """The expression as a function: a million steps a minute leave no time to walk a tree."""
        runs = tuple(part.run for part in self.parts)
        name, ids, literal = self.name, self.ids, self.literal
        match self.op:
            case "or":
                return lambda scope: _some(runs, scope)
            case "and":
                return lambda scope: _every(runs, scope)
            case "not":
                inner = runs[0]
                return lambda scope: not inner(scope)
            case "name":
                return (lambda scope: True) if name == "true" else (lambda scope: scope.value(name))
            case "call":
                return lambda scope: scope.call(name, ids)
            case "value":
                return lambda scope: literal
        left, right = runs
        return lambda scope: self._compare(left(scope), right(scope))

    def _compare(self, left: Value, right: Value) -> bool:
        if self.op in ("==", "!="):
            return (left == right) is (self.op == "==")
        if isinstance(left, str) or isinstance(right, str) or left is None or right is None:
            return False
        return _COMPARE[self.op](left, right)

    def requires(self, name: str) -> bool:
        """True when the expression cannot hold unless `name` holds."""
        if self.op == "name":
            return self.name == name
        if self.op == "and":
            return any(part.requires(name) for part in self.parts)
        return self.op == "or" and all(part.requires(name) for part in self.parts)

    def walk(self) -> Iterator[Expression]:
        yield self
        for part in self.parts:
            yield from part.walk()

    def mentions(self, name: str) -> bool:
        return any(part.op == "name" and part.name == name for part in self.walk())


def _some(runs: tuple[Callable[[Scope], Value], ...], scope: Scope) -> bool:
    for run in runs:  # noqa: SIM110  a generator takes twice the time
        if run(scope):
            return True
    return False


def _every(runs: tuple[Callable[[Scope], Value], ...], scope: Scope) -> bool:
    for run in runs:  # noqa: SIM110
        if not run(scope):
            return False
    return True


def parse_expression(text: str) -> Expression:
    """Parse one expression; ExpressionError for anything that is none."""
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0

    def parse(self) -> Expression:
        result = self._either()
        if self._at < len(self._tokens):
            raise self._error(f"unexpected {self._tokens[self._at][1]!r}")
        return result

    def _either(self) -> Expression:
        parts = [self._both()]
        while self._take("word", "or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Expression("or", tuple(parts))

    def _both(self) -> Expression:
        parts = [self._negation()]
        while self._take("word", "and"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else Expression("and", tuple(parts))

    def _negation(self) -> Expression:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error("too deeply nested")
        inner = Expression("not", (self._negation(),)) if self._take("word", "not") else self._comparison()
        self._depth -= 1
        return inner

    def _comparison(self) -> Expression:
        left = self._value()
        for sign in ("==", "!=", *_COMPARE):
            if self._take("sign", sign):
                return Expression(sign, (left, self._value()))
        return left

    def _value(self) -> Expression:
        if self._take("sign", "("):
            inner = self._either()
            self._expect(")")
            return inner
        kind, text, _ = self._next()
        if kind == "number":
            return Expression("value", literal=float(text) if "." in text else int(text))
        if kind == "text":
            return Expression("value", literal=text)
        if kind != "word" or text in ("and", "or", "not"):
            self._at -= 1
            raise self._error(f"a value was expected, not {text!r}")
        return self._call(text) if self._take("sign", "(") else self._name(text)

    def _name(self, text: str) -> Expression:
        if text not in NAMES and not (text.startswith(OWN) and text[len(OWN) :].isidentifier()):
            self._at -= 1
            guess = difflib.get_close_matches(text, NAMES, 1, 0.75)
            hint = f"did you mean {guess[0]!r}?" if guess else "known: " + ", ".join(NAMES)
            raise self._error(f"unknown name {text!r}; {hint}")
        return Expression("name", name=text)

    def _call(self, function: str) -> Expression:
        if function not in FUNCTIONS:
            raise self._error(f"unknown function {function!r}; known: {', '.join(FUNCTIONS)}")
        ids = [self._id()]
        while self._take("sign", ","):
            ids.append(self._id())
        self._expect(")")
        return Expression("call", name=function, ids=tuple(ids))

    def _id(self) -> str:
        kind, text, _ = self._next()
        if kind != "word":
            self._at -= 1
            raise self._error(f"an id was expected, not {text!r}")
        return text

    def _next(self) -> tuple[str, str, int]:
        if self._at >= len(self._tokens):
            raise ExpressionError("the expression ends too early", len(self._text))
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, kind: str, text: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at][:2] == (kind, text):
            self._at += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._take("sign", sign):
            raise self._error(f"{sign!r} was expected")

    def _error(self, message: str) -> ExpressionError:
        at = self._tokens[self._at][2] if self._at < len(self._tokens) else len(self._text)
        return ExpressionError(message, at)


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    position = 0
    while text[position:].strip():
        found = _TOKEN.match(text, position)
        if found is None or found.lastgroup is None:
            raise ExpressionError(f"cannot read {text[position:].strip()[:20]!r}", position)
        yield found.lastgroup, found.group(found.lastgroup), found.start(found.lastgroup)
        position = found.end()
