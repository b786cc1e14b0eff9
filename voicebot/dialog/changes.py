"""Changes: a node of a script that extends another may say only what is different; the rest stays as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from voicebot.dialog.fields import Problem
from voicebot.dialog.keys import EVERY_KEY, FIELDS, KEYS
from voicebot.dialog.reading import Draft
from voicebot.dialog.script import Node


def changed_nodes(draft: Draft, base: Draft) -> dict[str, Node]:
    """The nodes of `draft`, those without a `kind:` completed from `base`; problems are noted in the draft."""
    nodes = {}
    for name, node in draft.nodes.items():
        if name not in draft.changes:
            nodes[name] = node
        elif name in base.nodes:
            nodes[name] = _changed(node, base.nodes[name], draft)
        else:
            message = f"node {name} has no `kind:`, and the script that is extended has no node {name} to change"
            draft.problems.append(Problem(node.where, "schema", message))
    return nodes


def _changed(node: Node, base: Node, draft: Draft) -> Node:
    own = [key for key in node.places if key in EVERY_KEY]  # others were refused when they were read
    for key in own:
        if key not in KEYS[base.kind]:
            message = f"unknown key {key!r} in a node of kind {base.kind}; known: {', '.join(KEYS[base.kind])}"
            draft.problems.append(Problem(node.place(key), "unknown-key", message))
    said: dict[str, Any] = {FIELDS.get(key, key): getattr(node, FIELDS.get(key, key)) for key in own}
    return replace(base, where=node.where, places={**base.places, **node.places}, **said)
