"""Tense: does the line promise, tell what has happened, or neither?"""

from __future__ import annotations

import re

from voicebot.domain.understanding import Tense

_DONE = re.compile(
    r"刚刚?(?:才|就|已经|把)?(?:还|转|存|付|交|打了|打过去|扣)|(?:(?<!一)早|都|已经|(?<!一)早就)(?:就|已经)?(?:还|转|付|交|存|"
    r"扣|清|结)(?!款日|在|没|不)|"
    r"(?:还|转|付|交|存|扣|汇|缴|结|划)(?:了|过了?(?![去来账户])|完了|清了|好了|进去了|上了|掉了|过去了|走了)"
    r"(?! ?(?:再|才|我就|就|账|以?后|之?后|没|的话|吧$|[都也]?没|行|吗|不|中|成|好))|打(?:过去|进去|给你们?)了|"
    r"打了(?![一二两三四五六七八九十百千万\d]+(?:次|个|通|遍|回))(?=[一二两三四五六七八九十百千万\d钱款])|我(?:自己)?(?:还|转|交|付)的|(?:昨|前|上|号|早|"
    r"初|底|份|末|礼拜.|周.)[^ 会要肯]{0,6}(?:还|"
    r"转|交|付)的(?!话)|生的|出生|以前(?:还|借)"
)
_NOT_DONE = re.compile(r"(?:一[弄到发转来下拿开卖结收]|过一?阵子?|过[几两]天|下个?月|明天|到时候|以后|给你们?|"
    r"顺便|等|要是|如果|只要|除非|"
    r"什么时候|怎么|没有?|不能|哪里|谁)[^ ]{0,7}$")
_ONCE = re.compile(
    r"昨[天日儿晚夜]|(?<![以之大])前[天儿日](?!面)|大前天|上个?(?:周|月|礼拜|星期)|去年|前[几两]天|上[次回]|寻日|"
    r"半年前|"
    r"[几半一两三四五六七八九十]个?(?:[天月年周]|礼拜|星期)(?:之|以)?前(?!还?(?:到|给|把|能|还))"
)
_PAY = (
    r"(?:还|付|给你|给(?=个?[一二两俩三四五六七八九十百千万半\d])|"
    r"转(?![达告接让人])|处理|交|存|结|弄|清|打(?:过去|钱|款|给你|进))"
)
_PAYING = (
    r"(?<![没不未归偿么什谁哪该用借])(?<!要不)(?<!如何)还(?=(?:个|上个|它个|你们?|您|给)?[一二两俩三四五六七八九十百千万半\d几]|"
    r"你|您|给|清|完(?!的)|上(?!班)|掉|全|本|百分|点|得?上|零头|大头|$| |吧|吗|可以)"
)
_AHEAD = re.compile(
    rf"{_PAYING}|明[天日儿早晚]|后[天儿日]|听日|(?:再?下)+个?(?:周|月|礼拜|星期)|月底|会(?:还|处理|转|付|交|弄|存)|"
    rf"(?:就|再|先|准备|打算|争取|尽量|尽快|慢慢|一定|肯定|保证|可以|能|想|要|只能|每期|每个?月|"
    rf"分.{{1,3}}期)[^了过 ]{{0,6}}{_PAY}|"
    rf"(?:之|以)前[^ ]{{0,6}}{_PAY}|(?:前|(?:之|以)后)(?:还|给你|处理|转|再)|给你(?!们?[了过])|改[成到]?|[挪推延]|"
    rf"换成|马上|一会(?:儿|(?!儿))(?!再?[来打])|待会|立马|"
    r"过[两几]天|改天|分.{1,3}期|每个?月|先(?:还|给|转)"
)


_NOT_SAID = re.compile(r"(?:谁说|没说|没答应|没讲|没承诺)[^ ]*")
_SINCE_THEN = re.compile(r"上[次回].*(?:只能|现在|这[次回]|得[一二两三四五六七八九十\d]|行不|行吗)")


def tense(line: str) -> Tense:
    """Past when something is told as done, future when something is promised or planned, none for bare figures.

    昨天 alone is past; 上个月没还上 月底还 is future: what is said to come weighs more than when it began.
    """
    for found in _DONE.finditer(line):
        if not _NOT_DONE.search(line[: found.start()]):
            return Tense.PAST
    if _AHEAD.search(_NOT_SAID.sub("", line)) or _SINCE_THEN.search(line):
        return Tense.FUTURE
    return Tense.PAST if _ONCE.search(line) else Tense.NONE
