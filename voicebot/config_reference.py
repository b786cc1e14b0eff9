"""Configuration reference: the page of all settings, made from their definitions, so that it can't be out of date."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from voicebot.config import Settings
from voicebot.config_names import ELSEWHERE, PREFIX

_SECTIONS = (
    ("Installation", r"home|database|http_listen|workers|name|drain|disk|score_model|max_calls|most_late|otlp|log"),
    ("SIP and media", r"sip_|rtp_|line_engine|public_address|tls_|allowed_peers|inbound_script|institution|peer"),
    ("Trunks", r"trunk|caller_id"),
    ("Hearing and speaking", r"recognizer|synthesizer|voice_activity"),
    ("Handing over to people", r"transfer_"),
    ("Telephones in the browser", r"softphone|ice_"),
    ("Messages", r"message_|push_|smtp_|wechat_|letters|channels|follow_up"),
    ("Evidence and recordings", r"timestamp_|vault_|recording|store|s3_|upload|local_copy"),
    ("Login", r"login|session|oidc|ldap|totp|password|lock"),
)
_HEAD = """# Configuration

Made from `voicebot/config.py` by `voicebot settings reference`; a test holds it against the code.

Every setting is a variable `VOICEBOT_…`, or a key of the TOML file that `--config` or `VOICEBOT_CONFIG` names: its name
in lower case without the prefix. A variable beats the file. A value that can't be used ends the start with its name and
what was expected; a name that nobody reads is told with the nearest one that is.
`voicebot settings show` prints what is in force.
"""


def reference() -> str:
    """The page, Markdown."""
    return "\n".join([_HEAD, *_tables(), *_elsewhere()]) + "\n"


def section_of(name: str) -> str:
    """Under which heading a setting stands."""
    return next((title for title, pattern in _SECTIONS if re.match(pattern, name)), "Further")


def _tables() -> Iterator[str]:
    fields = Settings.model_fields
    for title in [*(title for title, _ in _SECTIONS), "Further"]:
        rows = [_row(name, field) for name, field in fields.items() if section_of(name) == title]
        if rows:
            yield from (f"## {title}", "", "| variable | kind | default | meaning |", "|---|---|---|---|", *rows, "")


def _elsewhere() -> Iterator[str]:
    yield from ("## Read before the settings", "", "| variable | meaning |", "|---|---|")
    for name, meaning in ELSEWHERE.items():
        yield f"| `{name}` | {meaning} |"


def _row(name: str, field: FieldInfo) -> str:
    meaning = field.description or ""
    return f"| `{PREFIX}{name.upper()}` | {_kind(field)} | {_default(name, field)} | {_cell(meaning)} |"


def _kind(field: FieldInfo) -> str:
    kind = " or ".join(dict.fromkeys(_kinds(field.annotation)))
    bounds = [f"{sign} {value:g}" for sign, value in _bounds(field.metadata)]
    return _cell(", ".join([kind, *bounds]))


def _bounds(metadata: Iterable[Any]) -> Iterator[tuple[str, float]]:
    for rule in metadata:
        for attribute, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<")):
            if (value := getattr(rule, attribute, None)) is not None:
                yield sign, value


def _kinds(annotation: Any) -> Iterator[str]:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _kinds(part)
    elif origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin is Literal:
        yield " / ".join(f"`{value}`" for value in get_args(annotation))
    elif origin is tuple:
        inner = next(_kinds(get_args(annotation)[0]), "text")
        yield "tables" if inner == "table" else "list"
    elif annotation is not type(None):
        names = {str: "text", int: "whole number", float: "number", bool: "true / false", Path: "path"}
        yield "secret" if annotation is SecretStr else names.get(annotation, "table" if origin is dict else "text")


def _default(name: str, field: FieldInfo) -> str:
    if name == "home":
        return "`~/.voicebot`; root: `/var/lib/voicebot`"
    value = field.get_default()
    if value is None or value == () or value == "":
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{','.join(map(str, value))}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
