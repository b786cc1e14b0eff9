"""Each finding of the compiler is in the catalogue with an example that is found, and one where it is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from voicebot.dialog.catalogue import catalogue, pages
from voicebot.dialog.checker import check_text

PACKAGE = Path(__file__).parents[3]
PAGES = PACKAGE / "docs" / "reference" / "script-findings"
_CODES = re.compile(
    r"""(?:Problem|problem|_finding)\((?:[^"'\n]|"[a-z]+"\))*, (?:Severity.WARNING, )?"([a-z]+(?:-[a-z]+)*)", """
)
GATE = "forbidden-speech"  # found by the speech gate, which tests/voicebot/pipeline/test_script_review.py asks


def codes(text: str) -> set[str]:
    return {finding.code for finding in check_text(text, "example.yaml", [PAGES])}


@pytest.mark.parametrize("code", [c for c, entry in catalogue().items() if entry.bad and c != GATE])
def test_the_bad_example_is_found_and_the_mended_one_is_not(code: str) -> None:
    bad, mended = catalogue()[code].scripts()
    found = [finding for finding in check_text(bad, "example.yaml", [PAGES]) if finding.code == code]
    assert found and all(finding.severity.value == catalogue()[code].severity for finding in found)
    assert "example.yaml" in {finding.file for finding in found}
    assert codes(mended) == set()


def test_the_base_of_the_examples_is_without_findings() -> None:
    assert codes((PAGES / "base.yaml").read_text(encoding="utf-8")) == set()


def test_the_pages_in_the_docs_are_those_of_the_catalogue() -> None:
    written = {file.name: file.read_text(encoding="utf-8") for file in PAGES.glob("*.md")}
    assert written == pages(), "python -m voicebot.dialog.catalogue docs/reference/script-findings"


def test_every_code_that_the_compiler_can_give_has_an_entry() -> None:
    given: set[str] = set()
    for file in (PACKAGE / "voicebot" / "dialog").glob("*.py"):
        given |= set(_CODES.findall(file.read_text(encoding="utf-8")))
    assert given and given <= catalogue().keys(), given - catalogue().keys()
