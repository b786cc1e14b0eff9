"""A person, a machine, or nobody yet? By words before and after the answer, by tones, by the rhythm of speech."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from voicebot.audio.answer import LineSound
from voicebot.audio.frames import RATE, cut
from voicebot.domain.talk import GOES_ON
from voicebot.pipeline.machine import WATCH_MS, AnswerWatch, LinePlays, Machine, Person, Verdict


def tone(hertz: float, milliseconds: int) -> bytes:
    at = np.arange(RATE * milliseconds // 1000) / RATE
    return (6000 * np.sin(2 * np.pi * hertz * at)).astype("<i2").tobytes()


def silence(milliseconds: int) -> bytes:
    return bytes(16 * milliseconds)


def answered() -> AnswerWatch:
    watch = AnswerWatch()
    watch.pick_up()
    return watch


def played(watch: AnswerWatch, pcm: bytes, voice: bool = False) -> list[Verdict]:
    return [verdict for frame in cut(pcm) if (verdict := watch.sound(frame, voice))]


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("您好您拨打的号码是空号请核对后再拨", "empty_number"),
        ("您拨打的电话已关机", "power_off"),
        ("您拨打的电话已停机", "suspended"),
        ("您拨打的用户暂时无法接通", "out_of_service"),
        ("您拨打的电话正在通话中请稍后再拨", "busy"),
        ("您拨打的用户正在通话中请不要挂机", "call_waiting"),
        ("您拨打的号吗是孔好", "empty_number"),
    ],
)
@pytest.mark.parametrize("watch", [AnswerWatch, answered], ids=["before", "after"])
def test_announcements_before_the_answer_and_after_it(text: str, cue: str, watch: Callable[[], AnswerWatch]) -> None:
    assert watch().text(text) == Machine("announcement", cue)


def test_an_announcement_is_told_when_it_begins_and_when_it_says_what_the_matter_is() -> None:
    watch = AnswerWatch()
    assert watch.text("您好") is None
    begun = watch.text("您好您拨打的")
    assert isinstance(begun, Machine) and begun.cue in GOES_ON
    assert watch.found is None
    assert watch.text("您好您拨打的电话") is None, "the same once"
    assert watch.text("您好您拨打的电话已关机") == Machine("announcement", "power_off") == watch.found
    assert watch.text("您好您拨打的电话已关机请留言") is None, "what is wrong stays"


@pytest.mark.parametrize("text", ["您好请在嘀声后留言", "您拨打的用户不方便接听请在提示音后录音", "您已进入语音信箱"])
def test_greetings_of_voicemail(text: str) -> None:
    assert answered().text(text) == Machine("voicemail", "greeting")


@pytest.mark.parametrize("text", ["我是机主的智能助理请问有什么事", "机主正忙我帮您转告", "主人现在不方便请说明来意"])
def test_assistants(text: str) -> None:
    assert answered().text(text) == Machine("assistant", "assistant")


@pytest.mark.parametrize(
    "text",
    [
        "喂你好哪位", "我手机昨天关机了没看到", "我明天还钱", "我这边停机了两天", "我不是机主", "他不在我帮你转告他",
        "我是他秘书", "你打错了这是空号", "他正在通话你等一下", "你刚才打的电话无法接通",
    ],
)  # fmt: skip
def test_people_are_no_machines(text: str) -> None:
    assert not isinstance(answered().text(text), Machine)


@pytest.mark.parametrize("text", ["喂", "喂你好", "哪位", "你是谁啊", "你打错了吧", "我在开会"])
def test_what_people_say_first_is_told_at_once_and_once(text: str) -> None:
    watch = answered()
    assert watch.text(text) == Person("hello")
    assert watch.text(text + "啊") is None
    assert not isinstance(AnswerWatch().text(text), Person), "nobody has answered yet"


def test_a_short_hello_and_a_wait_is_a_person() -> None:
    watch = answered()
    assert played(watch, silence(600), voice=True) == []
    assert played(watch, silence(700)) == [Person("pause")]


def test_who_pauses_after_a_machines_first_words_need_not_be_a_person() -> None:
    watch = answered()
    played(watch, silence(600), voice=True)
    watch.text("您好")
    assert played(watch, silence(1500)) == []


def test_words_correct_a_person_into_an_assistant() -> None:
    watch = answered()
    assert watch.text("喂您好") == Person("hello")
    assert watch.text("喂您好我是机主的智能助理") == Machine("assistant", "assistant")


def test_late_words_do_not_count() -> None:
    watch = answered()
    played(watch, bytes(16 * (WATCH_MS + 20)))
    assert watch.over
    assert watch.text("请在嘀声后留言") is None


def test_time_counts_from_the_answer_however_long_it_rang() -> None:
    watch = AnswerWatch()
    played(watch, bytes(16 * WATCH_MS * 2))
    watch.pick_up()
    assert watch.text("请在嘀声后留言") == Machine("voicemail", "greeting")


def test_the_beep_follows_the_greeting_and_counts_once() -> None:
    watch = answered()
    watch.text("请在嘀声后留言")
    assert played(watch, silence(200) + tone(1000, 400) + silence(200)) == [Machine("voicemail", "beep", beep=True)]
    assert played(watch, tone(1000, 400) + silence(200)) == []


def test_a_beep_before_the_answer_or_in_an_announcement_is_no_voicemail() -> None:
    assert played(AnswerWatch(), tone(1000, 400) + silence(200)) == []
    watch = answered()
    watch.text("您拨打的号码是空号")
    assert played(watch, tone(1000, 400) + silence(200)) == []


def test_before_the_answer_ringback_and_music_are_told_once_and_decide_nothing() -> None:
    watch = AnswerWatch()
    told = played(watch, (tone(450, 1000) + silence(4000)) * 3)
    assert told == [LinePlays(LineSound.RINGBACK)]
    assert watch.found is None


def test_a_busy_tone_after_the_answer_is_a_machine_but_not_once_a_person_spoke() -> None:
    busy = (tone(450, 350) + silence(350)) * 5
    assert played(answered(), busy) == [Machine("tone", "busy_tone")]
    watch = answered()
    watch.text("喂")
    assert played(watch, busy) == []


def test_the_tone_before_an_announcement_is_told_as_one() -> None:
    told = played(answered(), b"".join(tone(hertz, 330) for hertz in (950, 1400, 1800)) + silence(200))
    assert told == [Machine("announcement", "unclear")]


def test_a_fax_is_told() -> None:
    assert played(answered(), silence(500) + tone(2100, 2000)) == [Machine("fax", "fax")]


def test_once_a_person_is_known_nothing_makes_a_machine_of_them() -> None:
    watch = answered()
    watch.rule_out()
    assert watch.text("请在嘀声后留言") is None
    assert played(watch, tone(1000, 400)) == []


def test_what_was_found_before_stays_found_until_somebody_picks_up() -> None:
    watch = answered()
    found = watch.text("请在嘀声后留言")
    watch.rule_out()
    assert watch.found is found
    watch.pick_up()
    assert watch.found is None
