"""Spoken sentences made comparable: disguises undone, clauses found, every character still knowing its place."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

BREAK = "，"

# Latin spellings and look-alikes with which words are smuggled past word lists; longest first.
_DISGUISES: tuple[tuple[str, str], ...] = (
    ("zheng信", "征信"),
    ("wei信", "微信"),
    ("v信", "微信"),
    ("徽", "微信"),
    ("加个薇", "加个微信"),
    ("加v", "加微信"),
    ("加w", "加微信"),
    ("vx", "微信"),
    ("wx", "微信"),
    ("kuan", "款"),
    ("qian了", "欠了"),
    ("qian", "钱"),
    ("zuo", "坐"),
    ("lao", "牢"),
    ("zha", "炸"),
    ("gong，安", "公安"),
    ("gong安", "公安"),
    ("gongan", "公安"),
    ("fa院", "法院"),
    ("tou诉", "投诉"),
    ("sfz", "身份证"),
    ("jie新", "借新"),
    ("还jiu", "还旧"),
    ("花b", "花呗"),
    ("dai偿", "代偿"),
    ("hsn", "呼死你"),
    ("call", "打"),
    ("sb", "傻逼"),
    ("沙比", "傻逼"),
    ("煞笔", "傻逼"),
    ("l赖", "老赖"),
    ("lj", "垃圾"),
    ("ly", "录音"),
    ("整si", "整死"),
    ("弄si", "弄死"),
    ("n死", "弄死"),
    ("z杀", "自杀"),
    ("上m", "上门"),
    ("s效", "时效"),
    ("减m", "减免"),
    ("利案", "立案"),
    ("正信", "征信"),
    ("船票", "传票"),
    ("调楼", "跳楼"),
    ("做牢", "坐牢"),
    ("坐老", "坐牢"),
)
_WORDS = dict(_DISGUISES)
_DISGUISE = re.compile("|".join(re.escape(word) for word, _ in _DISGUISES))
_FILLERS = frozenset("嗯啊哦呃喂哎唉对好是您你")
_MARKS = frozenset("，。！？；：、,.!?;:…\n")


@dataclass(frozen=True, slots=True)
class SpeechText:
    """`text` is comparable; `origin[i]` is where its character i stands in what was said."""

    said: str
    text: str
    origin: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The half-open span of `said` behind text[start:end]."""
        return self.origin[start], self.origin[end - 1] + 1

    def clause(self, start: int, end: int) -> tuple[int, int]:
        """Bounds of the clause, or the clauses, that text[start:end] lies in."""
        after = self.text.find(BREAK, end)
        return self.text.rfind(BREAK, 0, start) + 1, len(self.text) if after < 0 else after


def read_speech(said: str) -> SpeechText:
    """Lower case, half width, no quotes or symbols, pauses and punctuation as one break, disguises undone."""
    characters: list[tuple[str, int]] = []
    for index, raw in enumerate(said):
        for character in unicodedata.normalize("NFKC", raw).lower():
            if character in ".·" and _between_hanzi(said, index):
                continue
            if character in _MARKS and not _decimal_point(said, index):
                character = BREAK
            elif character.isspace():
                if _inside_spelling(said, index):
                    continue
                character = BREAK
            elif not (character.isalnum() or character in "%."):
                continue
            if character != BREAK or (characters and characters[-1][0] != BREAK):
                characters.append((character, index))
    return _undisguise(said, characters)


def _between_hanzi(said: str, index: int) -> bool:
    """征.信: a dot inside a word is a disguise, no pause; sentences end in a full stop of their own."""
    return all("一" <= character <= "鿿" for character in (said[index - 1 : index], said[index + 1 : index + 2]))


def _decimal_point(said: str, index: int) -> bool:
    return said[index] == "." and said[index - 1 : index].isdigit() and said[index + 1 : index + 2].isdigit()


def _inside_spelling(said: str, index: int) -> bool:
    """A space before a single character ('坐 牢', '公 安 局') or a figure ('应还 9000 元') is no pause."""
    left, right = said[:index].split(" ")[-1], said[index + 1 :].split(" ")[0]
    right = right.rstrip("".join(_MARKS))
    if len(right) == 1 and (right not in _FILLERS or len(left) == 1):
        return True
    return (left[-1:].isascii() and left[-1:].isdigit()) or (right[:1].isascii() and right[:1].isdigit())


