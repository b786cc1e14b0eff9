"""Remote recognition: a real sherpa-onnx server, a FunASR one played here, and what happens when either goes away."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.sync.server import Server, ServerConnection, serve

from voicebot.asr import remote
from voicebot.asr.recognizer import RecognizerStream, Transcript, load_recognizer
from voicebot.asr.remote import RemoteRecognizer, load_remote
from voicebot.asr.remote_protocols import PROTOCOLS
from voicebot.mandarin.pinyin import read
from voicebot.tts.synthesizer import load_synthesizer

from .foreign_models import zipformer_form

TEXT = "我明天还三千五百元"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def speak(stream: RecognizerStream, text: str, meanwhile: Callable[[int], None] = lambda tick: None) -> None:
    pcm = load_synthesizer().synthesize(text)
    for tick, at in enumerate(range(0, len(pcm), 320)):
        stream.accept(pcm[at : at + 320])
        meanwhile(tick)
        time.sleep(0.002)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def conclusion(stream: RecognizerStream) -> Transcript:
    finished = stream.finish()
    assert isinstance(finished, Future)
    return finished.result(20)


@contextlib.contextmanager
def funasr(take: Callable[[ServerConnection], None]) -> Iterator[str]:
    server: Server = serve(take, "127.0.0.1", 0, close_timeout=0.2)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}?protocol=funasr"
    finally:
        server.shutdown()
        thread.join()


def answers(connection: ServerConnection, drop_after: int | None = None) -> int:
    """A FunASR server that counts: one piece of text per 0.3 s of sound, the count itself when the turn is over."""
    greeting = json.loads(connection.recv())
    assert (greeting["mode"], greeting["audio_fs"], greeting["is_speaking"]) == ("2pass", 16000, True)
    heard = told = 0
    for message in connection:
        if isinstance(message, str):
            assert json.loads(message) == {"is_speaking": False}
            connection.send(json.dumps({"mode": "2pass-offline", "text": f"{heard / 32000:.1f}", "is_final": True}))
            return heard
        heard += len(message)
        if drop_after is not None and heard > drop_after:
            connection.socket.close()
            return heard
        if heard // 9600 > told:
            told = heard // 9600
            connection.send(json.dumps({"mode": "2pass-online", "text": "啊", "is_final": False}))
    return heard


def seconds(text: str) -> float:
    return len(load_synthesizer().synthesize(text)) / 16000 + 0.6


def test_funasr_partials_add_up_and_the_offline_text_replaces_them() -> None:
    with funasr(answers) as address:
        engine = load_remote(address)
        stream = engine.open()
        speak(stream, TEXT)
        deadline = time.monotonic() + 5
        while not stream.partial() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert set(stream.partial()) == {"啊"}
        assert abs(float(conclusion(stream).text) - seconds(TEXT)) < 0.25
        engine.close()


def test_a_connection_that_breaks_hears_the_turn_from_its_beginning() -> None:
    lives: list[int] = []

    def take(connection: ServerConnection) -> None:
        lives.append(answers(connection, drop_after=16000 if not lives else None))

    with funasr(take) as address:
        engine = load_remote(address)
        stream = engine.open()
        speak(stream, TEXT)
        assert abs(float(conclusion(stream).text) - seconds(TEXT)) < 0.25, "no word is lost"
        assert len(lives) == 2
        engine.close()


def test_words_of_the_call_reach_the_server_and_the_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "FINAL_WITHIN_S", 0.3)
    greetings: list[dict[str, Any]] = []

    def take(connection: ServerConnection) -> None:
        greetings.append(json.loads(connection.recv()))
        connection.close()

    opened: list[tuple[str, ...]] = []

    class Here:
        def open(self, hotwords: tuple[str, ...] = ()) -> RecognizerStream:
            opened.append(tuple(hotwords))
            return load_recognizer().open(hotwords)

    with funasr(take) as address:
        engine = load_remote(address)
        monkeypatch.setattr(engine, "_make_fallback", Here)
        stream = engine.open(("庄秀芝", "三千五百元"))
        speak(stream, TEXT)
        assert conclusion(stream).text == TEXT
        engine.close()
    assert json.loads(greetings[0]["hotwords"]).keys() == {"庄秀芝", "三千五百元"}
    assert opened == [("庄秀芝", "三千五百元")]


def test_without_a_server_the_turn_is_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "FINAL_WITHIN_S", 0.3)
    engine = load_remote(f"ws://127.0.0.1:{free_port()}")
    stream = engine.open()
    speak(stream, TEXT)
    read = conclusion(stream)
    assert read.text == "我明天还三千五百元"
    assert "is gone" in read.stand_in, "whoever asked must know who read it"
    assert engine.fallbacks == 1
    engine.close()


def test_a_server_that_nobody_reached_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "FINAL_WITHIN_S", 600.0)
    engine = load_remote(f"ws://127.0.0.1:{free_port()}")
    stream = engine.open()
    stream.accept(load_synthesizer().synthesize(TEXT))
    wait_for(lambda: stream._turn is not None and stream._turn.refused)  # type: ignore[attr-defined]
    assert conclusion(stream).text == TEXT
    engine.close()


def test_a_server_that_hangs_up_on_everybody_is_left_in_peace() -> None:
    visits: list[float] = []

    def take(connection: ServerConnection) -> None:
        visits.append(time.monotonic())
        connection.close()

    with funasr(take) as address:
        engine = load_remote(address)
        stream = engine.open()
        stream.accept(bytes(3200))
        wait_for(lambda: len(visits) >= 4)
        stream.close()
        engine.close()
    pauses = [after - before for before, after in pairwise(visits)]
    assert min(pauses) > remote.RETRY_S / 2


def test_what_sounds_like_a_word_of_the_call_is_written_as_that_word() -> None:
    """The sherpa-onnx server takes no words of a call."""

    def take(connection: ServerConnection) -> None:
        for message in connection:
            if message == "Done":
                connection.send(json.dumps({"text": "我就是 陪木新", "segment": 0}))
                connection.send("Done!")
                return
            connection.send(json.dumps({"text": "我就是", "segment": 0}))

    with funasr(take) as address:
        engine = load_remote(address.partition("?")[0])
        stream = engine.open(("裴沐昕",))
        speak(stream, TEXT)
        assert conclusion(stream).text == "我就是裴沐昕"
        engine.close()


def test_a_turn_that_was_dropped_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "FINAL_WITHIN_S", 0.3)
    engine = load_remote(f"ws://127.0.0.1:{free_port()}")
    stream = engine.open()
    speak(stream, "打错了")
    stream.reset()
    assert replace(conclusion(stream), stand_in="") == Transcript("", 0.0, None, None)
    engine.close()


@pytest.mark.parametrize("address", ["", "http://h:1", "ws://", "ws://h:1?protocol=telex"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="remote:ws://HOST:PORT"):
        load_recognizer(f"remote:{address}")


@given(st.sampled_from(sorted(PROTOCOLS)), st.lists(st.binary(max_size=40) | st.text(max_size=40), max_size=5))
def test_whatever_a_server_says_is_survived(name: str, messages: list[Any]) -> None:
    reading = PROTOCOLS[name]().reading()
    for message in messages:
        text, _ = reading.take(message)
        assert isinstance(text, str)


@pytest.fixture(scope="module")
def sherpa_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Running]]:
    program = shutil.which("sherpa-onnx-online-websocket-server") or _beside_python()
    if program is None:
        pytest.skip("!!! NO sherpa-onnx server: install sherpa-onnx-bin to run this test")
    folder = zipformer_form(tmp_path_factory.mktemp("server") / "zip")
    started: list[Running] = []

    def start() -> Running:
        started.append(Running(str(program), folder))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def _beside_python() -> str | None:
    import sys

    path = Path(sys.executable).with_name("sherpa-onnx-online-websocket-server")
    return str(path) if path.exists() else None


class Running:
    """A sherpa-onnx server process."""

    def __init__(self, program: str, folder: Path) -> None:
        self.port = free_port()
        self._command = [
            program, f"--port={self.port}", f"--tokens={folder / 'tokens.txt'}",
            f"--zipformer2-ctc-model={folder / 'model.onnx'}", "--sample-rate=8000", "--feat-dim=40",
            f"--log-file={folder / 'server.log'}", "--num-work-threads=1", "--num-io-threads=1",
        ]  # fmt: skip
        self._process = self._start()

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
                return process
            time.sleep(0.05)
        process.kill()
        raise AssertionError("the server does not start")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        self.stop()
        self._process = self._start()


@pytest.mark.slow
def test_a_real_sherpa_server_reads_the_turn_and_survives_being_killed(
    sherpa_server: Callable[[], Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "FINAL_WITHIN_S", 10.0)
    server = sherpa_server()
    engine: RemoteRecognizer = load_remote(server.address)
    wanted = [s[:-1] for word in read(TEXT) for s in word.syllables]

    stream = engine.open()
    speak(stream, TEXT)
    assert _syllables(conclusion(stream)) == wanted

    killed: list[bool] = []

    def kill_once(tick: int) -> None:
        if tick == 40:
            killed.append(True)
            server.restart()

    speak(stream, TEXT, kill_once)
    assert _syllables(conclusion(stream)) == wanted, "killed in the middle, and still every word"
    assert killed
    assert engine.fallbacks == 0
    engine.close()


def _syllables(transcript: Transcript) -> list[str]:
    return [s[:-1] for s in re.findall(r"[a-z]+[1-5]", transcript.text)]


def test_the_loop_of_connections_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = load_remote(f"ws://127.0.0.1:{free_port()}")
    loop: asyncio.AbstractEventLoop = engine._loop
    engine.close()
    deadline = time.monotonic() + 2
    while loop.is_running() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not loop.is_running()
