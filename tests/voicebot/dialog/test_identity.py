"""Identity factors and self-naming in the words of real callees."""

from __future__ import annotations

import pytest

from voicebot.dialog.identity import matches, names_himself
from voicebot.dialog.wording import cues_of
from voicebot.domain.case import Debtor
from voicebot.domain.understanding import Slots

RIGHT = [
    ("后四位啊，二三幺五", "2315", "0812"),
    ("八月十二的生日", "2315", "0812"),
    ("零八一二", "2315", "0812"),
    ("二三 幺五", "2315", None),
    ("二零八，最后是个叉", "208X", "1224"),
    ("八六一，叉，英文那个X", "861X", "1018"),
    ("尾号二零八X", "208x", None),
    ("元月七号", None, "0107"),
    ("十二月二十四", None, "1224"),
    ("廿六 六月廿六", None, "0626"),
    ("一九八七零八幺二", None, "0812"),
    ("2315", "2315", None),
    ("六月…十四", None, "0614"),
]


@pytest.mark.parametrize(("text", "last4", "birth"), RIGHT)
def test_right_factor(text: str, last4: str | None, birth: str | None) -> None:
    assert matches(text, Slots(), Debtor("1", "李", id_last4=last4, birth_mmdd=birth)) == (True, True)


WRONG = [
    ("二三一六", "2315", "0812", True),
    ("八月十三", "2315", "0812", True),
    ("记不得了", "2315", "0812", False),
    ("二三一五", None, None, True),
    ("二三一", "2315", None, False),
    ("一二三四 不对 五六七八 不对 九零一二 不对 二三一五", "2315", None, True),
    ("十三月四十号", None, "1340", False),
    ("一三八零零零零二三一五", "2315", None, False),
]


@pytest.mark.parametrize(("text", "last4", "birth", "offered"), WRONG)
def test_wrong_factor(text: str, last4: str | None, birth: str | None, offered: bool) -> None:
    debtor = Debtor("1", "李", id_last4=last4, birth_mmdd=birth)
    assert matches(text, Slots(), debtor) == (offered, False)


def test_digits_the_understanding_found_count_too() -> None:
    assert matches("嗯嗯", Slots(digits="2315"), Debtor("1", "李", id_last4="2315")) == (True, True)


HIMSELF = [
    "我是", "是我，你讲嘛", "嗯我是咋了", "系我，咩事啊？", "俺就是你说", "我是本人", "对对，李振海，说吧",
    "李振海，对",
    "嗯，李振海，他在里屋呢",
]  # fmt: skip
SOMEBODY_ELSE = [
    "我是他老婆", "李振海啊，他不在", "不是我", "我是他同事", "打错了", "没有李振海这个人", "他是我儿子",
    "我是来电秘书", "你谁",
]  # fmt: skip


@pytest.mark.parametrize("text", HIMSELF)
def test_who_names_himself(text: str) -> None:
    assert names_himself(text, "李振海")


@pytest.mark.parametrize("text", SOMEBODY_ELSE)
def test_who_does_not(text: str) -> None:
    assert not names_himself(text, "李振海")


CUES = [
    ("后天咯，后天甲方打尾款给我", "call", False),
    ("你后天晚上再打", "call", True),
    ("下周一你再打", "ring", True),
    ("档口忙着呢，讲吧", "ready", True),
    ("不对不对，是下周五", "denies", True),
    ("对，没错", "denies", False),
    ("您拨打的用户已关机", "machine", True),
    ("喂，您好，我是来电秘书，主人正忙", "machine", True),
    ("你认得机主啊？这手机我捡的", "machine", False),
]


@pytest.mark.parametrize(("text", "cue", "there"), CUES)
def test_turns_of_phrase(text: str, cue: str, there: bool) -> None:
    assert (cue in cues_of(text)) is there
