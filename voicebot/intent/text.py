"""Normal form of an utterance and its toneless syllables: what both the rules and the model read."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from pypinyin.constants import PINYIN_DICT

_MARKS = re.compile(r"[^0-9a-z\u3400-\u9fff()（）%.#]+")
_TONES = str.maketrans("", "", "\u0300\u0301\u0304\u030c")
_FULLWIDTH_SPACE = "\u3000"

# The dictionary of single characters puts a rare reading first for these; the spoken one is meant here.
_READINGS = {"还": "huan", "了": "le", "的": "de", "得": "de", "地": "di", "着": "zhe", "行": "xing", "俩": "lia",
             "嗯": "en", "呣": "m", "嘞": "lei", "咋": "za", "啥": "sha", "仨": "sa", "都": "dou", "没": "mei",
             "说": "shuo", "吗": "ma", "吧": "ba", "呢": "ne", "嘛": "ma", "呗": "bei", "哪": "na", "那": "na",
             "什": "shen", "么": "me", "谁": "shei", "给": "gei", "差": "cha", "重": "zhong", "长": "chang",
             "和": "he", "卡": "ka", "单": "dan", "系": "xi", "打": "da", "期": "qi", "车": "che", "家": "jia",
             "区": "qu", "会": "hui", "大": "da", "号": "hao", "被": "bei", "血": "xue", "角": "jiao", "率": "lv"}

# Accents and 8 kHz telephones merge these sounds: zh/z, ch/c, sh/s, ng/n, l/n, h/f, r/l.
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("hu", "f"), ("n", "l"), ("r", "l"))


def normalise(text: str) -> str:
    """Lower-case, half-width, punctuation to single spaces. Never raises; at most 200 characters are read."""
    folded = unicodedata.normalize("NFKC", text[:400]).lower()
    return _MARKS.sub(" ", folded).strip()[:200]


@cache
def syllable(char: str) -> str:
    """Toneless pinyin of one character (`v` for ü), or the character itself when it has none."""
    if char in _READINGS:
        return _READINGS[char]
    readings = PINYIN_DICT.get(ord(char))
    if not readings:
        return char
    first = readings.split(",")[0].replace("ü", "v")
    return unicodedata.normalize("NFD", first).replace("u\u0308", "v").translate(_TONES)


@cache
def accented(char: str) -> str:
    """`syllable` with the sounds merged that accents and narrow-band telephones do not keep apart."""
    sound = syllable(char)
    if sound == char:
        return char
    for old, new in _INITIALS:
        if sound.startswith(old):
            sound = new + sound[len(old):]
            break
    return sound[:-1] if sound.endswith("ng") else sound


def syllables(text: str) -> list[str]:
    """Toneless syllables of `text`, one per character that is not a space."""
    return [syllable(char) for char in text if char != " "]
