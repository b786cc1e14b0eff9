"""Every sentence of a script goes through the speech gate before anybody hears it."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.config import scripts_dir
from voicebot.dialog.catalogue import catalogue
from voicebot.pipeline.script_review import review_file, review_text

PAGES = Path(__file__).parents[3] / "docs" / "reference" / "script-findings"


def found(text: str) -> list[tuple[str, int]]:
    return [(finding.code, finding.line) for finding in review_text(text, "example.yaml", [PAGES])]


def test_the_library_is_without_findings() -> None:
    assert {file.stem: review_file(file) for file in sorted(scripts_dir().glob("*.yaml")) if review_file(file)} == {}


def test_the_example_of_the_catalogue_is_found_and_its_mended_form_is_not() -> None:
    bad, mended = catalogue()["forbidden-speech"].scripts()
    assert found(bad) == [("forbidden-speech", 5)]
    assert found(mended) == []


@pytest.mark.parametrize(
    ("sentence", "codes"),
    [
        ("{text: 好的。, variants: [不还就去你单位闹。]}", ["forbidden-speech"]),
        ("{text: 好的。, firm: 不还就去你单位闹。}", ["forbidden-speech"]),
        ("{text: 法院已经立案。, if: facts.lawsuit}", []),
        ("{text: 法院已经立案。}", ["claim-without-flag", "forbidden-speech"]),
    ],
)
def test_every_wording_is_judged_and_a_claim_only_where_it_is_not_asked_for(sentence: str, codes: list[str]) -> None:
    text = f"script: example\ntitle: 例\nextends: base\nnodes:\n  confirm:\n    otherwise: [{sentence}, 有变化请说。]\n"
    assert [code for code, _ in found(text)] == codes
