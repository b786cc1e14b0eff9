"""Hanzi to spoken syllables: word cutting, readings that dictionaries get wrong, tone sandhi.

Syllables are written as `huan2`: letters of Hanyu Pinyin with `v` for ü, then the tone 1-5 (5 = neutral).
"""

import logging
import re
from dataclasses import dataclass

import jieba
from pypinyin import Style, lazy_pinyin, load_phrases_dict, pinyin

jieba.setLogLevel(logging.ERROR)

# Words that pypinyin reads wrongly in this trade, and words that jieba must not cut.
_WORDS = {
    "还款": "huán kuǎn",
    "还钱": "huán qián",
    "还清": "huán qīng",
    "还掉": "huán diào",
    "还完": "huán wán",
    "还债": "huán zhài",
    "还贷": "huán dài",
    "归还": "guī huán",
    "偿还": "cháng huán",
    "代还": "dài huán",
    "待还": "dài huán",
    "还本": "huán běn",
    "还息": "huán xī",
    "已还": "yǐ huán",
    "未还": "wèi huán",
    "应还": "yīng huán",
    "还款日": "huán kuǎn rì",
    "还款人": "huán kuǎn rén",
    "数额": "shù é",
    "挂账": "guà zhàng",
    "长沙": "cháng shā",
    "重庆": "chóng qìng",
    "朝阳": "cháo yáng",
    "一行": "yī háng",
    "总行": "zǒng háng",
    "支行": "zhī háng",
    "分行": "fēn háng",
    "本行": "běn háng",
    "我行": "wǒ háng",
    "行长": "háng zhǎng",
    "央行": "yāng háng",
    "催收": "cuī shōu",
    "逾期": "yú qī",
    "扣款": "kòu kuǎn",
    "划扣": "huà kòu",
    "调解": "tiáo jiě",
    "协调": "xié tiáo",
    "调整": "tiáo zhěng",
    "重新": "chóng xīn",
    "重复": "chóng fù",
    "为难": "wéi nán",
    "尾号": "wěi hào",
    "睡着": "shuì zháo",
    "着急": "zháo jí",
    "找着": "zhǎo zháo",
    "差钱": "chà qián",
    "差点": "chà diǎn",
    "得了": "dé le",
    "了解": "liǎo jiě",
    "了结": "liǎo jié",
    "大夫": "dài fu",
    "便宜": "pián yi",
    "给予": "jǐ yǔ",
    "供应": "gōng yìng",
    "提供": "tí gōng",
    "嘀声": "dī shēng",
    "出差": "chū chāi",
    "空号": "kōng hào",
    "没空": "méi kòng",
    "有空": "yǒu kòng",
    "抽空": "chōu kòng",
    "得空": "dé kòng",
    "角色": "jué sè",
    "传票": "chuán piào",
    "长时间": "cháng shí jiān",
    "没收到": "méi shōu dào",
    "没收过": "méi shōu guò",
    "没收回": "méi shōu huí",
    "当日": "dàng rì",
    "血汗": "xuè hàn",
    "重置": "chóng zhì",
    "重报": "chóng bào",
    "同行": "tóng háng",
    "还款码": "huán kuǎn mǎ",
    "率": "lǜ",
    "利率": "lì lǜ",
    "费率": "fèi lǜ",
    "当天": "dàng tiān",
    "当事人": "dāng shì rén",
    "上当": "shàng dàng",
}
load_phrases_dict({word: [[s] for s in spoken.split()] for word, spoken in _WORDS.items()})
for _word in _WORDS:
    if len(_word) > 1:
        jieba.add_word(_word)

