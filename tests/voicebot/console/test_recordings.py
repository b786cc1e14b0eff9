"""Finding, cutting and drawing the sound of a call."""

from __future__ import annotations

import io
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.console.recordings import (
    RangeError,
    RecordingError,
    byte_range,
    find_sound,
    inside,
    peaks,
    read,
    samples,
)
from voicebot.evidence.vault import MAGIC


def wav(pcm: np.ndarray, channels: int = 2) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(pcm.astype("<i2").tobytes())
    return out.getvalue()


def test_peaks_keep_the_loudest_sample_of_each_slice_and_channel() -> None:
    pcm = np.zeros((1000, 2), np.int16)
    pcm[250, 0], pcm[999, 1], pcm[500, 0] = -32768, 16384, 300
    outline = peaks(pcm, 8000, 4)
    assert outline.left == (0, 100, 1, 0)
    assert outline.right == (0, 0, 0, 50)
    assert outline.duration_ms == 125


@given(st.integers(0, 500), st.integers(1, 200), st.integers(1, 2))
def test_peaks_are_bounded_and_never_more_than_asked(length: int, slices: int, channels: int) -> None:
    pcm = np.random.default_rng(length).integers(-32768, 32767, (length, channels)).astype(np.int16)
    outline = peaks(pcm, 8000, slices)
    assert len(outline.left) == len(outline.right) == min(slices, length)
    assert all(0 <= peak <= 100 for peak in outline.left + outline.right)
    if length and np.abs(pcm[:, 0].astype(int)).max() > 32000:
        assert max(outline.left) >= 98


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, None),
        ("bytes=0-", (0, 99)),
        ("bytes=10-19", (10, 19)),
        ("bytes=90-500", (90, 99)),
        ("bytes=-5", (95, 99)),
        ("bytes=-500", (0, 99)),
        ("bytes=0-1,5-6", None),  # several ranges: the whole file is a right answer (RFC 9110 section 14.2)
        ("items=0-1", None),
        ("bytes=-", None),
    ],
)
def test_ranges(header: str | None, wanted: tuple[int, int] | None) -> None:
    assert byte_range(header, 100) == wanted


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=50-40", "bytes=-0"])
def test_ranges_outside_are_refused(header: str) -> None:
    with pytest.raises(RangeError):
        byte_range(header, 100)


@pytest.mark.parametrize("name", ["call.zip", "folder"])
def test_sound_is_the_same_in_a_bundle_and_in_a_folder(tmp_path: Path, name: str) -> None:
    content = wav(np.arange(800).reshape(-1, 2))
    path = tmp_path / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("a-first-file.json", "{}" * 50)
            archive.writestr("audio.wav", content)
    else:
        path.mkdir()
        (path / "audio.wav").write_bytes(content)
    sound = find_sound(path)
    assert b"".join(read(sound, 0, sound.size - 1)) == content
    assert b"".join(read(sound, 44, 47)) == content[44:48]
    pcm, rate = samples(sound)
    assert rate == 8000 and pcm.tolist() == np.arange(800).reshape(-1, 2).tolist()


@given(st.binary(max_size=300) | st.binary(max_size=40).map(MAGIC.__add__))
def test_broken_sound_is_one_error(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "audio.wav").write_bytes(content)
        try:
            samples(find_sound(Path(folder)))
        except RecordingError:
            return
        assert content[:4] == b"RIFF"


@pytest.mark.parametrize("bundle", ["../secret.zip", "/etc/passwd", ".", "", "a/../../secret.zip", "link.zip"])
def test_nothing_outside_the_recordings_is_found(tmp_path: Path, bundle: str) -> None:
    root = tmp_path / "recordings"
    root.mkdir()
    (tmp_path / "secret.zip").write_bytes(b"secret")
    (root / "link.zip").symlink_to(tmp_path / "secret.zip")
    with pytest.raises(RecordingError):
        inside(root, bundle)
