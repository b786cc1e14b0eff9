"""From YAML text to a Script: every problem is noted with its line and column, none is raised."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from voicebot.dialog.fields import Problem, near, shown
from voicebot.dialog.keys import EXTRA, LANGUAGES, SOURCES, TOP, VARIABLE
from voicebot.dialog.rule_reading import RuleReader
from voicebot.dialog.script import NEUTRAL, Handler, Node, Policy, Prompt, Script, Type, Variable, Where
from voicebot.domain.stage import Stage, Tone
from voicebot.domain.understanding import EmotionLabel

_WORDS = (
    "script", "title", "version", "extends", "start", "limit", "silent", "voicemail", "neutral", "language", "voice",
)  # fmt: skip
LARGEST = 300_000
"""Bytes of a script file."""
_MOST_VALUES = 100_000
"""Values in a script with every alias written out: more is a trap, not a script."""


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
    include: tuple[tuple[str, Where], ...] = ()
    stage: Stage | None = None
    tone: Tone | None = None
    variables: dict[str, Variable] = field(default_factory=dict)
    places: dict[str, Where] = field(default_factory=dict)
    sha256: str = ""


def read_draft(data: bytes, file: str) -> Draft:
    """Read any bytes at all; what is wrong with them stands in `problems`."""
    draft = Draft(file, sha256=hashlib.sha256(data).hexdigest())
    start = Where(file, 1, 1)
    if len(data) > LARGEST:
        message = f"the script has more than {LARGEST // 1000} kB; divide it with `include:` or sub-scripts"
        draft.problems.append(Problem(start, "too-large", message))
        return draft
    top = _parsed(data, draft.problems, file)
    if draft.problems:
        return draft
    if not isinstance(top, CommentedMap):
        message = "a script is a mapping with `script:`, `start:`, `nodes:` …"
        draft.problems.append(Problem(start, "schema", message))
        return draft
    draft.top = top
    _Reader(draft, bool(top.get("extends"))).read(top)
    return draft


def _parsed(data: bytes, problems: list[Problem], file: str) -> object:
    """What the YAML library makes of it; a problem is noted for anything else than YAML of a sane size."""
    try:
        text = data.decode("utf-8-sig")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a twice-used anchor is legal YAML
            top = YAML(typ="rt").load(io.StringIO(text))
        if _weight(top, {}) <= _MOST_VALUES:
            return top
        problems.append(Problem(Where(file, 1, 1), "too-large", "aliases multiply into a script of endless size"))
    except UnicodeDecodeError as error:
        message = f"the file is not UTF-8 ({error.reason}); save it as UTF-8"
        problems.append(Problem(_at(data[: error.start].decode("utf-8", "replace"), file), "encoding", message))
    except ReaderError as error:
        message = "a control character stands here, which no text file holds; save the script as plain text"
        problems.append(Problem(_at(text[: error.position], file), "yaml", message))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Where(file, mark.line + 1, mark.column + 1) if mark else Where(file, 1, 1)
        problems.append(Problem(where, "yaml", f"not valid YAML: {error.problem or error}"))
    except Exception as error:  # the YAML library lets ValueError, RecursionError and others through
        message = f"not valid YAML: {type(error).__name__} {str(error)[:100]}"
        problems.append(Problem(Where(file, 1, 1), "yaml", message))
    return None


def _at(before: str, file: str) -> Where:
    """The place behind a text."""
    return Where(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


def _weight(value: object, known: dict[int, int]) -> int:
    """How many values there are with every alias written out; an alias of itself counts for too many."""
    if not isinstance(value, (dict, list)):
        return 1
    if id(value) not in known:
        known[id(value)] = _MOST_VALUES + 1  # until it is known: met again inside itself
        parts = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_weight(part, known) for part in parts)
    return known[id(value)]


_FIGURES = (Type.AMOUNT, Type.NUMBER, Type.DAYS)


class _Reader(RuleReader):
    def __init__(self, draft: Draft, extends: bool) -> None:
        super().__init__(draft.file, draft.problems, extends)
        self._draft = draft

    def read(self, top: CommentedMap) -> None:
        draft = self._draft
        self.known(top, TOP, "a script")
        for key in _WORDS:
            if key in top:
                draft.words[key] = self.text(top, key)
                draft.places[key] = self.value_at(top, key)
        draft.include = tuple((n, self._id_at(top, "include", i)) for i, n in enumerate(self._ids(top, "include")))
        self._read_meta(top)
        self._read_policy(self.map(top, "policy"))
        draft.silence = self.prompts(top, "silence")
        for label, _ in self.items(self.map(top, "softeners")):
            self._softener(self.map(top, "softeners"), label)
        draft.handlers += self.handlers(top)
        nodes = self.map(top, "nodes")
        for name, _ in self.items(nodes):
            body = self.map(nodes, name)
            draft.nodes[name] = self.node(name, body, self.key_at(nodes, name))
        draft.changes = self.changing

    # -- sections

    def _read_meta(self, top: CommentedMap) -> None:
        stage = str(top.get("stage", "")) if not isinstance(top.get("stage"), (dict, list)) else "?"
        if stage and stage not in list(Stage):
            self.problem(self.value_at(top, "stage"), "schema", f"`stage:` must be one of {', '.join(Stage)}")
        elif stage:
            self._draft.stage = Stage(stage)
        self._draft.tone = self.tone(top)
        self._draft.places["tone"] = self.value_at(top, "tone")
        language = self._draft.words.get("language", LANGUAGES[0])
        if language not in LANGUAGES:
            message = f"no voice speaks {shown(language)}; known: {', '.join(LANGUAGES)}"
            self.problem(self._draft.places["language"], "schema", message)
        variables = self.map(top, "variables")
        for name, _ in self.items(variables):
            self._variable(name, self.map(variables, name), self.key_at(variables, name))

    def _variable(self, name: str, body: CommentedMap, where: Where) -> None:
        self.known(body, VARIABLE, "a variable")
        source, value = self.text(body, "from", ""), self.text(body, "value", "")
        kind = self.choice(body, "type", Type, Type(SOURCES.get(source, Type.TEXT)))
        if not name.isidentifier() or not name.isascii():
            self.problem(where, "schema", f"{shown(name)} is no name of a variable: letters, digits and _")
        if bool(source) is ("value" in body):
            self.problem(where, "schema", f"variable {name} has either `value:` or `from:`")
        elif source and source not in SOURCES and not source.startswith(EXTRA):
            guess = near(source, SOURCES) or "; known: " + ", ".join((*SOURCES, EXTRA + "<key>"))
            self.problem(self.value_at(body, "from"), "schema", f"variable {name}: no {shown(source)}{guess}")
        elif source in SOURCES and kind != SOURCES[source]:
            message = f"variable {name}: {source} is of type {SOURCES[source]}, not {kind}"
            self.problem(self.value_at(body, "type"), "schema", message)
        elif value and kind in _FIGURES and not value.lstrip("-").isdigit():
            message = f"variable {name}: a value of type {kind} is a whole number, not {shown(value)}"
            self.problem(self.value_at(body, "value"), "schema", message)
        self._draft.variables[name] = Variable(name, kind, where, value, source)

    def _read_policy(self, policy: CommentedMap) -> None:
        self.known(policy, tuple(Policy.__dataclass_fields__), "policy")
        for key, value in self.items(policy):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1000:
                self.problem(self.value_at(policy, key), "schema", f"policy.{key} must be a number from 0 to 1000")
            else:
                self._draft.policy[key] = float(value)

    def _softener(self, softeners: CommentedMap, label: str) -> None:
        if label not in EmotionLabel.__members__.values():
            self.problem(self.key_at(softeners, label), "unknown-emotion", f"unknown emotion {shown(label)}")
            return
        self._draft.softeners[label] = Prompt(self.text(softeners, label), self.value_at(softeners, label))


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
        stage=draft.stage,
        tone=draft.tone,
        tone_where=draft.places.get("tone"),
        language=words.get("language", LANGUAGES[0]),
        voice=words.get("voice", ""),
        variables=draft.variables,
        file=draft.file,
        sha256=draft.sha256,
    )
