"""Prompts are synthesised once."""

from pathlib import Path

import pytest

from voicebot.tts.cache import PromptCache
from voicebot.tts.voices import VoiceSpec


class CountingVoice:
    """Stands for a slow synthesizer: 100 bytes per character, and a count."""

    name = "counting"

    def __init__(self) -> None:
        self.spoken: list[str] = []

    def synthesize(self, text: str, voice: str | VoiceSpec | None = None, rate: int | None = None) -> bytes:
        self.spoken.append(text)
        return text[:1].encode()[:1] * 100 * len(text)


def test_a_prompt_is_spoken_once_per_voice_and_rate() -> None:
    voice = CountingVoice()
    cache = PromptCache(voice)
    cache.warm(["您好", "再见"])
    first = cache.synthesize("您好")
    assert cache.synthesize("您好") is first
    cache.synthesize("您好", "m1")
    cache.synthesize("您好", None, 120)
    assert voice.spoken == ["您好", "再见", "您好", "您好"]
    assert (cache.figures.hits, cache.figures.misses) == (2, 2), "nobody waited for what was spoken ahead"


def test_memory_is_bounded_and_the_longest_unused_goes_first() -> None:
    voice = CountingVoice()
    cache = PromptCache(voice, max_bytes=500)
    for text in ("一一", "二二", "一一", "三三"):  # the third use keeps 一一 young
        cache.synthesize(text)
    assert cache.figures.held_bytes <= 500
    cache.synthesize("一一")
    assert voice.spoken == ["一一", "二二", "三三"]
    cache.synthesize("二二")
    assert voice.spoken[-1] == "二二"


def test_a_prompt_larger_than_the_memory_is_spoken_but_not_kept() -> None:
    cache = PromptCache(CountingVoice(), max_bytes=100)
    assert len(cache.synthesize("很长很长")) == 400
    assert cache.figures.held_bytes == 0


def test_a_folder_outlives_the_process(tmp_path: Path) -> None:
    PromptCache(CountingVoice(), folder=tmp_path).warm(["您好"])
    second = CountingVoice()
    cache = PromptCache(second, folder=tmp_path)
    cache.warm(["您好"])
    assert len(cache.synthesize("您好")) == 200
    assert second.spoken == []
    assert (cache.figures.hits, cache.figures.misses) == (1, 0)
    assert not list(tmp_path.glob("*.part"))


def test_what_is_said_to_one_person_never_reaches_the_disk(tmp_path: Path) -> None:
    cache = PromptCache(CountingVoice(), folder=tmp_path)
    cache.warm(["您好", "再见"])
    cache.synthesize("张三，您欠三千元")
    assert len(list(tmp_path.iterdir())) == 2


def test_the_folder_holds_what_the_scripts_say_today(tmp_path: Path) -> None:
    PromptCache(CountingVoice(), folder=tmp_path).warm(["您好", "旧话"])
    (tmp_path / ("0" * 64 + ".s16le")).write_bytes(b"left by an older release")
    PromptCache(CountingVoice(), folder=tmp_path).warm(["您好", "新话"])
    assert len(list(tmp_path.iterdir())) == 2


def test_what_memory_has_no_room_for_comes_from_the_folder(tmp_path: Path) -> None:
    voice = CountingVoice()
    cache = PromptCache(voice, max_bytes=100, folder=tmp_path)
    cache.warm(["很长很长"])
    assert cache.synthesize("很长很长") and voice.spoken == ["很长很长"]
    assert (cache.figures.disk_hits, cache.figures.misses) == (1, 0)


def test_what_was_prepared_is_at_hand_and_counts_apart() -> None:
    voice = CountingVoice()
    cache = PromptCache(voice)
    cache.warm(["您好"])
    for text in ("张先生您好", "张先生您好", "您好"):
        cache.prepare(text)
    assert voice.spoken == ["您好", "张先生您好"]
    cache.synthesize("张先生您好")
    assert (cache.figures.ahead, cache.figures.hits, cache.figures.misses) == (1, 1, 0)


def test_what_is_in_memory_is_at_hand_without_being_spoken() -> None:
    voice = CountingVoice()
    cache = PromptCache(voice)
    assert cache.at_hand("您好") is None and voice.spoken == []
    spoken = cache.synthesize("您好")
    assert cache.at_hand("您好") is spoken
    assert (cache.figures.hits, cache.figures.misses) == (1, 1)


def test_a_script_that_is_published_later_takes_nothing_from_those_before(tmp_path: Path) -> None:
    voice = CountingVoice()
    cache = PromptCache(voice, max_bytes=300, folder=tmp_path)
    cache.warm(["您好", "再见"])
    cache.warm(["新话"])
    for person in ("张三您好", "李四您好"):
        cache.synthesize(person)  # memory is full of them
    voice.spoken.clear()
    assert cache.synthesize("您好") and cache.synthesize("再见") and cache.synthesize("新话")
    assert voice.spoken == [], "each lies in the folder"
    assert len(list(tmp_path.iterdir())) == 3


def test_a_folder_that_can_not_be_used_costs_nobody_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "prompts").write_text("a file where the folder should be")
    cache = PromptCache(CountingVoice(), folder=tmp_path / "prompts")
    cache.warm(["您好"])
    assert len(cache.synthesize("您好")) == 200
    assert cache.figures.hits == 1


def test_a_disk_that_fills_up_costs_nobody_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = PromptCache(CountingVoice(), max_bytes=100, folder=tmp_path)

    def full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    cache.warm(["您好"])
    assert len(cache.synthesize("您好")) == 200


class Recordings(CountingVoice):
    def __init__(self, edition: str) -> None:
        super().__init__()
        self.edition = edition


def test_a_voice_that_was_recorded_anew_is_not_answered_for_by_the_old_one(tmp_path: Path) -> None:
    PromptCache(Recordings("spring"), folder=tmp_path).warm(["您好"])
    same, new = Recordings("spring"), Recordings("autumn")
    PromptCache(same, folder=tmp_path).warm(["您好"])
    PromptCache(new, folder=tmp_path).warm(["您好"])
    assert (same.spoken, new.spoken) == ([], ["您好"])


def test_what_was_forgotten_is_got_ready_again_from_the_folder(tmp_path: Path) -> None:
    voice = CountingVoice()
    cache = PromptCache(voice, max_bytes=500, folder=tmp_path)
    cache.warm(["您好"])
    cache.synthesize("张三李四")
    cache.prepare("您好")
    assert cache.at_hand("您好") is not None
    assert voice.spoken == ["您好", "张三李四"]


def test_a_prompt_that_can_not_be_spoken_holds_up_no_other() -> None:
    class Stumbling(CountingVoice):
        def synthesize(self, text: str, voice: str | VoiceSpec | None = None, rate: int | None = None) -> bytes:
            if text == "难":
                raise RuntimeError("no such sound")
            return super().synthesize(text, voice, rate)

    cache = PromptCache(Stumbling())
    cache.warm(["您好", "难", "再见"])
    assert cache.at_hand("再见") is not None
    with pytest.raises(RuntimeError):
        cache.synthesize("难")
