"""First words: the sentence with which a person takes over, so that the debtor need not repeat themself. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from voicebot.domain.case import Promise
from voicebot.domain.money import yuan


def opening(name: str, institution: str, agent_name: str) -> str:
    """The first sentence of a call in which nobody has said anything yet: who we are, recording, who you are."""
    asked = f"请问是{name}本人吗？" if name else "请问怎么称呼您？"
    return f"您好，我是{institution}的客服{agent_name}，本次通话会录音。{asked}"


def first_sentence(
    who: str,
    institution: str,
    agent_name: str,
    *,
    reason: str,
    intents: Sequence[str],
    mood: str,
    verified: bool,
    danger: bool,
    promise: Promise | None,
    today: dt.date,
) -> str:
    """One or two sentences to read aloud. Before identity is verified no word of them discloses a debt (CN-C3)."""
    if danger or _any((reason, *intents), "vu_selfharm"):
        me = f"{who or '您'}，您好，我是客服人员{agent_name}，一直在听您说话。"
        return f"{me}现在别的都不重要，您此刻安全吗？身边有人吗？"
    hello = "您好" if who in ("", "您") else f"{who}您好"
    greeting = f"{hello}，我是{institution}的客服{agent_name}，刚才您和语音助手说的我都看到了，不用再重复。"
    if not verified:
        return greeting + _unverified(reason, intents, mood)
    return greeting + _verified(reason, intents, mood, promise, today)


def _unverified(reason: str, intents: Sequence[str], mood: str) -> str:
    words = (reason, *intents)
    if _any(words, "tp_deceased"):
        return "请您节哀。我只向您核实一下情况，其他事情都不急。"
    if _any(words, "tp_"):
        return "我只想请您帮忙转告本人方便时回电，不会耽误您。"
    if mood == "angry" or _any(words, "cp_", "dnc_"):
        return "给您带来打扰，我先向您道歉。您希望我怎么处理？"
    if _any(words, "id_suspect_scam", "id_who_are_you", "id_how_got_number"):
        return "您有顾虑很正常，您可以挂断后拨打我们的官方客服电话核实。需要我把号码告诉您吗？"
    return "为了保护您的信息，我先和您核对一项身份资料，可以吗？"


def _verified(reason: str, intents: Sequence[str], mood: str, promise: Promise | None, today: dt.date) -> str:
    words = (reason, *intents)
    if _any(words, "hs_illness", "hs_family_ill", "tp_deceased"):
        return "听到您家里的情况，我很难过。身体要紧，今天不谈还款也没关系，您现在最需要我帮什么？"
    if _any(words, "vu_"):
        return "我们慢慢说，不着急。您现在最需要我帮什么？"
    if _any(words, "cp_"):
        return "给您带来不好的感受，我先向您道歉。您的投诉由我来受理，请您讲，我记录下来。"
    if _any(words, "dp_"):
        return "您对这笔账有疑问，我先帮您核对清楚，核清之前不会催您。您觉得哪一笔不对？"
    if mood == "angry" or _any(words, "ab_"):
        return "给您带来打扰，我先向您道歉。您先说，我听着。"
    if _any(words, "hs_"):
        return "您的难处我了解了，谢谢您直接告诉我们。我们一起看看有没有您负担得起的办法，可以吗？"
    if _any(words, "pay_installment", "pay_extend", "pay_discount"):
        return "您想调整还款方式，我来帮您看一下能怎么安排。您每个月大概能拿出多少？"
    if promise is not None:
        promised = f"{_day(promise.date, today)}还{yuan(promise.amount_fen)}元"
        return f"您刚才说{promised}，我来帮您确认。还有什么需要我帮忙的吗？"
    return "请问您希望我帮您处理什么？"


def _day(date: dt.date, today: dt.date) -> str:
    near = {0: "今天", 1: "明天", 2: "后天"}.get((date - today).days)
    return near or f"{date.month}月{date.day}日"


def _any(words: Sequence[str], *beginnings: str) -> bool:
    return any(word.startswith(beginnings) for word in words)
