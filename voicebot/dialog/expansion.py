"""Expansion: nodes that people write as one become plain nodes: promise locks, and sub-scripts put in their place.

A sub-script's node `ask` of the node `identity` is called `identity/ask`; its `goto: "@passed"` leads to where
`exits_to: {passed: debt}` of that node says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from voicebot.dialog.expression import parse_expression
from voicebot.dialog.fields import Problem
from voicebot.dialog.script import Branch, Effect, Kind, Node, Prompt, Verb, Where

EXIT = "@"
_TARGETS = ("goto", "exhausted", "silent", "failed", "yes", "no", "changed", "soft")
_CHANGED = parse_expression("said.new and (said.date or said.amount) and not heard(dl_callback, rf_flat)")
_DENIED = parse_expression("said.denies or not heard(m_affirm, ptp_confirm)")
_CLEAR = parse_expression("not said.unclear or heard(m_affirm, ptp_confirm)")
_NO = (
    "m_deny", "ptp_modify", "rf_flat", "rf_cold", "dl_check", "dl_consult", "dl_callback", "dl_later", "ptp_vague",
    "ptp_conditional", "ptp_payday",
)  # fmt: skip
_YES = ("m_affirm", "ptp_confirm", "ptp_today", "ptp_date", "id_confirm_self", "ptp_autodebit", "m_bye")


def promise_locks(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """The nodes with every lock written out: read back, the last correction wins, else only a soft promise."""
    found: dict[str, Node] = {}
    for node in nodes.values():
        for part in _lock(node) if node.kind is Kind.PROMISE else (node,):
            found[part.id] = part
    return found


def _lock(node: Node) -> Iterator[Node]:
    yes, no = node.yes or "", node.no or ""
    changed, soft = node.changed or node.id, f"{node.id}/soft"
    where = node.where

    def branch(goto: str, do: Verb, value: str = "", say: tuple[Prompt, ...] = (), **rule: object) -> Branch:
        return Branch(where, say=say, do=(Effect(do, value, where),), goto=goto, goto_where=where, **rule)  # type: ignore[arg-type]

    lock = (
        branch(changed, Verb.TAKE_PROMISE, when=_CHANGED),
        branch(no, Verb.DROP_PROMISE, hears=_NO, when=_DENIED),
        branch(f"{node.id}/kept", Verb.RECORD_PROMISE, "confirmed", hears=_YES, when=_CLEAR),
    )
    yield replace(
        node,
        kind=Kind.ASK,
        branches=(*node.branches, *lock),
        exhausted=node.exhausted or soft,
        otherwise=(),
        yes=None,
        no=None,
        changed=None,
        soft=None,
    )
    kept = Node(f"{node.id}/kept", Kind.SAY, where, say=node.otherwise, goto=yes, gentle=node.gentle)
    yield kept
    record = (Effect(Verb.RECORD_PROMISE, "unconfirmed", where),)
    yield replace(kept, id=soft, do=record, say=(), goto=node.soft or yes)


def sub_scripts(
    nodes: Mapping[str, Node],
    read: Callable[[str, Where], tuple[Mapping[str, Node], str] | None],
    problems: list[Problem],
) -> dict[str, Node]:
    """The nodes with every `kind: script` replaced by the nodes of that script. `read` gives them and the start."""
    found: dict[str, Node] = {}
    for node in nodes.values():
        if node.kind is not Kind.SCRIPT:
            found[node.id] = node
            continue
        part = read(node.script, node.place("script"))
        if part is not None:
            inner, start = part
            found[node.id] = Node(node.id, Kind.RECORD, node.where, goto=f"{node.id}/{start}")
            moved = [_moved(other, node, problems) for other in inner.values()]
            found |= {other.id: other for other in moved}
    return found


def _moved(node: Node, caller: Node, problems: list[Problem]) -> Node:
    def target(name: str | None, where: Where) -> str | None:
        if name is None or not name.startswith(EXIT):
            return name and f"{caller.id}/{name}"
        if name[1:] in caller.exits_to:
            return caller.exits_to[name[1:]]
        message = f"node {caller.id}: sub-script {caller.script} leaves by {name}; say in `exits_to:` where to"
        problems.append(Problem(caller.where, "sub-script", message))
        return None

    named: dict[str, Any] = {key: target(getattr(node, key), node.place(key)) for key in _TARGETS}
    branches = tuple(replace(b, goto=target(b.goto, b.goto_where or b.where)) for b in node.branches)
    return replace(node, id=f"{caller.id}/{node.id}", branches=branches, **named)
