"""A day at a call centre for tests and screenshots: cases, campaigns, sealed calls and two calls that still run."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voicebot.domain.attempt import Outcome
from voicebot.domain.campaign import Campaign, CampaignState, Segment
from voicebot.domain.case import Case, Creditor, Debtor, Promise, Salutation
from voicebot.domain.clock import SHANGHAI, FixedClock
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.outcome import Disposition
from voicebot.domain.permission import DialRequest
from voicebot.domain.records import CallRecord, Number, Role
from voicebot.evidence.bundle import bundle_folder
from voicebot.evidence.recorder import Recorder
from voicebot.evidence.signer import Signer
from voicebot.store import Store
from voicebot.store.cases import NewCase

PASSWORD = "demo-password-1"
BANK = Creditor("CR1", "星河消费金融有限公司", "星河金融", "4000000001")
PEOPLE = ("张伟", "王芳", "李娜", "刘洋", "陈静", "杨帆", "赵磊", "黄敏", "周杰", "吴桐", "徐丽", "孙浩")
PRODUCTS = ("星河e贷", "消费分期", "星河信用卡")


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance of a scene, with what was understood of it."""

    speaker: str
    text: str
    node: str = ""
    intents: tuple[str, ...] = ()
    emotion: str = "neutral"


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens in a call."""

    disposition: Disposition
    turns: tuple[Turn, ...]
    verified: bool = True
    promise_fen: int = 0
    handoff: bool = False


PROMISED = Scene(
    Disposition.PROMISE_TO_PAY,
    (
        Turn("bot", "您好，我是星河金融的智能语音助手，本次通话会录音。请问是张伟先生本人吗？", "open"),
        Turn("caller", "嗯，我是，什么事？", "open", ("id_confirm_self",)),
        Turn("bot", "为保护您的信息，请说一下您身份证号码的后四位。", "verify"),
        Turn("caller", "三三一八。", "verify", ("id_verify_answer",)),
        Turn(
            "bot",
            "谢谢您，核对无误。您在我司的星河e贷有一笔三千五百元的账单已逾期十二天，请问您什么时候方便还款？",
            "debt",
        ),
        Turn("caller", "最近手头有点紧，工资还没发下来呢，你们别催了行不行。", "debt", ("hs_salary_delay",), "anxious"),
        Turn("bot", "理解您的难处。您预计工资什么时候能发呢？", "reason"),
        Turn("caller", "下周五吧，发了我就还上。", "reason", ("ptp_payday", "ptp_date")),
        Turn("bot", "好的，跟您确认一下：十一月二十七日星期五，还款三千五百元，对吗？", "promise"),
        Turn("caller", "对，就这么定。", "promise", ("ptp_confirm",), "cooperative"),
        Turn("bot", "已经为您登记。您可以在星河金融手机应用里还款。感谢您的接听，再见。", "close"),
    ),
    promise_fen=350000,
)
ANGRY = Scene(
    Disposition.HUMAN_REQUESTED,
    (
        Turn("bot", "您好，我是星河金融的智能语音助手，本次通话会录音。请问是王芳女士本人吗？", "open"),
        Turn("caller", "你们一天打八遍，有完没完！", "open", ("cp_frequency",), "angry"),
        Turn("bot", "给您带来打扰非常抱歉。请问您是王芳女士本人吗？", "open"),
        Turn("caller", "我不跟机器说，转人工！", "open", ("m_human",), "angry"),
        Turn("bot", "好的，马上为您转接人工，请稍等。", "handover"),
    ),
    verified=False,
    handoff=True,
)
THIRD = Scene(
    Disposition.THIRD_PARTY,
    (
        Turn("bot", "您好，我是星河金融的智能语音助手，本次通话会录音。请问是李娜女士本人吗？", "open"),
        Turn("caller", "她出去了，没带手机，我是她妈妈。", "open", ("tp_not_here", "tp_relation")),
        Turn("bot", "好的，麻烦您转告她方便时致电四零零零零零零零零一。打扰您了，再见。", "third_party"),
    ),
    verified=False,
)
HARD = Scene(
    Disposition.HARDSHIP,
    (
        *PROMISED.turns[:5],
        Turn(
            "caller", "我失业三个月了，孩子还在住院，实在拿不出来。", "debt", ("hs_unemployed", "hs_family_ill"), "sad"
        ),
        Turn(
            "bot",
            "听到您的情况我很难过，祝孩子早日康复。我请同事帮您看看有没有合适的办法，明天与您联系，可以吗？",
            "hardship",
        ),
        Turn("caller", "好吧，谢谢。", "hardship", ("m_affirm",), "cooperative"),
    ),
)
SCENES = (PROMISED, ANGRY, THIRD, HARD)
SILENT = (Disposition.NO_ANSWER, Disposition.BUSY, Disposition.UNREACHABLE, Disposition.REJECTED)


async def seed(store: Store, recordings: Path, now: dt.datetime, past_calls: int = 26) -> None:
    """Fill an empty, migrated database and a recordings folder as if a morning had passed before `now`."""
    await store.users.create("demo", Role.ADMIN, now, password=PASSWORD, display_name="演示管理员")
    await store.users.create("qa", Role.REVIEWER, now, password=PASSWORD, display_name="质检一号")
    await store.cases.save([_case(index, name) for index, name in enumerate(PEOPLE)], now)
    await _campaigns(store, now)
    signer = Signer.load_or_create(recordings.parent / "keys")
    for index in range(past_calls):
        began = now - dt.timedelta(minutes=9 * (past_calls - index))
        if index % 4 == 3:
            await _unanswered(store, index, SILENT[index // 4 % 4], began)
        else:
            await play(store, recordings, signer, index, SCENES[(index * 5 + 1) % 4 if index % 3 else 0], began)


async def play(store: Store, recordings: Path, signer: Signer, index: int, scene: Scene, began: dt.datetime) -> str:
    """Record, seal and settle one call from start to end; its id."""
    call_id = f"call-{index:04d}"
    case = _case(index % len(PEOPLE), PEOPLE[index % len(PEOPLE)])
    clock = FixedClock(began)
    folder = bundle_folder(recordings, call_id, began)
    recorder = await asyncio.to_thread(
        lambda: Recorder(folder, call_id, clock=clock, environment={"script": "reminder"})
    )
    facts: list[Fact] = []
    recorder.subscribe(facts.append)
    await store.calls.start(_record(call_id, case, index, began))
    for kind, data, seconds, side in script_of(case, scene, began.date()):
        for _ in range(round(seconds * 50)):
            recorder.tick(_sound(recorder.ms, side == "bot"), _sound(recorder.ms, side == "caller"), False)
        clock.advance(dt.timedelta(seconds=seconds))
        recorder.append(kind, data)
    path = await asyncio.to_thread(recorder.seal, signer)
    await store.facts.append(call_id, facts)
    promise = Promise(began.date() + dt.timedelta(days=6), scene.promise_fen, True) if scene.promise_fen else None
    if promise:
        await store.promises.record(case.case.id, call_id, promise, clock.now())
    moods: dict[str, int] = {}
    for turn in scene.turns:
        if turn.speaker == "caller":
            moods[turn.emotion] = moods.get(turn.emotion, 0) + 1
    await store.calls.change(
        call_id,
        answered_at=began + dt.timedelta(seconds=2),
        ended_at=clock.now(),
        duration_ms=recorder.ms,
        disposition=scene.disposition,
        verified=scene.verified,
        handoff=scene.handoff,
        emotion=moods,
        bundle=str(path.relative_to(recordings)),
    )
    return call_id


def script_of(case: NewCase, scene: Scene, today: dt.date) -> Sequence[tuple[FactKind, dict[str, object], float, str]]:
    """The facts of a scene: kind, data, and how many seconds of whose sound come before each."""
    kinds: list[tuple[FactKind, dict[str, object], float, str]] = [
        (FactKind.STARTED, {"direction": "outbound", "case_id": case.case.id, "script": "reminder"}, 0, ""),
        (FactKind.RINGING, {"status": 180}, 0, ""),
        (FactKind.ANSWERED, {}, 0.6, ""),
    ]
    node = ""
    for number, turn in enumerate(scene.turns):
        length = round(0.6 + 0.19 * len(turn.text), 2)
        if turn.speaker == "bot":
            if node and turn.node != node:
                why = scene.turns[number - 1].intents[:1] if number else ()
                branch = why[0] if why else "next"
                kinds.append((FactKind.DECIDED, _decided(node, turn.node, branch), 0, ""))
            node = turn.node
            said: dict[str, object] = {"utterance_id": f"u{number}", "text": turn.text, "node": turn.node}
            kinds.append((FactKind.LATENCY, {"turn_ms": 520 + 37 * number}, 0.5, ""))
            kinds.append((FactKind.SAYING, {**said, "interruptible": True}, 0, ""))
            whole = round(length * 1000)
            kinds.append((FactKind.SAID, {**said, "heard_ms": whole, "total_ms": whole}, length, "bot"))
        else:
            kinds.append((FactKind.HEARD, {"text": turn.text, "confidence": 0.92}, length + 0.4, "caller"))
            kinds.append((FactKind.UNDERSTOOD, _understood(turn), 0, ""))
            if turn.node == "verify":
                kinds.append((FactKind.VERIFIED, {"by": "id_last4"}, 0, ""))
    if scene.promise_fen:
        day = (today + dt.timedelta(days=6)).isoformat()
        kinds.append((FactKind.PROMISED, {"date": day, "amount_fen": scene.promise_fen, "confirmed": True}, 0, ""))
    if scene.handoff:
        kinds += [
            (FactKind.TRANSFER_STARTED, {"reason": "m_human", "skill": "reminder"}, 0.2, ""),
            (FactKind.AGENT_RINGING, {"agent": "坐席 08 周老师"}, 0.4, ""),
            (FactKind.AGENT_ANSWERED, {"agent": "坐席 08 周老师"}, 2.2, ""),
            (
                FactKind.BRIEFED,
                {"agent": "坐席 08", "text": "客户抱怨来电频繁，情绪激动，要求人工，尚未核身。"},
                3.0,
                "",
            ),
            (FactKind.JOINED, {"agent": "坐席 08 周老师"}, 0.2, ""),
        ]
    kinds.append((FactKind.DISPOSITION, {"disposition": scene.disposition.value, "why": _why(scene)}, 0, ""))
    kinds.append((FactKind.ENDED, {"by": "remote", "status": 200}, 0.5, ""))
    return kinds


async def run_call(store: Store, index: int, scene: Scene, now: dt.datetime, upto: int) -> str:
    """Start a call that has not ended: the first `upto` facts of the scene, as its line would copy them."""
    call_id = f"live-{index}"
    case = _case(index, PEOPLE[index])
    began = now - dt.timedelta(seconds=41 + 17 * index)
    await store.calls.start(_record(call_id, case, index, began))
    ms, facts = 0, []
    for seq, (kind, data, seconds, _) in enumerate(script_of(case, scene, now.date())[:upto]):
        ms += round(seconds * 1000)
        facts.append(Fact(seq, (began + dt.timedelta(milliseconds=ms)).astimezone(dt.UTC).isoformat(), ms, kind, data))
    await store.facts.append(call_id, facts)
    await store.calls.change(call_id, answered_at=began + dt.timedelta(seconds=1))
    return call_id


async def _unanswered(store: Store, index: int, disposition: Disposition, began: dt.datetime) -> None:
    case = _case(index % len(PEOPLE), PEOPLE[index % len(PEOPLE)])
    call_id = f"call-{index:04d}"
    await store.calls.start(_record(call_id, case, index, began))
    await store.calls.change(call_id, ended_at=began + dt.timedelta(seconds=25), duration_ms=0, disposition=disposition)


async def _campaigns(store: Store, now: dt.datetime) -> None:
    created = now - dt.timedelta(days=2)
    first = Campaign("M1-11", "十一月 M1 提醒", "reminder", CampaignState.DRAFT, created)
    second = Campaign("M2-11", "大额首逾关怀", "reminder", CampaignState.DRAFT, created, Segment(min_amount_fen=600000))
    for campaign in (first, second):
        await store.campaigns.save(campaign)
        await store.campaigns.start(campaign.id, now)
    leased = await store.attempts.lease("w1", 9, now, _allow)
    for index, attempt in enumerate(leased):
        await store.attempts.place(attempt.id, "w1", f"call-{index:04d}", now)
        if index < 5:
            scene = SCENES[index % 4]
            outcome = Outcome(scene.disposition, True, _why(scene), f"call-{index:04d}")
            await store.attempts.settle(attempt.id, "w1", outcome, now)
    await store.campaigns.stop("M2-11", now)


@dataclass(frozen=True, slots=True)
class _Allowed:
    allowed: bool = True
    rule: str | None = None
    reason: str = "在允许的时段内"
    not_before: dt.datetime | None = None
    pack_sha256: str = "0" * 64


def _allow(request: DialRequest, now: dt.datetime) -> _Allowed:
    return _Allowed()


def _case(index: int, name: str) -> NewCase:
    debtor = Debtor(f"D{index:03d}", name, Salutation.UNKNOWN, "3318", "0806")
    case = Case(
        id=f"XH2026{index:04d}",
        debtor=debtor,
        creditor=BANK,
        product=PRODUCTS[index % 3],
        amount_fen=(350000, 128050, 1260000, 86000, 702000)[index % 5],
        overdue_days=5 + 7 * (index % 6),
        as_of=dt.date(2026, 11, 21),
    )
    return NewCase(case, (Number(f"+861380013{8000 + index}"),))


def _record(call_id: str, case: NewCase, index: int, began: dt.datetime) -> CallRecord:
    return CallRecord(
        id=call_id,
        direction="inbound" if index % 9 == 5 else "outbound",
        number=case.numbers[0].number,
        started_at=began,
        case_id=case.case.id,
        campaign_id="M1-11",
        worker="w1",
        script="reminder",
    )


def _decided(before: str, after: str, branch: str) -> dict[str, object]:
    return {"from_node": before, "to_node": after, "branch": branch, "why": branch}


def _understood(turn: Turn) -> dict[str, object]:
    return {
        "intents": [{"id": name, "p": 0.9 - 0.2 * rank} for rank, name in enumerate(turn.intents)],
        "emotion": {"label": turn.emotion, "p": 0.8},
        "danger": False,
        "topic": "any",
    }


def _why(scene: Scene) -> str:
    heard = [turn.intents[0] for turn in scene.turns if turn.intents]
    return heard[-1] if heard else ""


def _sound(ms: int, speaking: bool) -> bytes:
    """20 ms that look like speech: a hum in syllables of about a fifth of a second."""
    if not speaking:
        return bytes(320)
    t = (ms + np.arange(160) / 8) / 1000
    syllable = np.clip(np.sin(2 * np.pi * 2.3 * t), 0, 1) * (0.55 + 0.45 * np.sin(2 * np.pi * 0.37 * t))
    hum = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in (1, 2, 3, 5))
    pcm: bytes = (7000 * syllable * hum).astype("<i2").tobytes()
    return pcm


def morning() -> dt.datetime:
    """Now, in the law's zone: the pages ask for today."""
    return dt.datetime.now(SHANGHAI)
