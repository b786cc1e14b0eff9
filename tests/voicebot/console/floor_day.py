"""A floor at work, for tests and pictures: agents, a call handed over, one that waits, alerts, callbacks, notes."""

from __future__ import annotations

import datetime as dt

from tests.voicebot.console import day
from voicebot.domain.case import Promise
from voicebot.domain.desk import Wrapup
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.outcome import Disposition
from voicebot.domain.plan import Part
from voicebot.domain.records import AgentRecord, AlertKind, CallRecord, Role, WaitingCall
from voicebot.store import Store

AGENTS = (
    AgentRecord("a1", "周敏", "sip:1001@10.0.0.5", ("general", "complaint"), languages=("zh", "yue"), after_call_s=60),
    AgentRecord("a2", "林涛", "sip:1002@10.0.0.5", ("general", "care"), device="browser"),
    AgentRecord("a3", "何静", "sip:1003@10.0.0.5", ("dispute",)),
    AgentRecord("s1", "陈主管", "sip:1900@10.0.0.5", ("crisis",)),
)
UNDERSTOOD = FactKind.UNDERSTOOD
TALK: tuple[tuple[FactKind, dict[str, object], int], ...] = (
    (FactKind.STARTED, {"direction": "outbound", "script": "reminder"}, 0),
    (FactKind.ANSWERED, {}, 600),
    (FactKind.SAID, {"text": "您好，我是星河金融的智能语音助手，本次通话会录音。请问是陈静女士本人吗？"}, 7000),
    (FactKind.HEARD, {"text": "是我。你们怎么又打来了。"}, 10_000),
    (UNDERSTOOD, {"intents": [{"id": "id_confirm_self", "p": 0.9}], "emotion": {"label": "sarcastic"}}, 10_100),
    (FactKind.SAID, {"text": "为保护您的信息，请说一下您身份证号码的后四位。"}, 15_000),
    (FactKind.HEARD, {"text": "三三一八。"}, 18_000),
    (FactKind.VERIFIED, {"by": "id_last4"}, 18_200),
    (UNDERSTOOD, {"intents": [{"id": "id_verify_answer", "p": 0.9}], "emotion": {"label": "neutral"}}, 18_300),
    (FactKind.SAID, {"text": "谢谢您。您的消费分期有一笔七千五百元的账单，请问您什么时候方便还款？"}, 26_000),
    (FactKind.HEARD, {"text": "我上个月失业了，一下子拿不出来，能不能分几期还？"}, 32_000),
    (
        UNDERSTOOD,
        {
            "intents": [{"id": "pay_installment", "p": 0.8}, {"id": "hs_unemployed", "p": 0.9}],
            "emotion": {"label": "anxious"},
        },
        32_200,
    ),
    (FactKind.SAID, {"text": "理解您的难处。我请同事来帮您看一下怎么安排，请稍等。"}, 38_000),
    (FactKind.TRANSFER_STARTED, {"reason": "pay_installment", "skill": "general", "urgent": False}, 38_100),
    (FactKind.AGENT_RINGING, {"agent": "a1", "name": "周敏"}, 38_900),
    (FactKind.AGENT_ANSWERED, {"agent": "a1"}, 42_000),
    (FactKind.BRIEFED, {"agent": "a1", "text": "陈女士，已核身，失业一个月，想分期，情绪有些焦虑。"}, 48_000),
    (FactKind.JOINED, {"agent": "a1", "name": "周敏"}, 48_200),
    (FactKind.AGENT_HEARD, {"text": "陈女士您好，您说的我都看到了。", "start_ms": 48_500, "end_ms": 52_000}, 52_000),
    (FactKind.HEARD, {"text": "那你们能分六期吗？"}, 56_000),
    (UNDERSTOOD, {"intents": [{"id": "pay_installment", "p": 0.9}], "emotion": {"label": "cooperative"}}, 56_100),
    (FactKind.HINT, {"kind": "plan", "text": "对方想分期。先问每月能拿出多少，再用计算器念给对方听。"}, 56_200),
)  # fmt: skip
RINGING = 15
"""As many facts of TALK until the agent's phone rings."""


async def seed(store: Store, now: dt.datetime) -> None:
    """Put people, a queue and their work on the day of `day.seed`."""
    for agent in AGENTS:
        await store.agents.save(agent)
    for agent_id, presence, note in (("a1", "ready", ""), ("a2", "away", "用餐"), ("s1", "ready", "")):
        await store.agents.set_presence(agent_id, presence, now - dt.timedelta(minutes=7), note)
    for name, role, title, agent_id in (
        ("zhou", Role.AGENT, "周敏", "a1"),
        ("lin", Role.AGENT, "林涛", "a2"),
        ("chen", Role.SUPERVISOR, "陈主管", "s1"),
    ):
        await store.users.create(name, role, now, password=day.PASSWORD, display_name=title)
        await store.users.change(name, agent_id=agent_id)
    await store.promises.book_callback(
        "XH20260005", "call-0000", "+8613800138005", now - dt.timedelta(minutes=20), "客户让下午再打", now
    )
    await store.promises.book_callback(None, "call-0001", "+8613800138011", None, "来电未能接通人工", now)
    for case_id in ("XH20260006", "XH20260007"):
        await store.portfolio.pull("a1", now - dt.timedelta(hours=2), case_id)
    await store.promises.record("XH20260004", None, Promise(now.date() - dt.timedelta(days=5), 100_000), now)
    part = Part(now.date() + dt.timedelta(days=3), 120_000)
    started = now - dt.timedelta(seconds=48)
    notes = "先还一部分，余款月底"
    earlier = Wrapup("call-0000", "a1", Disposition.PARTIAL_PROMISE, started, "XH20260004", notes, (part,))
    await store.wrapups.save(earlier, now)
    evening = now + dt.timedelta(hours=3)
    await store.promises.book_callback("XH20260009", None, "+8613800138009", evening, "约定晚上七点", now)


async def hand_over(store: Store, now: dt.datetime, upto: int | None = None, call_id: str = "live-4") -> str:
    """A running call that reached the agent a1, up to that many facts; its id."""
    case = day._case(4, day.PEOPLE[4])
    facts = TALK[:upto]
    began = now - dt.timedelta(milliseconds=facts[-1][2] + 1500)
    number = case.numbers[0].number
    await store.calls.start(CallRecord(call_id, "outbound", number, began, case.case.id, script="reminder"))
    await store.facts.append(
        call_id,
        [
            Fact(seq, (began + dt.timedelta(milliseconds=ms)).astimezone(dt.UTC).isoformat(), ms, kind, data)
            for seq, (kind, data, ms) in enumerate(facts)
        ],
    )
    await store.calls.change(call_id, answered_at=began + dt.timedelta(milliseconds=600))
    await store.agents.claim(["a1"], now - dt.timedelta(seconds=9), call_id=call_id)
    return call_id


async def trouble(store: Store, now: dt.datetime, call_id: str) -> None:
    """Somebody waits too long, and two alerts are open."""
    since, seen = now - dt.timedelta(seconds=75), now + dt.timedelta(days=1)
    await store.waiting.enter(WaitingCall("live-3", "care", "hs_unemployed", since, urgent=True, seen_at=seen))
    await store.alerts.ring(AlertKind.GATE, "“今天不还就上黑名单”", now, call_id=call_id, agent_id="a1")
    await store.alerts.ring(AlertKind.DANGER, "客户流露轻生的意思，正在转人工", now, call_id="live-3")
