"""Script text: the YAML of a call script, changed card by card without touching comments, order or anything else."""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from voicebot.console.script_fields import (
    BRANCH_TEXTS,
    FLAGS,
    NUMBERS,
    PROMPTS,
    TEXTS,
    Form,
    form_of,
    prompts_of,
)

NEW_CARD = "请问您方便说话吗？"


class ScriptTextError(ValueError):
    """The YAML cannot be changed card by card; the sentence says why."""


class ScriptText:
    """One script's YAML; `base` is the one it extends, from which cards are taken over."""

    def __init__(self, text: str, base: ScriptText | None = None) -> None:
        """ScriptTextError for what is no mapping in YAML."""
        self._yaml = YAML(typ="rt")
        self._yaml.preserve_quotes = True
        self._yaml.width = 1_000_000
        self._yaml.indent(mapping=2, sequence=4, offset=2)
        self.base = base
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                top = self._yaml.load(io.StringIO(text))
        except (YAMLError, ValueError, RecursionError) as error:
            raise ScriptTextError(f"not valid YAML: {str(error).splitlines()[0]}") from error
        if not isinstance(top, CommentedMap):
            raise ScriptTextError("a script is a mapping with `script:`, `start:`, `nodes:` …")
        self._top = top

    @property
    def extends(self) -> str:
        return str(self._top.get("extends") or "")

    def text(self) -> str:
        written = io.StringIO()
        self._yaml.dump(self._top, written)
        return written.getvalue()

    def card(self, name: str) -> Form | None:
        """What the form of a card holds, with what it takes over from the base; None for no such card."""
        return self._form("nodes", name)

    def signal(self, name: str) -> Form | None:
        return self._form("handlers", name)

    def own(self, section: str, name: str) -> bool:
        return name in self._section(section)

    def write(self, section: str, name: str, form: Form) -> None:
        """Take over what differs from what stands there now. ScriptTextError for a card that does not exist."""
        before = self._form(section, name)
        if before is None:
            raise ScriptTextError(f"there is no {name}")
        body = self._section(section).get(name)
        if not isinstance(body, CommentedMap):
            body = self._begun(section, name)
        for key, value in form.items():
            if value != before.get(key):
                self._put(body, key, value)

    def add(self, name: str, kind: str, goto: str = "") -> None:
        """A new card at the end of the flow."""
        if self._form("nodes", name) is not None:
            raise ScriptTextError(f"there is a card {name} already")
        body = CommentedMap(kind=kind)
        if kind == "ask":
            body.update(
                topic="any", say=NEW_CARD, branches=CommentedSeq([CommentedMap(hears=_flow(["m_affirm"]), goto=goto)])
            )
            body["exhausted"] = goto
        elif kind in ("say", "transfer"):
            body["say"] = NEW_CARD
            if kind == "say" and goto:
                body["goto"] = goto
        elif kind == "branch":
            body["branches"] = CommentedSeq([CommentedMap({"if": "true", "goto": goto})])
        self._section("nodes", make=True)[name] = body

    def remove(self, section: str, name: str) -> None:
        """Take a card out; one that overrode the base's falls back to it."""
        if name not in self._section(section):
            raise ScriptTextError(f"{name} comes from the script that this one extends; it can be changed, not removed")
        del self._section(section)[name]

    # -- parts

    def _section(self, section: str, make: bool = False) -> Any:
        found = self._top.get(section)
        if not isinstance(found, CommentedMap):
            found = CommentedMap()
            if make:
                self._top[section] = found
        return found

    def _form(self, section: str, name: str) -> Form | None:
        inherited = self.base._form(section, name) if self.base else None
        body = self._section(section).get(name)
        if not isinstance(body, Mapping):
            return inherited
        if inherited is not None and "kind" not in body and section == "nodes":
            return inherited | {key: value for key, value in form_of(body).items() if key in body}
        return form_of(body)

    def _begun(self, section: str, name: str) -> CommentedMap:
        """What is changed of an inherited card stands alone; an inherited signal is written whole."""
        body = CommentedMap()
        if section == "handlers" and self.base is not None:
            body = CommentedMap(_plain(self.base._whole(section, name)))
        self._section(section, make=True)[name] = body
        return body

    def _whole(self, section: str, name: str) -> Any:
        body = self._section(section).get(name)
        return body if isinstance(body, Mapping) or self.base is None else self.base._whole(section, name)

    def _put(self, body: CommentedMap, key: str, value: Any) -> None:
        if key in PROMPTS:
            _put_or_drop(body, key, _prompts(body.get(key), value))
        elif key == "branches":
            body[key] = self._branches(body.get(key), value)
        elif key in ("hears", "without"):
            _put_or_drop(body, key, _flow(value) if value else None)
        elif key == "do":
            _put_or_drop(body, key, _effects(value))
        elif key in NUMBERS:
            _put_or_drop(body, key, _number(value))
        elif key in FLAGS:
            body[key] = bool(value)
        elif key in (*TEXTS, "kind", "if"):
            _put_or_drop(body, key, str(value).strip() or None)

    def _branches(self, before: Any, rows: Sequence[Mapping[str, Any]]) -> CommentedSeq:
        """Rows know where they stood, so that what the form does not show stays with them."""
        kept = list(before) if isinstance(before, list) else []
        shared = isinstance(before, CommentedSeq) and before.anchor.value is not None
        written = CommentedSeq()
        for row in rows:
            at = row.get("at")
            old = kept[at] if isinstance(at, int) and 0 <= at < len(kept) else None
            branch = CommentedMap(_plain(old)) if shared and old is not None else old
            branch = branch if isinstance(branch, CommentedMap) else CommentedMap()
            was = form_of(branch)
            for key in ("hears", *BRANCH_TEXTS, "do", "say"):
                if row.get(key, was.get(key)) != was.get(key):
                    self._put(branch, key, row[key])
            if "goto" in row and (row["goto"] or "") != (was.get("goto") or ""):
                _put_or_drop(branch, "goto", row["goto"] or None)
            written.append(branch)
        return written


