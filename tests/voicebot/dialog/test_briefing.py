"""What the agent hears first: the weightiest things, in five to eight seconds."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from voicebot.dialog.briefing import LONGEST_S, SHORTEST_S, Known, briefing, seconds
from voicebot.domain.case import Case, Creditor, Debtor, Promise, Salutation
from voicebot.domain.understanding import EmotionLabel


def case(amount_fen: int = 126800, days: int = 3, name: str = "李振海") -> Case:
    return Case(
        id="L-1", debtor=Debtor("d-1", name, Salutation.MR, "4321", "0815"),
        creditor=Creditor("b-1", "示范消费金融有限公司", "示范服务中心", "4008001234"), product="消费分期",
        amount_fen=amount_fen, overdue_days=days, as_of=dt.date(2026, 11, 24), principal_fen=amount_fen, fees_fen=0,
    )  # fmt: skip


whys = st.sampled_from(["客户要求人工服务", "客户投诉，请先道歉并受理", "客户有特殊困难，请关怀，不要催促"])
names = st.sampled_from(["李振海", "欧阳娜娜", "阿不都热合曼"])
promises = st.none() | st.builds(
    lambda fen: Promise(dt.date(2026, 11, 27), fen, True), st.integers(100, 9_999_999)
)  # fmt: skip


@given(
    st.builds(
        Known,
        whys,
        st.builds(case, st.integers(1, 99_999_999), st.integers(1, 3000), names),
        st.booleans(),
        about_debt=st.booleans(),
        promise=promises,
        emotion=st.sampled_from(EmotionLabel),
    )
)
def test_it_takes_five_to_eight_seconds_and_always_says_who_and_why(known: Known) -> None:
    text = briefing(known)
    assert SHORTEST_S * 0.95 <= seconds(text) <= LONGEST_S
    assert known.case is not None
    assert known.case.debtor.name in text
    assert known.why in text
    assert ("已核实" in text) == known.verified
    assert not any(c.isascii() and c.isalnum() for c in text), "digits are written out for the voice"


def test_anger_comes_before_figures() -> None:
    text = briefing(Known("客户要求人工服务", case(), True, emotion=EmotionLabel.ANGRY))
    assert "情绪激动" in text


def test_danger_says_nothing_of_the_bill() -> None:
    text = briefing(Known("对方流露轻生的意思，只关心人，不谈别的", case(), True, about_debt=False))
    assert "元" not in text
    assert "逾期" not in text


def test_an_unknown_caller_is_said_to_be_one() -> None:
    assert briefing(Known("客户要求人工", None, False)).startswith("来电号码没有对应的客户")
