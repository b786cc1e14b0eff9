"""Prompts are synthesised once."""

from pathlib import Path

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
    assert (cache.figures.hits, cache.figures.misses) == (2, 4)


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
    PromptCache(CountingVoice(), folder=tmp_path).synthesize("您好")
    second = CountingVoice()
    cache = PromptCache(second, folder=tmp_path)
    assert len(cache.synthesize("您好")) == 200
    assert second.spoken == []
    assert cache.figures.disk_hits == 1
    assert not list(tmp_path.glob("*.part"))
