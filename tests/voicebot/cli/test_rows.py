"""Commands over rows: a bad row costs an error row and the exit code, never another row or the format of the output."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOW = "2026-11-24T10:00:00+08:00"
GOOD: dict[str, dict[str, Any]] = {
    "intent predict": {"id": "g", "text": "我明天还", "context": "debt"},
    "slots parse": {"id": "g", "text": "我明天还五百", "now": NOW},
    "speech check": {
        "id": "g",
        "speaker": "bot",
        "text": "您好，请问是李先生吗？",
        "context": {"identity_verified": False, "listener": "unknown", "today": "2026-11-24"},
    },
    "rules judge": {
        "id": "g",
        "now": NOW,
        "case": {"overdue_days": 3, "amount_fen": 126800, "jurisdiction": "CN"},
        "target": {"kind": "debtor", "number": "13800000000"},
        "history": [],
        "stops": [],
        "consents": [],
    },
}
BAD = ["not json", "[1, 2]", '"text"', "null", "1e999", "{" * 3000, '{"id": "b"}', '{"id": "b", "text": 5, "now": 7}']


def run(command: str, lines: list[str]) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, rows and standard error of a command that reads these lines."""
    done = subprocess.run(
        [sys.executable, "-m", "voicebot.cli", *command.split(), "-"],
        input="\n".join(lines).encode("utf-8", "surrogatepass"),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.decode().splitlines()], done.stderr.decode()


@pytest.mark.parametrize("command", GOOD)
def test_bad_rows_are_told_and_the_others_come(command: str) -> None:
    good = json.dumps(GOOD[command], ensure_ascii=False)
    lines = [good, *(line for bad in BAD for line in (bad, "", good))]
    code, rows, errors = run(command, lines)
    assert code == 1
    assert len(rows) == 1 + 2 * len(BAD), "blank lines give no row, all others one each, in order"
    assert all("error" not in row and row["id"] == "g" for row in rows[0::2]), rows
    assert all(row.get("error") for row in rows[1::2]), rows[1::2]
    assert "Traceback" not in errors


@pytest.mark.parametrize("command", GOOD)
def test_good_rows_alone_are_no_failure_and_unknown_fields_no_error(command: str) -> None:
    code, rows, _ = run(command, [json.dumps({**GOOD[command], "note": "未知"})])
    assert code == 0
    assert [row["id"] for row in rows] == ["g"]


@pytest.mark.parametrize("command", GOOD)
def test_half_characters_marks_and_no_numbers_cost_no_other_row(command: str) -> None:
    good = GOOD[command]
    half = json.dumps({**good, "id": "\ud800"})
    code, rows, errors = run(command, ["\ufeff" + json.dumps(good), half, '{"id": NaN}', json.dumps(good)])
    assert "Traceback" not in errors
    assert [row["id"] for row in rows] == ["g", "\ud800", None, "g"]
    assert ["error" in row for row in rows] == [False, False, True, False]
    assert code == 1


@pytest.mark.parametrize("way", ["file", "stdin"])
def test_rows_are_utf8_in_any_locale(way: str, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(json.dumps({**GOOD["rules judge"], "id": "甲"}, ensure_ascii=False).encode("utf-8-sig"))
    done = subprocess.run(
        [sys.executable, "-m", "voicebot.cli", "rules", "judge", str(rows) if way == "file" else "-"],
        input=rows.read_bytes(),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["id"] == "甲"


def test_a_file_that_is_not_there_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "voicebot.cli", "slots", "parse", "nowhere.jsonl"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "nowhere.jsonl" in done.stderr and "JSON Lines" in done.stderr


def test_bytes_that_are_no_utf8_cost_one_row_at_most() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "voicebot.cli", "slots", "parse", "-"],
        input=b'{"id": "x", "text": "\xff\xfe", "now": "2026-11-24T10:00:00+08:00"}\n\xff\xff\n'
        + json.dumps(GOOD["slots parse"]).encode(),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert len(rows) == 3
    assert rows[-1]["date"] == "2026-11-25"
    assert done.returncode == 1


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "ascii"])
def test_half_a_surrogate_pair_or_a_foreign_terminal_costs_no_row(encoding: str) -> None:
    rows = [{**GOOD["slots parse"], "id": "\ud800"}, {**GOOD["slots parse"], "id": "好"}]
    done = subprocess.run(
        [sys.executable, "-m", "voicebot.cli", "slots", "parse", "-"],
        input="\n".join(map(json.dumps, rows)).encode(),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding},
        timeout=60,
        check=False,
    )
    assert [json.loads(line)["id"] for line in done.stdout.decode("utf-8").splitlines()] == ["\ud800", "好"]
    assert done.returncode == 0


def test_a_bundle_that_is_none_is_invalid_and_named(tmp_path: Path) -> None:
    nothing, noise = tmp_path / "nothing.zip", tmp_path / "noise.zip"
    noise.write_bytes(os.urandom(3000))
    done = subprocess.run(
        [sys.executable, "-m", "voicebot.cli", "evidence", "verify", str(nothing), str(noise), "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [row["path"] for row in rows] == [str(nothing), str(noise)]
    assert all(not row["valid"] and row["failures"][0]["code"] for row in rows)


def test_a_recording_without_a_rate_costs_one_row(tmp_path: Path) -> None:
    still, silent = tmp_path / "still.wav", tmp_path / "silent.wav"
    shape = struct.pack("<HHIIHH", 1, 1, 0, 0, 2, 16)
    still.write_bytes(b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0" + shape + b"data\x04\0\0\0\0\0\0\0")
    with wave.open(str(silent), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(3200))
    done = subprocess.run(
        [sys.executable, "-m", "voicebot.cli", "asr", "transcribe", str(still), str(silent), "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
        check=False,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["path"], "error" in row) for row in rows] == [(str(still), True), (str(silent), False)]
    assert done.returncode == 1


def test_what_is_logged_meanwhile_does_not_stand_among_the_rows(tmp_path: Path) -> None:
    """A recognition server that is not there is told of, on standard error."""
    silent = tmp_path / "silent.wav"
    with wave.open(str(silent), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(3200))
    done = subprocess.run(
        [sys.executable, "-m", "voicebot.cli", "asr", "transcribe", str(silent), "--engine", "remote:ws://127.0.0.1:9",
         "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
        check=False,
    )  # fmt: skip
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == [""]
    assert "can't be reached" in done.stderr
    assert done.returncode == 0
