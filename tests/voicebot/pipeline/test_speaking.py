"""From the dialog's sentences to orders for the line: in order, rendered once, checked, dropped when interrupted."""

from __future__ import annotations

import asyncio
import datetime as dt

from pipecat.frames.frames import InterruptionFrame

from voicebot.config import scripts_dir
from voicebot.dialog.events import Heard, Spoken, Started
from voicebot.dialog.loader import load_script
from voicebot.domain.case import CallFacts, Case, Creditor, Debtor, Salutation
from voicebot.domain.journal import FactKind
from voicebot.domain.talk import BRIEFING, Flush, HandOver, HangUpCall, Note, Order, Play
from voicebot.domain.understanding import IntentScore, Topic, Understanding
from voicebot.pipeline.conversation import Conversation
from voicebot.pipeline.frames import BriefingFrame, DialogEventFrame, ForeseenFrame, OrderFrame, UtterFrame
from voicebot.pipeline.live_gate import SAFE, LiveGate
from voicebot.pipeline.script_dialog import ScriptDialog
from voicebot.pipeline.speech_out import CachedTTS
from voicebot.pipeline.transport import PhoneTransport
from voicebot.tts.cache import PromptCache
from voicebot.tts.voices import VoiceSpec

from .chain import chain

NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)
CASE = Case(
    id="L-1",
    debtor=Debtor("d", "李振海", Salutation.MR, "4321"),
    creditor=Creditor("b", "示范消费金融有限公司", "示范服务中心", "4008001234"),
    product="消费分期",
    amount_fen=126800,
    overdue_days=3,
    as_of=NOW.date(),
)
FACTS = CallFacts("c1", NOW, CASE)


class Voice:
    """A synthesizer whose sound tells its text; it can be slow and it can fail."""

    name = "test"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def synthesize(self, text: str, voice: str | VoiceSpec | None = None, rate: int | None = None) -> bytes:
        self.asked.append(text)
        if "fail" in text:
            raise RuntimeError("no voice")
        return text.encode("utf-16-le") * 4


