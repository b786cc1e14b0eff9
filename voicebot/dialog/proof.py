"""Proofs about a script as a graph: references, reachability, ends, discretion, mandatory parts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from voicebot.dialog.branch_proof import never_taken, types
from voicebot.dialog.expression import OWN, Expression
from voicebot.dialog.fields import Problem, near
from voicebot.dialog.prompts import VARIABLE, all_prompts, discloses, variables_of
from voicebot.dialog.script import EVERY_HANDLER, Handler, Kind, Node, Prompt, Script, Where
from voicebot.dialog.speech_proof import speech_errors
from voicebot.dialog.vocabulary import DEBT_VARIABLES, INTENTS, MANDATORY_HANDLERS, OPEN_VARIABLES

_GUARDS = ("verified", "identity.matched")
_FINAL = (Kind.HANG_UP, Kind.MESSAGE)


def examine(script: Script) -> list[Problem]:
    """Everything that forbids the use of a script; empty when it may be published."""
    dangling = list(_references(script))
    conditions = list(_conditions(script))
    undeclared = list(_undeclared(script, conditions))
    problems = [*dangling, *_expressions(script), *undeclared, *_variables(script), *_mandatory(script)]
    problems += types(script, conditions)
    if dangling or undeclared:
        return problems
    problems += [*never_taken(script), *speech_errors(script)]
    return [*problems, *_flow(script), *_discretion(script), *_opening(script), *_human(script)]


def _undeclared(script: Script, conditions: list[tuple[Where, Expression]]) -> Iterator[Problem]:
    for where, condition in conditions:
        for part in condition.walk():
            name = part.name.removeprefix(OWN)
            if part.op == "name" and part.name.startswith(OWN) and name not in script.variables:
                message = f"{part.name}: the script declares no variable {name} under `variables:`"
                yield Problem(where, "unknown-variable", message + near(name, script.variables))


def _references(script: Script) -> Iterator[Problem]:
    for key in ("start", "limit", "silent", "voicemail"):
        target = getattr(script, key)
        if target not in script.nodes:
            yield Problem(Where(script.file, 1, 1), "unknown-node", f"`{key}: {target}` names no node")
    names = {handler.name for handler in script.handlers} | {EVERY_HANDLER}
    for rule in script.handlers:
        yield from _target(script, rule.goto, rule.goto_where or rule.where)
    for node in script.nodes.values():
        for key in ("goto", "exhausted", "silent", "failed"):
            yield from _target(script, getattr(node, key), node.place(key))
        for branch in node.branches:
            yield from _target(script, branch.goto, branch.goto_where or branch.where)
        for name in node.without:
            if name not in names:
                yield Problem(
                    node.place("without"), "unknown-handler", f"node {node.id}: `without: {name}` names no handler"
                )


def _target(script: Script, target: str | None, where: Where) -> Iterator[Problem]:
    if target is not None and target not in script.nodes:
        message = f"goto {target!r}: there is no such node" + near(target, script.nodes)
        yield Problem(where, "unknown-node", message)


def _expressions(script: Script) -> Iterator[Problem]:
    names = {handler.name for handler in script.handlers}
    known: Mapping[str, frozenset[str] | set[str]] = {
        "heard": INTENTS,
        "top": INTENTS,
        "times": INTENTS,
        "handled": names,
        "passed": set(script.nodes),
    }
    for where, expression in _conditions(script):
        for part in expression.walk():
            for name in part.ids:
                if part.op == "call" and not _known(name, known[part.name], part.name in _FAMILIES):
                    yield Problem(where, f"unknown-{_KIND_OF[part.name]}", f"{part.name}({name}): unknown id {name!r}")
    yield from _emotions(script)


def _known(name: str, known: frozenset[str] | set[str], families: bool) -> bool:
    return any(k.startswith(name[:-1]) for k in known) if families and name.endswith("*") else name in known


_FAMILIES = ("heard", "top")
_KIND_OF = {"heard": "intent", "top": "intent", "times": "intent", "handled": "handler", "passed": "node"}


def _emotions(script: Script) -> Iterator[Problem]:
    """Emotion may only soften: a branch that looks at it has to lead to a gentle node."""
    for node in script.nodes.values():
        for branch in node.branches:
            target = script.nodes.get(branch.goto or node.id)
            if branch.when and branch.when.mentions("emotion") and not (target and target.gentle):
                message = f"node {node.id}: a branch on emotion may only lead to a node with `gentle: true`"
                yield Problem(branch.where, "emotion-hardens", message)
    for handler in script.handlers:
        if handler.when and handler.when.mentions("emotion") and handler.stops:
            message = f"handler {handler.name}: emotion alone may not decide where the call goes"
            yield Problem(handler.where, "emotion-hardens", message)


def _conditions(script: Script) -> Iterator[tuple[Where, Expression]]:
    for prompt in all_prompts(script):
        if prompt.when:
            yield prompt.where, prompt.when
    for handler in script.handlers:
        if handler.when:
            yield handler.where, handler.when
    for node in script.nodes.values():
        for branch in node.branches:
            if branch.when:
                yield branch.where, branch.when


def _variables(script: Script) -> Iterator[Problem]:
    known = (*OPEN_VARIABLES, *DEBT_VARIABLES, *script.variables)
    for prompt in all_prompts(script):
        for name in variables_of("".join(prompt.texts)):
            if name not in known:
                hint = near(name, known) or "; known: " + ", ".join(known)
                yield Problem(prompt.where, "unknown-variable", f"unknown variable {{{name}}}{hint}")
        plain = VARIABLE.sub("", "".join(prompt.texts))
        latin = next((c for c in plain if c.isascii() and c.isalnum()), None)
        if latin:
            message = f"{latin!r} cannot be read aloud: write hanzi (人工智能, 幺二三)"
            yield Problem(prompt.where, "unspeakable", message)


def _mandatory(script: Script) -> Iterator[Problem]:
    names = {handler.name for handler in script.handlers}
    for name in MANDATORY_HANDLERS:
        if name not in names:
            message = f"the script has no handler `{name}:`; every script must be able to meet it"
            yield Problem(Where(script.file, 1, 1), "missing-handler", message)


# -- the flow


def _flow(script: Script) -> Iterator[Problem]:
    reached = reachable(script)
    for node in script.nodes.values():
        if node.id not in reached:
            if node.where.file != script.file:
                continue  # taken over with `extends:` and not needed here
            yield Problem(node.where, "unreachable", f"node {node.id} cannot be reached; link it or delete it")
        elif not node.exits and node.kind not in _FINAL:
            yield Problem(node.where, "dead-end", f"node {node.id} leads nowhere; give it a `goto:` or branches")
        elif node.kind is Kind.TRANSFER and node.failed is None:
            yield Problem(node.where, "dead-end", f"node {node.id} has no `failed:` for when nobody can be fetched")
        elif node.kind is Kind.BRANCH and not _always(node):
            message = f'node {node.id}: the last branch must always hold (`if: "true"`)'
            yield Problem(node.where, "dead-end", message)
    ending = _ending(script)
    for node in script.nodes.values():
        if node.id in reached and node.id not in ending and node.exits:
            yield Problem(node.where, "endless", f"node {node.id} is in a loop that never ends the call")
    yield from _spinning(script)


def _always(node: Node) -> bool:
    last = node.branches[-1] if node.branches else None
    return last is not None and not last.hears and (last.when is None or last.when.name == "true")


def _spinning(script: Script) -> Iterator[Problem]:
    """A circle of nodes that neither listens nor branches on anything would speak for ever."""
    for node in script.nodes.values():
        seen, current = {node.id}, node
        while current.kind in (Kind.SAY, Kind.RECORD) and current.goto is not None:
            if current.goto in seen:
                yield Problem(node.where, "endless", f"node {node.id} goes round in a circle without listening")
                break
            seen.add(current.goto)
            current = script.nodes[current.goto]


def reachable(script: Script) -> set[str]:
    """Nodes that some call can come to."""
    return set(_paths(script, guarded=False))


def _ending(script: Script) -> set[str]:
    """Nodes from which some way leads to the end of the call."""
    ending = {node.id for node in script.nodes.values() if node.kind in _FINAL}
    grown = True
    while grown:
        grown = False
        for node in script.nodes.values():
            if node.id not in ending and any(target in ending for target in node.exits):
                ending.add(node.id)
                grown = True
    return ending


def _paths(script: Script, *, guarded: bool) -> dict[str, tuple[str, ...]]:
    """Every reachable node with the shortest way to it; `guarded`: only ways on which nobody was verified."""
    ways: dict[str, tuple[str, ...]] = {}
    starts = (script.start, script.silent, script.voicemail, script.limit)
    waiting: deque[tuple[str, tuple[str, ...]]] = deque((start, (start,)) for start in starts)
    while waiting:
        name, way = waiting.popleft()
        if name in ways or name not in script.nodes:
            continue
        ways[name] = way
        for label, target in _steps(script, script.nodes[name], guarded=guarded):
            waiting.append((target, (*way, f"{label}→{target}")))
    return ways


def _steps(script: Script, node: Node, *, guarded: bool) -> Iterator[tuple[str, str]]:
    for branch in node.branches:
        if branch.goto and not (guarded and _needs_proof(branch.when)):
            yield "", branch.goto
    for target in (node.goto, node.exhausted, node.silent, node.failed):
        if target:
            yield "", target
    if node.kind is not Kind.ASK:
        return
    for handler in script.handlers:
        if handler.goto and node.hears(handler.name) and not (guarded and _needs_proof(handler.when)):
            yield f"[{handler.name}]", handler.goto


def _needs_proof(when: Expression | None) -> bool:
    return when is not None and any(when.requires(guard) for guard in _GUARDS)


# -- identity before debt


def _discretion(script: Script) -> Iterator[Problem]:
    ways = _paths(script, guarded=True)
    for name, way in ways.items():
        node = script.nodes[name]
        prompts = [*node.say, *node.again, *node.short, *node.no_input]
        prompts += [p for b in node.branches if not _needs_proof(b.when) for p in b.say]
        yield from _guard(script, prompts, f"on the way {' '.join(way)}")
        if node.hold:
            yield from _guard(script, [Prompt(node.hold, node.where)], f"on the way {' '.join(way)}")
    for handler in script.handlers:
        if not _needs_proof(handler.when):
            yield from _guard(script, handler.say, f"in handler {handler.name}, which is not bound to `verified`")
    everywhere = [*script.silence, *script.softeners.values(), Prompt(script.neutral, Where(script.file, 1, 1))]
    yield from _guard(script, everywhere, "which can be spoken anywhere")


def _guard(script: Script, prompts: Sequence[Prompt], place: str) -> Iterator[Problem]:
    telling = script.telling
    for prompt in prompts:
        found = [discloses(text, telling) for text in prompt.texts]
        word = None if _needs_proof(prompt.when) else next((word for word in found if word), None)
        if word:
            message = f"{word!r} would be said before identity is verified, {place}; ask for identity first"
            yield Problem(prompt.where, "debt-before-identity", message)


# -- what every call owes the callee


def _opening(script: Script) -> Iterator[Problem]:
    first = script.nodes[script.start]
    text = "".join(_first_turn(script))
    for code, words in (
        ("opening-institution", ("{institution}",)),
        ("opening-ai", ("人工智能",)),
        ("opening-recording", ("录音",)),
    ):
        if not any(word in text for word in words):
            message = f"the first words (node {first.id}) must contain {' or '.join(words)}"
            yield Problem(first.where, code, message)


def _first_turn(script: Script) -> Iterator[str]:
    """The unconditional words until the call first listens, branches or ends."""
    name, seen = script.start, set[str]()
    while name in script.nodes and name not in seen:
        seen.add(name)
        node = script.nodes[name]
        yield from (prompt.text for prompt in node.say if prompt.when is None)
        name = node.goto or "" if node.kind in (Kind.SAY, Kind.RECORD) else ""


def _human(script: Script) -> Iterator[Problem]:
    """A person must be reachable from every place that listens, a crisis (which fetches one itself) aside."""
    human = script.handler("human")
    if human is None:
        return
    if not _leads_to_person(script, human):
        yield Problem(human.where, "no-human", "the handler `human` does not lead to a transfer")
    for node in script.nodes.values():
        if node.kind is Kind.ASK and not node.hears("human") and EVERY_HANDLER not in node.without:
            yield Problem(node.place("without"), "no-human", f"node {node.id} turns the handler `human` off")
        if node.kind is Kind.ASK and EVERY_HANDLER in node.without and not _reaches_transfer(script, node.id):
            yield Problem(node.where, "no-human", f"node {node.id} hears no handler and never fetches a person")


def _leads_to_person(script: Script, handler: Handler) -> bool:
    return handler.goto is not None and _reaches_transfer(script, handler.goto)


def _reaches_transfer(script: Script, start: str) -> bool:
    seen, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        node = script.nodes[name]
        if node.kind is Kind.TRANSFER:
            return True
        waiting.extend(node.exits)
    return False