def _undisguise(said: str, characters: list[tuple[str, int]]) -> SpeechText:
    text = "".join(character for character, _ in characters)
    parts: list[str] = []
    origin: list[int] = []
    at = 0
    for found in _DISGUISE.finditer(text):
        parts += (text[at : found.start()], _WORDS[found[0]])
        origin += (index for _, index in characters[at : found.start()])
        first, last = characters[found.start()][1], characters[found.end() - 1][1]
        word = _WORDS[found[0]]
        origin += [first] * (len(word) - 1) + [last]
        at = found.end()
    parts.append(text[at:])
    origin += (index for _, index in characters[at:])
    return SpeechText(said, "".join(parts), tuple(origin))


_DENIAL = re.compile(
    "不会|不能|不得|未(?=安排|派|联系|收到|向|在|对)|不涉及|不受(?!.{0,3}时效)|不影响|不属于|不可|不用|不需|(?<!要)不要(?!脸)|不准备|没有(?!用)|从未|从来不|从没|绝不|决不|并非|并不|(?<!是)不是(?!.{0,12}(嘛|吗|还有))|"
    "无权|无法|未曾|无需|不必|不建议|不推荐|不提供|不索要|不允许|不接受|不承担|没义务|禁止|严禁|请勿|勿|谨防|警惕|小心骗|莫|"
    "别(?!的|想|怪|以为|拿|逼|跟我|怕没|说我|不承认|人)|千万|尚未|没(?!钱|脸|人|好|用|接|动|还|反对|办法|见过|想到)|不(?=收|找|让|建|推|问|做|代)|"
    "最多|不超过|没人能|自愿|如需|如果今后|如果需要|除非|自行|您自己|假如|要是|是否|能否|只有在|不等于|不存在|不构成|不具备|看不到|听不到|哪能|谈不上|不好说|您(要|想)(?=替|帮)"
)
_QUOTE = re.compile(
    "您(刚才|刚|之前|要是|如果)?(说|问|提到|反映|表示|担心|听谁|听说|觉得|转述|主张|骂|投诉的)|有人|谁(说|跟|让|打)|"
    "前面(那个|有|的|一位)|上(回|个)(有人|同事|那个)|上个同事|那个(人|什么|说)|那位同事|他们说|网上|自称|所谓|如有|"
    "前一位|之前有|之前那个(一天|同事|人)|您收到的|例如"
)
_DISCLAIMER = re.compile(
    "是假的|都是假|不属实|不准确|不对|过分|离谱|违规|违反|不合规|不允许|骗子|骗人|是诈骗|没有的事|没这回事|不是这么回事|"
    "登记投诉|提交投诉|上报|(我|们|帮您|为您|会|严肃)(立即|去)?核(查|实)|道歉|赔个不是|不是我们|绝不应|吓唬人|不可信|立即挂断|"
    "(?<!都)报警|千万别|老话|不用担心|不是真的|别信|违法(行为)?[，]?请|会处理|请拒绝|不搭界|犯法的|才算|这个词|不能随便|各是各|"
    "没得关系|跟(咱|我们|这)?(这|个)?没关系|我不问|那回事|质检|才有的|被处理了|没有任何(合作)?关系|从来不|真?不建议|不行的"
)


def is_denied(speech: SpeechText, start: int, end: int) -> bool:
    """True when something in the clause before `end` denies, forbids or makes conditional what is said there."""
    first, last = speech.clause(start, end)
    return any(found.start() < end - first for found in _DENIAL.finditer(speech.text[first:last]))


def is_quoted(speech: SpeechText, start: int, end: int) -> bool:
    """True when the clause reports what the callee or somebody else said, asked or fears."""
    first, _ = speech.clause(start, end)
    found = _QUOTE.search(speech.text[first:end])
    return found is not None


def is_disclaimed(speech: SpeechText, start: int, end: int) -> bool:
    """True when the words after it call it false, forbidden or a matter for complaint."""
    _, last = speech.clause(start, end)
    return bool(_DISCLAIMER.search(speech.text[end : last + 24]))


def is_denied_or_quoted(speech: SpeechText, start: int, end: int) -> bool:
    """True when text[start:end] is denied, conditional, quoted or disclaimed; denial must begin before it."""
    return is_denied(speech, start, start) or is_quoted(speech, start, end) or is_disclaimed(speech, start, end)
