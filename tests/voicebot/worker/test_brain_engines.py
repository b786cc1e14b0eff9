"""Which recognisers a brain works with when the chosen one is missing, broken or fine."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.worker.brain_process import load_engines


def test_the_embedded_one_needs_nobody_behind_it() -> None:
    recognizer, standby = load_engines("embedded")
    assert (recognizer.name, standby) == ("embedded", None)


@pytest.mark.parametrize("chosen", ["sherpa:nowhere", "whisper:nowhere", "no-such-engine"])
def test_one_that_cannot_be_loaded_is_replaced_and_it_is_said(chosen: str) -> None:
    recognizer, standby = load_engines(chosen)
    assert recognizer.name == "embedded"
    assert standby is not None and standby.why.startswith(f"{chosen} can't be loaded: ")


def test_a_damaged_model_is_replaced_too(tmp_path: Path) -> None:
    (tmp_path / "model.toml").write_text('kind = "zipformer-ctc"\n')
    (tmp_path / "tokens.txt").write_text("<blk> 0\n")
    (tmp_path / "model.onnx").write_bytes(b"half a file")
    recognizer, standby = load_engines(f"sherpa:{tmp_path}")
    assert recognizer.name == "embedded"
    assert standby is not None and standby.why


def test_one_that_loads_has_the_embedded_one_behind_it() -> None:
    recognizer, standby = load_engines("remote:ws://127.0.0.1:1")
    assert recognizer.name.startswith("remote:")
    assert standby is not None and not standby.why and standby.reserve.name == "embedded"
    recognizer.close()  # type: ignore[attr-defined]
