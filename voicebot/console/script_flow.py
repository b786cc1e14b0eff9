"""Script flow: a call script as the cards, chips and links that a designer reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from voicebot.dialog.expression import Expression
from voicebot.dialog.script import Branch, Handler, Node, Prompt, Script


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence of the bot; `when` is the condition under which it is said."""

    text: str
    when: Expression | None = None
    must_hear: bool = False


@dataclass(frozen=True, slots=True)
class Chip:
    """One way out of a card. `label` is the engine's name of it; `hears` intents, `when` a condition."""

    label: str
    hears: tuple[str, ...] = ()
    when: Expression | None = None
    target: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Card:
    """One node of the script. `own` is False for what the script takes over from the one it extends."""

    id: str
    kind: str
    lines: tuple[Line, ...] = ()
    chips: tuple[Chip, ...] = ()
    effects: tuple[str, ...] = ()
    gentle: bool = False
    own: bool = True
    line: int = 0

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(chip.target for chip in self.chips if chip.target))


@dataclass(frozen=True, slots=True)
class Signal:
    """A global handler: heard anywhere, it leaves the flow (`target`) or answers in passing."""

    name: str
    hears: tuple[str, ...]
    when: Expression | None
    lines: tuple[Line, ...]
    target: str | None
    own: bool
    line: int


@dataclass(frozen=True, slots=True)
class Flow:
    """A whole script as a designer sees it; `roots` are where conversations enter, the beginning first."""

    id: str
    title: str
    cards: Mapping[str, Card]
    signals: tuple[Signal, ...]
    roots: tuple[str, ...]


def flow_of(script: Script) -> Flow:
    """Total for every script that could be built, whatever the compiler thinks of it."""
    cards = {name: _card(node, script.file) for name, node in script.nodes.items()}
    signals = tuple(_signal(handler, script.file) for handler in script.handlers)
    named = (script.start, *(s.target for s in signals if s.target), script.limit, script.silent, script.voicemail)
    roots = tuple(dict.fromkeys(name for name in named if name in cards))
    return Flow(script.id, script.title, cards, signals, roots)


def _card(node: Node, file: str) -> Card:
    return Card(
        id=node.id,
        kind=node.kind.value,
        lines=_lines(node.say),
        chips=tuple(_chips(node)),
        effects=tuple(f"{e.verb.value}: {e.value}" if e.value else e.verb.value for e in node.do),
        gentle=node.gentle,
        own=_same(node.where.file, file),
        line=node.where.line,
    )


def _chips(node: Node) -> Iterator[Chip]:
    for branch in node.branches:
        yield _chip(branch)
    if node.goto:
        yield Chip("goto", target=node.goto, line=node.place("goto").line)
    for label, target in (("exhausted", node.exhausted), ("silence", node.silent), ("no agent", node.failed)):
        if target:
            key = {"silence": "silent", "no agent": "failed"}.get(label, label)
            yield Chip(label, target=target, line=node.place(key).line)


def _chip(branch: Branch) -> Chip:
    always = branch.when is not None and branch.when.name == "true"
    return Chip(branch.label, branch.hears, None if always else branch.when, branch.goto, branch.where.line)


def _signal(handler: Handler, file: str) -> Signal:
    own = _same(handler.where.file, file)
    return Signal(handler.name, handler.hears, handler.when, _lines(handler.say), handler.goto, own, handler.where.line)


def _lines(prompts: Iterable[Prompt]) -> tuple[Line, ...]:
    return tuple(Line(p.text, p.when, not p.interruptible) for p in prompts)


def _same(one: str, other: str) -> bool:
    return PurePath(one) == PurePath(other)
