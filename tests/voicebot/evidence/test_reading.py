"""The transcript is read from the journal alone."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import FactKind
from voicebot.domain.outcome import Disposition
from voicebot.evidence.reading import TranscriptLine, read_journal, read_member, transcript_lines
from voicebot.evidence.recorder import Recorder
from voicebot.evidence.signer import Signer

from .conftest import START


@pytest.fixture
def conversation(tmp_path: Path, signer: Signer) -> Path:
    recorder = Recorder(tmp_path / "c", "c", clock=FixedClock(START), environment={})

    def pause(ticks: int) -> None:
        for _ in range(ticks):
            recorder.tick(bytes(320), bytes(320), False)

    recorder.append(FactKind.SAYING, {"utterance_id": "u1", "text": "请问是王先生本人吗", "node": "open"})
    pause(50)
    recorder.append(FactKind.SPEECH_STARTED, {})
    said = {
        "utterance_id": "u1",
        "text": "请问是王先生本人吗",
        "node": "open",
        "heard_ms": 900,
        "total_ms": 1500,
    }
    recorder.append(FactKind.SAID, {**said, "interrupted": True})
    pause(25)
    recorder.append(FactKind.HEARD, {"text": "是我", "confidence": 0.9, "start_ms": 1000, "end_ms": 1400})
    understood = {"intents": [{"id": "identity_yes", "p": 0.97}], "emotion": {"label": "neutral", "p": 0.9}}
    recorder.append(FactKind.UNDERSTOOD, understood)
    recorder.append(
        FactKind.PROMISED, {"date": dt.date(2026, 11, 27), "amount_fen": 350000, "confirmed": True}
    )
    recorder.append(FactKind.JOINED, {"agent": "1001"})
    recorder.append(FactKind.DISPOSITION, {"disposition": Disposition.PROMISE_TO_PAY, "why": "confirmed"})
    recorder.append(FactKind.ENDED, {"by": "remote", "status": 200, "reason": ""})
    return recorder.seal(signer)


def test_transcript(conversation: Path) -> None:
    assert transcript_lines(read_journal(conversation)) == [
        TranscriptLine("bot", "请问是王先生本人吗", 100, 1000, "open", interrupted=True),
        TranscriptLine("caller", "是我", 1000, 1400, None, ("identity_yes",), "neutral"),
    ]


def test_a_member_is_read_from_the_zip_or_its_folder(conversation: Path) -> None:
    assert read_member(conversation, "key.json") == read_member(conversation.parent, "key.json")
    with pytest.raises(FileNotFoundError):
        read_member(conversation, "absent.txt")
