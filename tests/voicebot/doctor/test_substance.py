"""What the doctor says of models, engines, scripts and the calendar."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from voicebot.config import Settings, SettingsError, models_dir
from voicebot.doctor import substance
from voicebot.doctor.finding import Health

REPOSITORY = Path(__file__).parents[3]


def test_the_sums_are_those_of_the_shipped_models() -> None:
    found = substance.models(REPOSITORY / "models")
    renew = "renew them: cd models && sha256sum FILES | tr -s ' ' > SHA256SUMS"
    assert found.health is Health.OK, f"{found.said}; {renew}"
    listed = {line.split()[1] for line in (REPOSITORY / "models" / "SHA256SUMS").read_text().splitlines()}
    kinds = (".onnx", ".npz", ".gz", ".json")
    lying = {file.name for file in (REPOSITORY / "models").iterdir() if file.suffix in kinds}
    assert listed == lying


def test_a_changed_and_a_missing_model_are_named(tmp_path: Path) -> None:
    place = tmp_path / "models"
    place.mkdir()
    for file in ("SHA256SUMS", "intent.json", "gate.npz"):
        shutil.copy(models_dir() / file, place)
    (place / "gate.npz").write_bytes(b"other")
    found = substance.models(place)
    assert found.health is Health.FAIL and "gate.npz" in found.said and "intent.onnx" in found.said
    assert "intent.json" not in found.said
    (place / "SHA256SUMS").write_bytes(b"\xff\xfe nonsense")
    assert substance.models(place).health is Health.FAIL


def test_an_engine_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(settings: Settings) -> None:  # what the preflight says, without the process that it starts
        raise SettingsError(f"VOICEBOT_RECOGNIZER={settings.recognizer}: no such model")

    monkeypatch.setattr(substance, "check_engines", refuse)
    found = substance.engines(Settings(home=tmp_path, recognizer="sherpa:nobody"))
    assert found.health is Health.FAIL and "sherpa:nobody" in found.said and "other-models" in found.remedy


def test_a_broken_script_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert substance.call_scripts().health is Health.OK
    (tmp_path / "broken.yaml").write_text("nodes: [")
    monkeypatch.setenv("VOICEBOT_SCRIPTS", str(tmp_path))
    assert "broken.yaml" in substance.call_scripts().said
    (tmp_path / "broken.yaml").unlink()
    assert substance.call_scripts().health is Health.FAIL


@pytest.mark.parametrize(
    ("today", "health"),
    [(dt.date(2026, 3, 1), Health.OK), (dt.date(2026, 12, 20), Health.WARN), (dt.date(2040, 1, 1), Health.FAIL)],
)
def test_the_year_of_the_calendar(tmp_path: Path, today: dt.date, health: Health) -> None:
    (found,) = substance.rules(Settings(home=tmp_path), today)
    assert found.check == "calendar" and found.health is health


def test_a_rule_file_that_can_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "ours.yaml").write_text(": nonsense [")
    found = list(substance.rules(Settings(home=tmp_path), dt.date(2026, 3, 1)))
    assert any(one.check == "rules" and one.health is Health.FAIL and "ours.yaml" in one.said for one in found)