class Line:
    """What the line is ordered, in order; sound as (id, bytes, last)."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.sounds: list[tuple[str, bytes, bool]] = []

    def sound(self, call: int, utterance_id: str, pcm: bytes, last: bool) -> None:
        self.sounds.append((utterance_id, pcm, last))

    def of(self, kind: FactKind) -> list[dict[str, object]]:
        return [order.data for order in self.orders if isinstance(order, Note) and order.kind is kind]


async def until(condition: object) -> None:
    """Rendering happens in a thread: give it a moment."""
    for _ in range(200):
        if callable(condition) and condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never happened")


async def test_each_sentence_is_ordered_before_its_sound_and_closed() -> None:
    line, voice, conversation = Line(), Voice(), Conversation(7, "c1")
    output = PhoneTransport(conversation, line.orders.append, line.sound).output()
    async with chain(CachedTTS(PromptCache(voice)), output) as one:
        await one.put(UtterFrame("u1", "您好", "open", False, 41), UtterFrame("u2", "再见", "end"))
        await one.put(OrderFrame(HangUpCall(7)))
        await until(lambda: HangUpCall(7) in line.orders)
    assert line.orders == [
        Play(7, "u1", "您好", "open", False, 41),
        Play(7, "u2", "再见", "end", True, None),
        HangUpCall(7),
    ]
    assert line.sounds == [
        ("u1", "您好".encode("utf-16-le") * 4, False),
        ("u1", b"", True),
        ("u2", "再见".encode("utf-16-le") * 4, False),
        ("u2", b"", True),
    ]


async def test_a_voice_that_fails_costs_a_second_of_silence_and_not_the_call() -> None:
    line, conversation = Line(), Conversation(7, "c1")
    output = PhoneTransport(conversation, line.orders.append, line.sound).output()
    async with chain(CachedTTS(PromptCache(Voice())), output) as one:
        await one.put(UtterFrame("u1", "fail", "open"), UtterFrame("u2", "好", "open"))
        await until(lambda: ("u2", b"", True) in line.sounds)
    assert line.sounds[0] == ("u1", bytes(16000), False)
    assert ("u1", b"", True) in line.sounds


async def test_what_was_foreseen_is_rendered_before_it_is_said() -> None:
    line, conversation, prompts = Line(), Conversation(7, "c1"), PromptCache(Voice())
    output = PhoneTransport(conversation, line.orders.append, line.sound).output()
    async with chain(CachedTTS(prompts), output) as one:
        await one.put(ForeseenFrame(("fail", "李先生您好")))
        await until(lambda: prompts.figures.ahead == 1)
        await one.put(UtterFrame("u1", "李先生您好", "open"))
        await until(lambda: ("u1", b"", True) in line.sounds)
    assert (prompts.figures.hits, prompts.figures.misses) == (1, 0)


async def test_the_briefing_is_sound_for_the_agent_and_no_order_to_play() -> None:
    line, conversation = Line(), Conversation(7, "c1")
    output = PhoneTransport(conversation, line.orders.append, line.sound).output()
    async with chain(CachedTTS(PromptCache(Voice())), output) as one:
        await one.put(BriefingFrame("客户要求人工"), OrderFrame(HandOver(7, "asked", "general", "客户要求人工")))
        await until(lambda: line.orders)
    assert [name for name, _, _ in line.sounds] == [BRIEFING, BRIEFING]
    assert line.orders == [HandOver(7, "asked", "general", "客户要求人工")], "before the sound was there"


async def test_an_interruption_flushes_the_line() -> None:
    line, conversation = Line(), Conversation(7, "c1")
    output = PhoneTransport(conversation, line.orders.append, line.sound).output()
    async with chain(output) as one:
        await one.put(InterruptionFrame())
    assert line.orders == [Flush(7)]


def heard(text: str, intent: str) -> DialogEventFrame:
    return DialogEventFrame(Heard(NOW, Understanding(text, (IntentScore(intent, 0.98),))), answers_tick=99)


async def test_the_script_speaks_listens_and_answers_with_the_tick_it_answers() -> None:
    conversation = Conversation(7, "c1")
    dialog = ScriptDialog(load_script(scripts_dir() / "reminder.yaml"), FACTS, conversation, LiveGate(FACTS))
    async with chain(dialog) as one:
        await one.put(DialogEventFrame(Started(NOW)))
        opening = [frame for frame in one.out if isinstance(frame, UtterFrame)]
        assert opening and opening[0].answers_tick is None
        assert set(conversation.speaking) == {frame.utterance_id for frame in opening}
        assert conversation.listening and conversation.topic is Topic.OPEN
        for frame in opening:
            conversation.speaking.pop(frame.utterance_id)
            await one.put(DialogEventFrame(Spoken(NOW, frame.utterance_id, 900, 900, False)))
        assert conversation.listening, "after its own words the bot is deaf"
        one.out.clear()
        await one.put(heard("我是", "id_confirm_self"))
        answers = [frame.answers_tick for frame in one.out if isinstance(frame, UtterFrame)]
        assert answers[0] == 99, "the line can't tell how long the caller waited"
        assert set(answers[1:]) <= {None}
        decided = [frame.order for frame in one.out if isinstance(frame, OrderFrame)]
        assert any(isinstance(order, Note) and order.kind is FactKind.DECIDED for order in decided)


def test_the_last_gate_lets_no_debt_through_to_a_stranger() -> None:
    gate = LiveGate(FACTS)
    text = "您在示范消费金融有限公司的消费分期欠款1268元，已经逾期3天。"
    spoken, rules = gate.pass_on(text)
    assert spoken == SAFE
    assert rules
    gate.verified = True
    assert gate.pass_on("您本期应还1268元。") == ("您本期应还1268元。", [])
