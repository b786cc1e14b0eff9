"""Branches: which can never be taken, which take from each other, and whether conditions compare like with like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from voicebot.dialog.expression import NUMBERS, OWN, TEXTS, Expression
from voicebot.dialog.fields import Problem
from voicebot.dialog.satisfy import Bounds, can_hold, family
from voicebot.dialog.script import Branch, Handler, Kind, Node, Script, Type, Where
from voicebot.domain.outcome import Disposition
from voicebot.domain.stage import Stage
from voicebot.domain.understanding import EmotionLabel

_VALUES = {"emotion": tuple(EmotionLabel), "disposition": ("", *Disposition), "facts.stage": ("", *Stage)}
_SIGNS = ("==", "!=", "<", "<=", ">", ">=")
_SLOT_NAMES = {
    "date": ("said.date", "said.soon", "said.later", "said.new"),
    "time": ("said.time",),
    "amount": ("said.amount", "said.new", "said.everything"),
    "ratio": ("said.amount", "said.new"),
    "installments": ("said.amount", "said.new"),
    "digits": ("identity.matched", "identity.offered"),
}
_Rule = Branch | Handler


def types(script: Script, conditions: Sequence[tuple[Where, Expression]]) -> Iterator[Problem]:
    """Comparisons of a text with a number, of something that is neither, or with a word that it can never be."""
    for where, expression in conditions:
        if _type(expression, script) == "text":
            yield Problem(where, "type", f"{expression.name} is a text: compare it with one ({expression.name} == '…')")
        for part in expression.walk():
            if part.op in _SIGNS:
                yield from _comparison(where, part, script)


def _comparison(where: Where, part: Expression, script: Script) -> Iterator[Problem]:
    left, right = (_type(side, script) for side in part.parts)
    if left != right or left == "flag":
        yield Problem(
            where, "type", f"`{part.op}` compares a {left} with a {right}; only two numbers or two texts can be"
        )
    elif left == "text" and part.op not in ("==", "!="):
        yield Problem(where, "type", f"`{part.op}` is for numbers; texts are the same (==) or not (!=)")
    for one, other in (part.parts, part.parts[::-1]):
        known = _VALUES.get(one.name) if one.op == "name" else None
        if known and isinstance(other.literal, str) and other.literal not in known:
            words = ", ".join(word for word in known if word)
            yield Problem(where, "type", f"{one.name} is never {other.literal!r}; one of {words}")


def _type(expression: Expression, script: Script) -> str:
    if expression.op == "value":
        return "text" if isinstance(expression.literal, str) else "number"
    if expression.op == "call":
        return "flag" if expression.name in ("heard", "top") else "number"
    if expression.op != "name":
        return "flag"
    if expression.name.startswith(OWN):
        own = script.variables.get(expression.name.removeprefix(OWN))
        return "number" if own and own.type in (Type.AMOUNT, Type.NUMBER, Type.DAYS) else "text"
    return "number" if expression.name in NUMBERS else "text" if expression.name in TEXTS else "flag"


# -- branches that are never taken


def never_taken(script: Script) -> Iterator[Problem]:
    """Branches and handlers whose condition contradicts itself."""
    for node in script.nodes.values():
        for branch in node.branches:
            if not _possible(branch, _bounds(node, branch, script)):
                message = f"node {node.id}: this branch can never be taken, its condition contradicts itself"
                yield Problem(branch.where, "never-fires", message)
    for handler in script.handlers:
        if not _possible(handler, Bounds(handler.hears)):
            message = f"handler {handler.name} can never answer, its condition contradicts itself"
            yield Problem(handler.where, "never-fires", message)


def _bounds(node: Node, branch: Branch, script: Script) -> Bounds:
    most = {"tries": node.tries, "turns": 2 * script.policy.max_turns + 1} if node.kind is Kind.ASK else None
    return Bounds(branch.hears, most)


def _possible(rule: _Rule, bounds: Bounds) -> bool:
    return rule.when is None or can_hold([rule.when], bounds=bounds)


def shadowed(script: Script) -> Iterator[Problem]:
    """Branches behind one that is always taken first; and intents that two plain branches of a node both name."""
    for node in script.nodes.values():
        for index, later in enumerate(node.branches):
            before = next((b for b in node.branches[:index] if _covers(b, later)), None)
            if before is not None:
                message = f"node {node.id}: never tried, the branch in line {before.where.line} is taken before it"
                yield Problem(later.where, "shadowed-branch", message)
            else:
                yield from _overlap(node, node.branches[:index], later)
    handlers = script.handlers
    for index, late in enumerate(handlers):
        first = next((h for h in handlers[:index] if h.stops is late.stops and _covers(h, late)), None)
        if first is not None and first.at_least <= late.at_least:
            message = f"handler {late.name}: never tried, {first.name} (line {first.where.line}) answers before it"
            yield Problem(late.where, "shadowed-branch", message)


def _covers(earlier: _Rule, later: _Rule) -> bool:
    """Whenever `later` fits, `earlier` has fitted already."""
    if earlier.hears and not (later.hears and set(later.hears) <= set(earlier.hears)):
        return False
    if earlier.when is None:
        return True
    wanted = [later.when] if later.when else []
    return not can_hold(wanted, [earlier.when], Bounds(later.hears))


def _overlap(node: Node, earlier: Sequence[Branch], later: Branch) -> Iterator[Problem]:
    for branch in earlier:
        both = (
            [i for i in later.named if i in branch.named] if branch.when is None and branch.goto != later.goto else []
        )
        if both:
            message = f"node {node.id}: {', '.join(both)} is taken by the branch in line {branch.where.line} already"
            yield Problem(later.where, "overlapping-branches", message)


# -- what a question expects


def expectations(script: Script) -> Iterator[Problem]:
    """Answers that a question expects and nothing takes."""
    for node in script.nodes.values():
        heard, always = _heard(script, node)
        missing = [] if always else [intent for intent in node.expects if intent not in heard]
        if missing:
            message = f"node {node.id} expects {', '.join(missing)}, and no branch or handler takes it"
            yield Problem(node.place("expects"), "expected-unheard", message)
        asked = {part.name for branch in node.branches if branch.when for part in branch.when.walk()}
        noted = any(effect.verb == "take_promise" for branch in node.branches for effect in branch.do)
        for slot in node.slots:
            if not noted and not asked.intersection(_SLOT_NAMES[slot]):
                message = f"node {node.id} expects a {slot}, and no condition of its branches looks at it"
                yield Problem(node.place("slots"), "expected-unheard", message)


def _heard(script: Script, node: Node) -> tuple[set[str], bool]:
    rules: list[_Rule] = [*node.branches, *(h for h in script.handlers if node.hears(h.name))]
    heard = {intent for rule in rules for intent in rule.hears}
    for rule in rules:
        for part in rule.when.walk() if rule.when else ():
            if part.op == "call" and part.name in ("heard", "top"):
                heard |= family(part.ids)
    always = any(not b.hears and (b.when is None or b.when.name == "true") for b in node.branches)
    return heard, always