def _put_or_drop(body: CommentedMap, key: str, value: Any) -> None:
    if value in (None, "", []):
        body.pop(key, None)
    else:
        body[key] = value


def _prompts(before: Any, rows: Sequence[Mapping[str, Any]]) -> Any:
    items = before if isinstance(before, list) else [before] if before is not None else []
    was = prompts_of(before)
    written: list[Any] = []
    for row in rows:
        at = row.get("at")
        known = isinstance(at, int) and 0 <= at < len(items)
        old = items[at] if known and at is not None else None
        if known and at is not None and dict(row) == was[at]:
            written.append(old)
        elif str(row.get("text", "")).strip():
            written.append(_prompt(old, row))
    if not written:
        return None
    if len(written) == 1 and isinstance(written[0], str) and not isinstance(before, list):
        return written[0]
    return CommentedSeq(written)


def _prompt(old: Any, row: Mapping[str, Any]) -> Any:
    text, when, must = str(row["text"]).strip(), str(row.get("if", "")).strip(), bool(row.get("must_hear"))
    if not isinstance(old, CommentedMap) and not when and not must:
        return text
    item = _plain(old) if isinstance(old, CommentedMap) else CommentedMap()
    item["text"] = text
    _put_or_drop(item, "if", when or None)
    if must:
        item["interruptible"] = False
    else:
        item.pop("interruptible", None)
    return item


def _effects(lines: Iterable[str]) -> CommentedSeq | None:
    written = CommentedSeq()
    for line in lines:
        verb, colon, value = (part.strip() for part in str(line).partition(":"))
        if verb:
            written.append(CommentedMap({verb: value}) if colon else verb)
    return written or None


def _flow(ids: Iterable[str]) -> CommentedSeq:
    sequence = CommentedSeq(str(item) for item in ids)
    sequence.fa.set_flow_style()
    return sequence


def _number(value: Any) -> float | int | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return int(number) if number.is_integer() else number


def _plain(value: Any) -> Any:
    """A copy without anchors, so that a change here changes nothing elsewhere."""
    if isinstance(value, Mapping):
        return CommentedMap((key, _plain(item)) for key, item in value.items())
    if isinstance(value, list):
        plain = CommentedSeq(_plain(item) for item in value)
        if isinstance(value, CommentedSeq) and value.fa.flow_style():
            plain.fa.set_flow_style()
        return plain
    return copy.copy(value)
