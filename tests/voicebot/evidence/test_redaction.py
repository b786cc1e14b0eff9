"""Redaction: what was taken out is gone, what stays still verifies, and nobody else can take anything out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import FactKind
from voicebot.evidence.examine import examine
from voicebot.evidence.recorder import Recorder
from voicebot.evidence.redaction import RedactionRefused, Span, redact, whole_channel
from voicebot.evidence.signer import Signer, verify_signature
from voicebot.evidence.spelling import canonical
from voicebot.evidence.stored_zip import unzip
from voicebot.evidence.vcon import to_vcon

from .conftest import START, record

Members = dict[str, bytes]


@pytest.fixture
def sealed(tmp_path: Path, signer: Signer) -> Members:
    """Four seconds; the callee tells their ID number in the second of them."""
    recorder = Recorder(tmp_path / "call", "call", clock=FixedClock(START), environment={})
    recorder.append(FactKind.STARTED, {"call_id": "call", "number_masked": "138****0000"})
    recorder.append(FactKind.DIALLED, {"to": "+8613800000000"})
    for tick in range(200):
        recorder.tick(b"\1\0" * 160, b"\2\0" * 160, False, b"\3\0" * 160 if tick > 120 else None)
        if tick == 20:
            recorder.append(FactKind.HEARD, {"text": "你好", "start_ms": 100, "end_ms": 400})
        if tick == 99:
            recorder.append(FactKind.HEARD, {"text": "四二一零", "start_ms": 1100, "end_ms": 1900})
            recorder.append(FactKind.UNDERSTOOD, {"text": "四二一零", "intents": []})
    recorder.append(FactKind.ENDED, {"by": "remote", "status": None, "reason": ""})
    return unzip(recorder.seal(signer).read_bytes())[0]


def faults(members: Members) -> set[str]:
    return {code for code, _ in examine(members, None, verify_signature)}


def taken_out(sealed: Members, signer: Signer, *spans: Span) -> Members:
    return redact(sealed, spans, by="mei", reason="ID number", signer=signer, clock=FixedClock(START))


def test_a_span_of_one_channel(sealed: Members, signer: Signer) -> None:
    copy = taken_out(sealed, signer, Span("right", 1, 2))
    assert faults(copy) == set()
    assert "四二一零".encode() not in b"".join(copy.values()) and "你好".encode() in copy["transcript.jsonl"]
    sound = np.frombuffer(copy["audio.wav"][44:], "<i2").reshape(-1, 2)
    assert (sound[:, 0] == 1).all()
    assert (sound[8000:16000, 1] == 0).all() and (np.delete(sound[:, 1], range(8000, 16000)) == 2).all()
    document = json.loads(copy["redaction.json"])
    assert (document["by"], document["reason"]) == ("mei", "ID number")


@pytest.mark.parametrize("channel", ["left", "right", "third"])
def test_a_whole_channel(sealed: Members, signer: Signer, channel: str) -> None:
    copy = taken_out(sealed, signer, whole_channel(sealed, channel))
    assert faults(copy) == set()
    sound = np.frombuffer(copy["audio.wav"][44:], "<i2").reshape(-1, 2)
    third = np.frombuffer(copy["consult.wav"][44:], "<i2")
    assert (sound.any(axis=0).tolist(), bool(third.any())) == (
        [channel != "left", channel != "right"],
        channel != "third",
    )


def test_an_alarm_that_came_later_goes_with_the_words_it_is_about(tmp_path: Path, signer: Signer) -> None:
    recorder = Recorder(tmp_path / "call", "call", clock=FixedClock(START), environment={})
    for tick in range(200):
        recorder.tick(b"\1\0" * 160, b"\2\0" * 160, False)
        if tick == 140:
            alarm = {"text": "不还钱就要坐牢", "rules": ["F04"], "start_ms": 1100, "end_ms": 1900}
            recorder.append(FactKind.GATE_ALERT, alarm)
    recorder.append(FactKind.ENDED, {"by": "remote", "status": None, "reason": ""})
    members = unzip(recorder.seal(signer).read_bytes())[0]
    copy = taken_out(members, signer, Span("left", 1, 2))
    assert faults(copy) == set() and "坐牢".encode() not in b"".join(copy.values())
    assert "坐牢".encode() in b"".join(taken_out(members, signer, Span("left", 3, 4)).values())


def test_what_stays_cannot_be_changed(sealed: Members, signer: Signer) -> None:
    copy = taken_out(sealed, signer, Span("right", 1, 2))
    wav = bytearray(copy["audio.wav"])
    wav[44 + 32000 * 2] ^= 1
    assert {"audio_altered", "hash_mismatch"} <= faults({**copy, "audio.wav": bytes(wav)})
    wav = bytearray(copy["audio.wav"])
    wav[44 + 32000 + 2] ^= 1
    assert {"redaction_bad", "hash_mismatch"} <= faults({**copy, "audio.wav": bytes(wav)})


def test_nobody_else_takes_anything_out(sealed: Members, signer: Signer) -> None:
    stranger = Signer(Ed25519PrivateKey.generate())
    assert "redaction_bad" in faults(taken_out(sealed, stranger, Span("right", 1, 2)))
    copy = taken_out(sealed, signer, Span("right", 1, 2))
    wider = json.loads(copy["redaction.json"])
    wider["spans"][0]["to"] = 3
    assert "redaction_bad" in faults({**copy, "redaction.json": canonical(wider)})
    without = {name: body for name, body in copy.items() if name != "redaction.json"}
    assert {"hash_mismatch", "audio_altered", "journal_broken"} <= faults(without)


def test_a_redaction_belongs_to_one_call(tmp_path: Path, sealed: Members, signer: Signer) -> None:
    other = unzip(record(tmp_path, "other", ticks=200).seal(signer).read_bytes())[0]
    copy = taken_out(sealed, signer, Span("left", 0, 1))
    assert "redaction_bad" in faults({**other, "redaction.json": copy["redaction.json"]})


@pytest.mark.parametrize("span", [Span("left", 2, 2), Span("left", -1, 2), Span("right", 0, 99), Span("middle", 0, 1)])
def test_impossible_spans_are_refused(sealed: Members, signer: Signer, span: Span) -> None:
    with pytest.raises(RedactionRefused):
        taken_out(sealed, signer, span)
    with pytest.raises(RedactionRefused, match="already"):
        taken_out(taken_out(sealed, signer, Span("left", 0, 1)), signer, Span("left", 1, 2))


def test_a_vcon_holds_the_call(sealed: Members) -> None:
    """draft-ietf-vcon-vcon-core-04: parties, one recording with its hash, the transcript."""
    vcon = json.loads(json.dumps(to_vcon(sealed)))
    assert [party["role"] for party in vcon["parties"]] == ["agent", "customer"]
    assert vcon["parties"][1]["tel"] == "+8613800000000"
    (recording,) = vcon["dialog"]
    assert (recording["type"], recording["duration"], recording["encoding"]) == ("recording", 4.0, "base64url")
    assert [row["text"] for row in json.loads(vcon["analysis"][0]["body"])] == ["你好", "四二一零"]
    masked = to_vcon(sealed, masked=True)
    assert masked["parties"][1]["tel"] == "138****0000" and "13800000000" not in json.dumps(masked["parties"])
    assert masked["uuid"] == vcon["uuid"]
