"""A recogniser that hangs in one call: that call is given up, the others lose no word."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from voicebot.asr.recognizer import RecognizerStream, Transcript
from voicebot.audio.frames import SILENCE, cut
from voicebot.audio.vad import VoiceActivity
from voicebot.pipeline.hearing import Hearing
from voicebot.pipeline.noticed import Deaf, Noticed, Utterance
from voicebot.tts.synthesizer import load_synthesizer

SPOKEN = "我明天还钱"


class Engine:
    """Reads every turn as the number of bytes it decoded; the first `times` sessions of call `bad` hang at `step`."""

    name, sample_rate = "hanging", 8000

    def __init__(self, bad: int, step: str, times: int) -> None:
        self._bad, self._step, self._times = str(bad), step, times
        self.freed = threading.Event()
        self.opened: Counter[str] = Counter()

    def open(self, hotwords: Sequence[str] = ()) -> RecognizerStream:
        (call,) = hotwords
        self.opened[call] += 1
        return Stream(self, call, self.opened[call])

    def decode(self, streams: Sequence[RecognizerStream]) -> None:
        for stream in streams:
            assert isinstance(stream, Stream)
            self.reach(stream, "decode")
            stream.decoded = stream.heard

    def reach(self, stream: Stream, step: str) -> None:
        if stream.call == self._bad and step == self._step and stream.number <= self._times:
            self.freed.wait(60)


class Stream:
    def __init__(self, engine: Engine, call: str, number: int) -> None:
        self._engine, self.call, self.number, self.heard, self.decoded = engine, call, number, 0, 0

    def accept(self, pcm: bytes) -> None:
        self.heard += len(pcm)

    def partial(self) -> str:
        return str(self.decoded)

    def finish(self) -> Transcript:
        self._engine.reach(self, "finish")
        heard, self.heard, self.decoded = self.heard, 0, 0
        return Transcript(str(heard), 1.0, 0.0, 1.0)

    def reset(self) -> None: ...

    def close(self) -> None:
        self._engine.reach(self, "decode")


@pytest.fixture(scope="module")
def frames() -> list[bytes]:
    return [*cut(load_synthesizer().synthesize(SPOKEN)), *[SILENCE] * 60]


@pytest.fixture
def engines() -> Iterator[list[Engine]]:
    made: list[Engine] = []
    yield made
    for engine in made:
        engine.freed.set()


def played(engine: Engine, frames: Sequence[bytes], calls: int) -> dict[int, list[Noticed]]:
    hearing = Hearing(engine, VoiceActivity(), lambda text, topic: False)
    noticed: dict[int, list[Noticed]] = {call: [] for call in range(1, calls + 1)}
    for call in noticed:
        hearing.open(call, [str(call)])
    for number, frame in enumerate(frames):
        for call, one in hearing.tick(number, [(call, frame) for call in noticed]):
            noticed[call].append(one)
    return noticed


def texts(noticed: list[Noticed]) -> list[str]:
    return [one.text for one in noticed if isinstance(one, Utterance)]


@pytest.mark.parametrize("calls", [1, 3])
@pytest.mark.parametrize("times", [1, 99])
def test_a_hanging_session_costs_its_call_alone(
    engines: list[Engine], frames: list[bytes], calls: int, times: int
) -> None:
    (expected,) = texts(played(Engine(0, "", 0), frames, 1)[1])
    engines.append(engine := Engine(1, "decode", times))
    noticed = played(engine, frames, calls)
    for call in range(2, calls + 1):
        assert texts(noticed[call]) == [expected], "not a byte of the turn is lost"
    told = [type(one) for one in noticed[1]]
    if times == 1:
        assert texts(noticed[1]) == [expected] and Deaf not in told
    else:
        assert told.count(Deaf) == 1
        assert not any(texts([one])[0] for one in noticed[1] if isinstance(one, Utterance))
    assert all(not isinstance(one, Deaf) for call in noticed if call != 1 for one in noticed[call])


def test_a_session_that_hangs_over_its_last_words_leaves_those_before(
    engines: list[Engine], frames: list[bytes]
) -> None:
    engines.append(engine := Engine(1, "finish", 1))
    noticed = played(engine, [*frames, *frames], 2)
    ((first, second), (whole, next_whole)) = texts(noticed[1]), texts(noticed[2])
    assert 0 < int(first) <= int(whole), "what was read so far"
    assert second == next_whole, "its successor reads the next turn"
