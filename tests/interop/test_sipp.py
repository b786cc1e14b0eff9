"""SIPp, a stack we did not write, calls: it is heard, and it hears."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sip.codec import PCMU
from voicebot.domain.journal import FactKind
from voicebot.evidence.reading import read_audio
from voicebot.tts.synthesizer import load_synthesizer

from .installation import Installation, free_port
from .peers import requires
from .phone import loud_frames

pytestmark = requires("sipp")

SCENARIO = (Path(__file__).parent / "caller.xml").read_text()


async def call(served: Installation, folder: Path, *extra: str, sound: Path | None = None, ms: int) -> None:
    """One call of SIPp; fails with what SIPp said when SIPp was not content with ours."""
    action = f'<nop><action><exec rtp_stream="{sound},1,0"/></action></nop>' if sound else ""
    scenario = folder / "caller.xml"
    scenario.write_text(SCENARIO.replace("<!-- sound -->", action))
    host, port = served.sip
    media = str(free_port(socket.SOCK_DGRAM))
    ours = ("-i", host, "-p", str(free_port(socket.SOCK_DGRAM)), "-mi", host, "-mp", media)
    process = await asyncio.create_subprocess_exec(
        "sipp", f"{host}:{port}", "-sf", str(scenario), "-s", "reception", *ours, "-m", "1", "-d", str(ms),
        "-nostdin", "-timeout", "60", "-timeout_error", "-trace_err", *extra,
        cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, errors = await asyncio.wait_for(process.communicate(), 70)
    assert process.returncode == 0, f"SIPp ended with {process.returncode}: {errors.decode()}{complaints(folder)}"


def complaints(folder: Path) -> str:
    return "".join(log.read_text(errors="replace") for log in folder.glob("*errors.log"))


async def test_a_recorded_debtor_is_heard_and_the_opening_is_said(
    served: Installation, tmp_path: Path
) -> None:
    sound = tmp_path / "debtor.ulaw"
    question = load_synthesizer().synthesize("我想问一下怎么还款", "m3")
    sound.write_bytes(PCMU.encode(bytes(16 * 9000) + question + bytes(16 * 6000)))
    async with served.recording() as recording:
        await call(served, tmp_path, sound=sound, ms=16_000)
    ours = recording()
    await ours.sealed()
    assert len(ours.of(FactKind.ANSWERED)) == 1
    opening = ours.of(FactKind.SAID)[0]
    assert "人工智能语音助手" in str(opening.data["text"])
    assert opening.data["heard_ms"] == opening.data["total_ms"]
    assert ours.of(FactKind.HEARD), ours.story()
    audio = read_audio(ours.bundle)
    assert loud_frames(audio[:, 0].tobytes()) > 100, "our side is silent"
    assert loud_frames(audio[:, 1].tobytes()) > 25, "SIPp was not heard"
    assert ours.of(FactKind.ENDED)[-1].data["by"] == "remote"


async def test_our_sound_reaches_sipp_and_comes_back(served: Installation, tmp_path: Path) -> None:
    async with served.recording() as recording:
        await call(served, tmp_path, "-rtp_echo", ms=6_000)
    ours = recording()
    await ours.sealed()
    audio = read_audio(ours.bundle)
    # Second by second, as a late packet shifts what follows it; two seconds must be whole.
    pieces = [slice(at, at + 8000) for at in range(0, len(audio) - 8000, 8000)]
    alike, delay = sorted(best_match(audio[piece, 0], audio[piece, 1])[::-1] for piece in pieces)[-2]
    assert alike > 0.9, f"what came back is not what we sent ({alike:.2f} at {delay} ms)"
    assert delay < 400


def best_match(sent: NDArray[np.int16], back: NDArray[np.int16]) -> tuple[float, float]:
    """Delay in ms and likeness (0..1) of the echo: the normalised peak of the cross-correlation over 1 s."""
    span = min(len(sent), len(back))
    first, second = sent[:span].astype(float), back[:span].astype(float)
    size = 1 << (2 * span).bit_length()
    both = np.fft.irfft(np.fft.rfft(second, size) * np.conj(np.fft.rfft(first, size)), size)[: 8000]
    delay = int(both.argmax())
    overlap = np.linalg.norm(first[: span - delay]) * np.linalg.norm(second[delay:])
    return delay / 8, float(both[delay] / overlap) if overlap else 0.0
