"""Certain: what is known for sure at each node of a script, whatever way a call came there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from voicebot.dialog.expression import Expression
from voicebot.dialog.script import Branch, Effect, Kind, Node, Script, Verb

LASTING = ("verified", "pending.date", "callback_timed", "facts.", "offers.")
"""Names (and beginnings of names) that stay true while the talk goes on; all others are of one utterance."""
OVERDUE = "facts.overdue_days>0"
Known = frozenset[str]
NOTHING: Known = frozenset()


def certain(script: Script) -> Mapping[str, Known]:
    """For each node that can be reached, the names that hold in every call when it is entered."""
    found: dict[str, Known] = {}
    waiting = deque((start, NOTHING) for start in (script.start, script.silent, script.voicemail, script.limit))
    while waiting:
        name, known = waiting.popleft()
        if name not in script.nodes:
            continue
        before = found.get(name)
        now = known if before is None else before & known
        if now == before:
            continue
        found[name] = now
        waiting.extend(_onward(script, script.nodes[name], now))
    return found


def _onward(script: Script, node: Node, known: Known) -> Iterator[tuple[str, Known]]:
    known = after(known, node.do)
    passed = known
    for branch in node.branches:
        taken = after(passed | implied(branch.when), branch.do) | _day_taken(branch)
        yield branch.goto or (node.id if node.kind is Kind.ASK else script.limit), taken
        if not branch.hears and branch.when is not None:
            passed = passed | refuted(branch.when)
    for target in (node.goto, node.exhausted, node.silent, node.failed):
        if target:
            yield target, known
    if node.kind is Kind.ASK:
        for handler in script.handlers:
            if node.hears(handler.name):
                yield handler.goto or node.id, after(known | implied(handler.when), handler.do)


def _day_taken(branch: Branch) -> Known:
    """A day that was named and noted is known from here on."""
    noted = any(effect.verb is Verb.TAKE_PROMISE for effect in branch.do)
    named = branch.when is not None and any(
        branch.when.requires(name) for name in ("said.date", "said.soon", "said.later")
    )
    return frozenset({"pending.date"}) if noted and named else NOTHING


def implied(when: Expression | None) -> Known:
    """Lasting names that hold whenever the condition does."""
    if when is None:
        return NOTHING
    if when.op == "and":
        return frozenset().union(*(implied(part) for part in when.parts))
    if when.op == "or":
        return frozenset.intersection(*(implied(part) for part in when.parts))
    if when.op == "not":
        return refuted(when.parts[0])
    if when.op in (">", ">=") and when.parts[0].name == "facts.overdue_days":
        least = when.parts[1].literal
        return frozenset({OVERDUE}) if isinstance(least, (int, float)) and least >= (when.op == ">=") else NOTHING
    lasting = when.op == "name" and when.name.startswith(LASTING)
    known = frozenset({when.name}) if lasting else NOTHING
    return known | {"verified"} if when.op == "name" and when.name == "identity.matched" else known


def refuted(when: Expression) -> Known:
    """Lasting names that hold whenever the condition does not."""
    if when.op == "not":
        return implied(when.parts[0])
    if when.op == "or":
        return frozenset().union(*(refuted(part) for part in when.parts))
    return NOTHING


def after(known: Known, effects: Iterable[Effect]) -> Known:
    """What is certain once these effects were carried out."""
    for effect in effects:
        match effect.verb:
            case Verb.DROP_PROMISE:
                known = known - {"pending.date"}
            case Verb.TAKE_PROMISE if effect.value:
                known = known | {"pending.date"}
            case Verb.CALLBACK_SOON | Verb.CALLBACK_WEEK:
                known = known | {"callback_timed"}
            case _:
                pass
    return known
