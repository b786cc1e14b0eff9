"""The syllables that the recogniser can output: every reading of every common character, and its sandhi forms."""

from functools import cache

from voicebot.asr.training import slots, texts
from voicebot.mandarin.pinyin import char_readings
from voicebot.tts.espeak import can_speak

COMMON = 3500


def readings(char: str) -> list[str]:
    """The readings of a character that the training voices can say, the usual one first."""
    return [s for s in char_readings(char) if can_speak(s)]


@cache
def characters() -> tuple[str, ...]:
    """Every character that may appear in a transcript, sorted."""
    common = {char for char, _ in texts.common_words()[2].most_common(COMMON)}
    written = set("".join(texts.sayings())) | set("".join(texts.templates().every()))
    written |= set("".join(slots.words()))
    return tuple(sorted(c for c in common | written if "\u4e00" <= c <= "\u9fff"))


@cache
def syllables() -> tuple[str, ...]:
    """Every syllable that a reading of those characters may sound like, sorted."""
    plain = {s for char in characters() for s in readings(char)[:4]} | {
        "yao1",
        "huan2",
        "dei3",
        "liao3",
        "yi2",
        "yi4",
        "bu2",
        "bu4",
    }
    return tuple(sorted(plain | {s[:-1] + "2" for s in plain if s[-1] == "3"}))
