"""What carriers, voicemail and phone assistants say, and what people say first. Compared by sound, without tones."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files

from ruamel.yaml import YAML

from voicebot.domain.talk import UNCLEAR
from voicebot.mandarin.pinyin import char_readings

_WORDS = "data/answers.yaml"
_ENOUGH_HINTS = 2
_A_FEW_WORDS = 4
"""Before the answer only carriers speak; fewer syllables than this may be made of music."""


def machine_of(text: str, *, answered: bool) -> tuple[str, str] | None:
    """(kind, cue) of the machine that says this, or None. After the answer an announcement must also speak like one,
    for people tell that their telephone was switched off."""
    said = syllables(text)
    for cue, phrases in _phrases("assistant").items():
        if _any(phrases, said) and not _any(_phrases("people")["denials"], said):
            return "assistant", cue
    if len(_hints(said)) >= _ENOUGH_HINTS:
        return "assistant", "assistant"
    for cue, phrases in _phrases("voicemail").items():
        if _any(phrases, said):
            return "voicemail", cue
    carrier = _any(_phrases("carrier")["beginnings"], said)
    if carrier or not answered:
        for cue, phrases in _phrases("announcement").items():
            if _any(phrases, said):
                return "announcement", cue
    speaks = not answered and said.count(" ") > _A_FEW_WORDS
    return ("announcement", UNCLEAR) if carrier or speaks else None


def is_hello(text: str) -> bool:
    """True for words with which people answer, and machines do not."""
    said = syllables(text)
    people = _phrases("people")
    return said.startswith(people["first"]) or _any(people["hellos"], said)


def may_become(text: str) -> bool:
    """True when what was said so far is how machines begin, or has a word of theirs: somebody who pauses there need
    not be a person."""
    said = syllables(text)
    return bool(_hints(said)) or any(said.endswith(phrase) for phrase in _phrases("carrier")["openings"])


def cues(kind: str) -> tuple[str, ...]:
    """The cues by which one kind of machine is known."""
    return tuple(_phrases(kind))


@lru_cache(maxsize=512)
def syllables(text: str) -> str:
    """The syllables of a text without their tones, each between blanks: homophones are the same."""
    return " " + " ".join(filter(None, map(_syllable, text))) + " "


@lru_cache(maxsize=4096)
def _syllable(char: str) -> str:
    readings = char_readings(char)
    return readings[0][:-1] if readings else ""


def _hints(said: str) -> list[str]:
    """Words of assistants that people use too, but not several of them in their first sentence."""
    return [hint for hint in _phrases("hints")["assistant"] if hint in said]


def _any(phrases: tuple[str, ...], said: str) -> bool:
    return any(phrase in said for phrase in phrases)


@cache
def _phrases(kind: str) -> dict[str, tuple[str, ...]]:
    """By cue, the syllables of each phrase of one kind."""
    return {cue: tuple(map(syllables, map(str, phrases))) for cue, phrases in _words()[kind].items()}


@cache
def _words() -> dict[str, dict[str, list[str]]]:
    text = files("voicebot.pipeline").joinpath(_WORDS).read_text(encoding="utf-8")
    words: dict[str, dict[str, list[str]]] = YAML(typ="safe").load(text)
    return words
