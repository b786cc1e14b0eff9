"""Catalogue: everything the compiler can find in a script, with remedy and example; the pages are made of it.

`python -m voicebot.dialog.catalogue FOLDER` writes one page per code.
"""

from __future__ import annotations

import functools
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_DATA = Path(__file__).parent / "data" / "findings.toml"
_HEAD = "script: example\ntitle: 例\nextends: base\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding. `severity`: error (forbids use) or warning; `bad` and `mended` are scripts or ""."""

    code: str
    title: str
    why: str
    remedy: str
    severity: str = "error"
    bad: str = ""
    mended: str = ""

    def scripts(self) -> tuple[str, str]:
        """The examples as whole files."""
        return _whole(self.bad), _whole(self.mended)

    def page(self) -> str:
        """The page of this finding in the docs."""
        lines = [
            f"# `{self.code}`: {self.title}",
            "",
            f"*{self.severity}*. {self.why}",
            "",
            f"**Remedy.** {self.remedy}",
        ]
        if self.bad:
            bad, mended = self.scripts()
            lines += [
                "",
                "Found in:",
                "",
                "```yaml",
                bad.rstrip(),
                "```",
                "",
                "Mended:",
                "",
                "```yaml",
                mended.rstrip(),
            ]
            lines += ["```", "", "The examples extend [base.yaml](base.yaml). A test compiles both."]
        return "\n".join([*lines, "", "[All findings](README.md)", ""])


def _whole(body: str) -> str:
    return body if not body or body.startswith("script:") else _HEAD + body


@functools.cache
def catalogue() -> Mapping[str, Entry]:
    """Every finding by its code, in the order of the reference."""
    table = tomllib.loads(_DATA.read_text(encoding="utf-8"))
    return {code: Entry(code, **entry) for code, entry in table.items()}


def remedy(code: str) -> str:
    return catalogue()[code].remedy


def pages() -> dict[str, str]:
    """All pages by file name, with their index."""
    rows = [f"| [`{e.code}`]({e.code}.md) | {e.severity} | {e.title} |" for e in catalogue().values()]
    index = ["# What the compiler finds", "", _INDEX, "", "| code | severity | meaning |", "|---|---|---|", *rows, ""]
    return {"README.md": "\n".join(index)} | {f"{entry.code}.md": entry.page() for entry in catalogue().values()}


_INDEX = """\
`voicebot script check FILE… [--json]` names file, line and column of each finding. An error forbids the use of a
script, a warning is worth a look. `python -m voicebot.dialog.catalogue docs/reference/script-findings` makes these
pages."""


def write_pages(folder: Path) -> None:
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
