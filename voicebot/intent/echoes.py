"""Answers that repeat what was asked for: digits to an identity check, the day and the sum to a read-back promise."""

from __future__ import annotations

import re

from voicebot.domain.understanding import IntentScore, Slots, Topic
from voicebot.intent.text import normalise

_AGREES = re.compile(r"(?:[嗯恩啊哦]*)(?:对+|是的?|好的?|行|中|成|要得|得(?!先)|可以|没错|确认|没问题|妥|系)")
_CHANGES = re.compile(r"不|改|但|可是|能|吗|么|错|推|早点|晚点|换|先|再|别|如果|要是|除非|怎么|多少|冇|等|转|去|"
    r"卡|分期|打|开始|挂|给")
_IDENTITY_WORDS = re.compile(
    r"[零〇一二两三四五六七八九十幺洞拐勾廿百千0-9x叉月号日年初正腊冬元]|尾号|尾数|身份证|证上|后四位|末四位|最后|"
    r"后面|四位|生日|生的|出生|农历|阴历|阳历|"
    r"(?:[我是的嗯啊哦呃那个就吧嘛呀呢了写对上])"
)
_LEFT_OVER = 2
"""Characters beside digits, days and the words around them that an answer to an identity check may hold."""
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁于董余苏叶吕魏蒋田杜丁沈姜范江傅钟卢汪戴崔任陆廖姚方金邱夏谭韦贾"
    "邹石熊孟秦阎薛侯雷白龙段郝孔邵史毛常万顾赖武康贺严尹钱施牛洪龚汤陶黎温莫易樊乔文安殷颜庄章鲁倪庞邢俞翟蓝聂齐向申葛柴伍覃骆关焦柳欧祝纪"
    "尚毕耿芦左季管符辛苗詹曲欧靳祁路涂兰甘裴梅童翁霍游阮尤岳柯牟滕谷舒卜成饶宁凌盛查单冉鲍华包屈房喻解蒲卫简时连车项闵邬吉党阳司费蒙席晏"
    "隋古强穆姬宫景米麦谈柏瞿艾沙鄢桂窦郁缪畅巩卓褚栾戚全娄甄郎池丛边岑农苟迟保商臧佘卞虞刁冷应匡栗仇练楚揭师官佟封燕桑巫敖原植邝仲荆储宗楼"
    "干苑寇盖南屠鞠荣井乐银奚明麻雍花闻冼木郜廉衣蔺和冀占门帅利满习晁"
)
_NAMED = re.compile(rf"(?:我(?:是|叫|就是)|本人)?(?:[{_SURNAMES}]|欧阳|上官|司马|诸葛)[\u4e00-\u9fff]{{1,2}}(?:本人)?")
_NO_NAMES = re.compile(r"方便|时[间候]|单位|干[嘛啥么]|全部|马上|满意|利息|白天|商量|应该|保证|平时|边位|哪|什么|"
    r"明白|高兴|师傅|简单|于是|安静|车上")
_COUNSEL = re.compile(r"我是.{0,8}(?:律师|代理人|委托人|法律顾问)$|我是(?:律师|代理律师)")
_YES_WORDS = frozenset(("嗯", "恩", "对", "是", "是的", "对的", "对啊", "是啊", "没错", "是我", "我是", "我就是",
    "对对", "本人"))
_GREETINGS = frozenset(("喂", "诶", "哎", "哦", "啊", "你好"))
_LONGEST = 16
_SURE = 0.9


def _confirms_name(text: str) -> bool:
    """嗯 余腊梅, 对 是我, 郑阿木 对: yes and a name, or yes twice, and nothing else."""
    parts = [part for part in normalise(text).split() if part not in _GREETINGS]
    words = [part for part in parts if part not in _YES_WORDS]
    if not words:
        return len(parts) > 1
    named = bool(_NAMED.fullmatch(words[0])) and not _NO_NAMES.search(words[0])
    return len(words) == 1 and named and (len(parts) > 1 or words[0].startswith(("我是", "我叫", "我就是")))


def echo(text: str, topic: Topic, slots: Slots) -> IntentScore | None:
    """对 礼拜五 四千 on `promise` confirms it, 六月十号 on `verify` answers it, 我是他的律师 on `open` is somebody
    else; None for anything that says more."""
    line = normalise(text).replace(" ", "")
    if len(line) > _LONGEST:
        return None
    if topic is Topic.VERIFY and (slots.digits or slots.date) and len(_IDENTITY_WORDS.sub("", line)) <= _LEFT_OVER:
        return IntentScore("id_verify_answer", _SURE)
    if topic is Topic.OPEN and _COUNSEL.search(line):
        return IntentScore("tp_relation", _SURE)
    if topic is Topic.OPEN and _confirms_name(text):
        return IntentScore("id_confirm_self", _SURE)
    named = slots.date or slots.amount_fen or slots.ratio == 1.0 or re.search("全部|全额|都还", line)
    if topic is Topic.PROMISE and named and _AGREES.match(line) and not _CHANGES.search(line):
        return IntentScore("ptp_confirm", _SURE)
    return None