# 还: huan2 (pay back) or hai2 (still). What follows decides, then what stands before.
_PAY_AFTER = re.compile(
    r"款|钱|清|完|掉|给|回|本|利|账|债|贷|信用卡|花呗|你|他们?的|银行|多少|最低|全|一部分|一半|一点|一下|一些|进|到|去|啥|什么|"
    r"上(?![次个周班学海面有不没])|得[上起清完]|不[上起清完了出]|了|过|[零一两二三四五六七八九十百千几]+(?:百|千|万|块|元|笔|期|点|毛)"
)
_STILL_AFTER = re.compile(
    r"没|有|是|在|会|想|能|要|可以|需|剩|差|欠|说|行|好|记得|挺|真|不|得[看等去问]|跟|来|让|打|骗|敢"
)
_PAY_BEFORE = re.compile(
    r"(?:能|不|没|想|先|得|来|就|已经?|怎么|拿什么|会|分期|一起|提前|按时|全部|慢慢|逾期|[月号天]|该|可以|去|帮我|替他|用|才|肯|愿意|"
    r"必须|尽快|马上|按期|一次性|来|多|少|再|直接|一定)$"
)
# Family names that are read otherwise than the same character elsewhere, where somebody is named by one.
_FAMILY = {
    "任": "ren2",
    "曾": "zeng1",
    "单": "shan4",
    "仇": "qiu2",
    "解": "xie4",
    "华": "hua4",
    "查": "zha1",
    "朴": "piao2",
    "区": "ou1",
    "翟": "zhai2",
    "卜": "bu3",
    "纪": "ji3",
    "尹": "yin3",
    "臧": "zang1",
    "缪": "miao4",
    "晁": "chao2",
    "冼": "xian3",
    "乐": "yue4",
    "召": "shao4",
}
_NAMED = re.compile(r"[\u4e00-\u9fff]{0,2}(?:先生|女士|小姐|师傅|大哥|大姐|阿姨|叔叔)|[\u4e00-\u9fff]{1,2}本人")
_NAMING = re.compile(r"(?:^|[是找叫姓给问和跟与让的])$")
_MUST_AFTER = re.compile(
    r"还|等|看|找|去|问|给|交|先|有|要|把|跟|到|过|想|回|做|上|养|花|靠|吃|付|攒|凑|让|几|多久|多少"
)
_MUST_BEFORE = re.compile(r"(?:^|[我你他她您们就都也还总可才至少概，。？！、；])$")
_DIGITS = "零一二三四五六七八九幺"
_RANGE = re.compile(f"[到至][{_DIGITS}两十]")
_HANZI = re.compile(r"[\u3400-\u9fff]")
_PAUSE = {
    "，": ",",
    ",": ",",
    "、": ",",
    "；": ",",
    "：": ",",
    ";": ",",
    ":": ",",
    "。": ".",
    ".": ".",
    "！": ".",
    "!": ".",
    "？": "?",
    "?": "?",
    "…": ",",
    "—": ",",
    " ": "",
    "\n": ".",
}


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word: as many syllables as hanzi, and the pause mark (`, . ?` or nothing) that follows it."""

    hanzi: str
    syllables: tuple[str, ...]
    pause: str = ""


def read(text: str) -> list[Word]:
    """Reads text of hanzi and punctuation; anything else is silent (`aloud.spoken` turns it into hanzi first)."""
    words: list[Word] = []
    for run in re.findall(r"[\u3400-\u9fff]+|[^\u3400-\u9fff]+", text):
        if _HANZI.match(run):
            words += _read_run(run)
        elif words:
            marks = "".join(_PAUSE.get(c, "") for c in run)
            words[-1] = Word(words[-1].hanzi, words[-1].syllables, marks[:1])
    return words


def _read_run(run: str) -> list[Word]:
    cut = [word for word in jieba.cut(run, HMM=False) if word]
    spoken = [_dictionary(word) for word in cut]
    flat = [syllable for word in spoken for syllable in word]
    ends = _word_ends(cut)
    _special_readings(run, flat, ends)
    _third_tones(flat, ends)
    _yi_and_bu(run, flat)
    words, start = [], 0
    for word in cut:
        words.append(Word(word, tuple(flat[start : start + len(word)])))
        start += len(word)
    return words


def _dictionary(word: str) -> list[str]:
    spoken = lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True, errors="ignore")
    if len(spoken) != len(word):
        spoken = [(lazy_pinyin(c, style=Style.TONE3, neutral_tone_with_five=True) or ["a5"])[0] for c in word]
    return [_plain(s) for s in spoken]


def _plain(syllable: str) -> str:
    syllable = syllable.replace("ü", "v").replace("ê", "ei")
    return syllable if syllable[-1:] in "12345" and len(syllable) > 1 else "a5"


def _word_ends(cut: list[str]) -> set[int]:
    ends, at = set(), -1
    for word in cut:
        at += len(word)
        ends.add(at)
    return ends


def _special_readings(run: str, flat: list[str], ends: set[int]) -> None:
    for i, char in enumerate(run):
        before, after = run[:i], run[i + 1 :]
        if char == "还":
            flat[i] = "huan2" if _pays(before, after) else "hai2"
        elif char == "幺":
            flat[i] = "yao1"
        elif char in _FAMILY and _is_family_name(before, after):
            flat[i] = _FAMILY[char]
        elif char == "得" and _MUST_AFTER.match(after) and _MUST_BEFORE.search(before[-1:]):
            flat[i] = "dei3"
        elif char == "得" and i - 1 in ends and i in ends and after:  # what a verb leads to: 说得好
            flat[i] = "de5"
        elif char == "了" and before[-1:] in ("不", "得") and len(before) > 1:
            flat[i] = "liao3"


def _is_family_name(before: str, after: str) -> bool:
    """`姓任`, or where a name may begin and a title follows at most two hanzi later: 请问是任小军先生吗."""
    if before.endswith("姓"):
        return not after.startswith("什么")
    return bool(_NAMING.search(before) and _NAMED.match(after) and not after.startswith(("何", "位", "些", "个")))


def _pays(before: str, after: str) -> bool:
    if _PAY_AFTER.match(after):
        return not re.match(r"[一两二三四五六七八九十几]+点(?:[半钟多左零一二三四五整]|就[来去到给打])", after)
    if re.match(r"[款清偿归代待]", before[-1:]):
        return True
    if re.match(r"[应未已欠]", before[-1:]) and not re.match(r"[有是在要会没]", after):
        return True
    if _STILL_AFTER.match(after):
        return False
    return not after or bool(_PAY_BEFORE.search(before)) or after[:1] in "吧啊呀吗嘛呢的"


def _third_tones(flat: list[str], ends: set[int]) -> None:
    for i in range(len(flat) - 1):
        if i not in ends and flat[i][-1] == "3" and flat[i + 1][-1] == "3":
            flat[i] = flat[i][:-1] + "2"


def _yi_and_bu(run: str, flat: list[str]) -> None:
    """一: yi1 in digits, dates and ordinals, yi2 before tone 4, else yi4. 不: bu2 before tone 4."""
    for i, char in enumerate(run):
        following = flat[i + 1][-1] if i + 1 < len(run) else ""
        if char == "不":
            flat[i] = "bu2" if following == "4" else "bu4"
        elif char == "一" and flat[i].startswith("yi"):
            counted = run[i - 1 : i] in [*"第十初周", "期"] or (run[i - 1 : i] in list(_DIGITS) and i > 0)
            named = run[i + 1 : i + 2] in [*_DIGITS, *"月号日十", ""] or bool(_RANGE.match(run[i + 1 :]))
            flat[i] = "yi1" if counted or named or following == "" else "yi2" if following in "45" else "yi4"


def sandhi_across(words: list[Word], join: "list[bool]") -> list[Word]:
    """Third-tone sandhi also over word borders: `join[i]` says whether word i runs into word i + 1."""
    out = list(words)
    for i, joined in enumerate(join[: len(words) - 1]):
        last, first = out[i].syllables[-1], out[i + 1].syllables[0]
        if joined and not out[i].pause and last[-1] == "3" and first[-1] == "3":
            out[i] = Word(out[i].hanzi, (*out[i].syllables[:-1], last[:-1] + "2"), "")
    return out


def char_readings(char: str) -> list[str]:
    """All tonal readings of one hanzi, the usual one first: 还 -> hai2, huan2."""
    found = pinyin(char, style=Style.TONE3, heteronym=True, neutral_tone_with_five=True, errors="ignore")
    spoken = [s.replace("ü", "v").replace("ê", "ei") for s in (found[0] if found else [])]
    return [s for s in spoken if s[-1:] in "12345" and len(s) > 1]
