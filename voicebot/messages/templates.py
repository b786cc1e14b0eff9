"""Templates: the wording of messages as data, by name, filled in from the case and the promise."""

from __future__ import annotations

import string
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from voicebot.domain.case import Case, Promise
from voicebot.domain.message import MessageKind
from voicebot.domain.money import yuan

OF_PROMISES = frozenset({"date", "amount"})
FIELDS = OF_PROMISES | {"institution", "name", "hotline"}

Templates = Mapping[str, str]


class TemplateError(ValueError):
    """The wording of messages can't be used; the sentence names file, message and remedy."""


@cache
def shipped_templates() -> Templates:
    """The wording that comes with the product."""
    return parse_templates(resources.files(__package__).joinpath("templates.yaml").read_text("utf-8"), "templates.yaml")


def load_templates(path: Path | None) -> Templates:
    """The operator's wording, and ours for what it leaves out. TemplateError."""
    if path is None:
        return shipped_templates()
    try:
        return {**shipped_templates(), **parse_templates(path.read_text("utf-8"), str(path))}
    except (OSError, UnicodeDecodeError) as error:
        remedy = "name a UTF-8 file in VOICEBOT_MESSAGE_TEMPLATES"
        raise TemplateError(f"{path} can't be read ({error}): {remedy}") from error


def parse_templates(source: str, name: str) -> Templates:
    """Read `name: wording`; what the product sends by itself must be there. TemplateError for anything else."""
    try:
        raw = YAML(typ="safe", pure=True).load(source)
    except YAMLError as error:
        raise TemplateError(f"{name} is no YAML: {error}") from error
    if not isinstance(raw, dict):
        raise TemplateError(f"{name}: `name: wording` is expected, at least for {', '.join(MessageKind)}")
    found = {}
    for kind in dict.fromkeys([*(kind.value for kind in MessageKind), *map(str, raw)]):
        wording = raw.get(kind)
        if not isinstance(wording, str) or not wording.strip():
            raise TemplateError(f"{name}: there is no wording for {kind}; add it")
        _check_fields(name, kind, wording)
        found[kind] = "".join(wording.split())
    return found


def _check_fields(name: str, kind: str, wording: str) -> None:
    try:
        fields = _fields(wording)
    except ValueError as error:
        raise TemplateError(f"{name}: {kind}: {error}; write a bare brace as {{{{ or }}}}") from error
    unknown = fields - FIELDS
    if unknown:
        raise TemplateError(f"{name}: {kind}: unknown {{{min(unknown)}}}; there are {', '.join(sorted(FIELDS))}")


def _fields(wording: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(wording) if field is not None}


def fill_in(templates: Templates, kind: str, case: Case, promise: Promise | None) -> str:
    """The text of one message. TemplateError without such a template, or without the promise that it speaks of."""
    if kind not in templates:
        raise TemplateError(f"there is no wording for {kind}: add it to VOICEBOT_MESSAGE_TEMPLATES")
    values = values_of(case, promise)
    missing = _fields(templates[kind]) - set(values)
    if missing:
        raise TemplateError(f"{kind} speaks of a promise ({{{min(missing)}}}) where none is: take another template")
    return templates[kind].format(**values)


def values_of(case: Case, promise: Promise | None) -> dict[str, str]:
    """What may stand in for {institution}, {name}, {hotline} and, of a promise, {date} and {amount}."""
    values = {"institution": case.creditor.neutral_name, "name": case.debtor.name, "hotline": case.creditor.hotline}
    if promise is not None:
        values |= {"date": f"{promise.date.month}月{promise.date.day}日", "amount": yuan(promise.amount_fen)}
    return values
