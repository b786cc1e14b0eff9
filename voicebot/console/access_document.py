"""The access table as a document: which role may what, and what every address asks for."""

from __future__ import annotations

from collections.abc import Mapping

from voicebot.console.access import TABLE, Open, Rule
from voicebot.console.words import Words
from voicebot.domain.records import Role

_HEAD = """# Who may what

What the console and its API obey: `voicebot/console/access.py`, and the rows of the table `permissions` as the
migrations grant them. Written by `voicebot people access`; a test compares. The page `/access` shows the same for a
running installation. Masking: roles without `names` see 张* in place of a name, in pages, API and exports; telephone
numbers are masked for everybody on pages and in the API.
"""
_OPEN = {
    Open.EVERYBODY: "everybody",
    Open.THIS_MACHINE: "programs of this machine, or logged in",
    Open.LOGGED_IN: "logged in",
    Open.PERSON: "a person logged in",
    Open.ENROLLING: "a person who gave a password",
}


def access_document(permissions: Mapping[str, frozenset[str]]) -> str:
    """The document, Markdown; `permissions` by role."""
    words = Words("en")
    names = sorted({one for may in permissions.values() for one in may})
    lines = [_HEAD, "## Roles\n", _row("permission", "", *Role), _row("---", "---", *("---" for _ in Role))]
    for name in names:
        marks = ("yes" if name in permissions.get(role.value, frozenset()) else "" for role in Role)
        lines.append(_row(f"`{name}`", words(f"may.{name}"), *marks))
    lines += ["\n## Addresses\n", "Methods, the whole path as a regular expression, what it takes, and who has that.\n"]
    lines += [_row("methods", "path", "needs", "roles"), _row("---", "---", "---", "---")]
    for methods, path, rule in TABLE:
        shown = path.replace("|", "\\|")
        lines.append(_row(methods, f"`{shown}`", _OPEN[rule] if isinstance(rule, Open) else f"`{rule}`",
                          _who(rule, permissions)))  # fmt: skip
    return "\n".join(lines) + "\n"


def _who(rule: Rule, permissions: Mapping[str, frozenset[str]]) -> str:
    if isinstance(rule, Open):
        return ""
    return ", ".join(role.value for role in Role if rule in permissions.get(role.value, frozenset()))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
