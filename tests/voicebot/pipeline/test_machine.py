"""Is it a machine? Announcements count before the answer, greetings after it, and each cue once."""

import pytest

from voicebot.pipeline.machine import WATCH_MS, AnswerWatch


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("您好您拨打的号码是空号请核对后再拨", "empty_number"),
        ("您拨打的电话已关机", "power_off"),
        ("您拨打的电话已停机", "suspended"),
        ("您拨打的用户暂时无法接通", "out_of_service"),
        ("您拨打的电话正在通话中请稍后再拨", "busy"),
    ],
)
def test_announcements_before_the_answer(text: str, cue: str) -> None:
    machine = AnswerWatch().text(text, answered=False, at_ms=3000)
    assert machine is not None
    assert (machine.kind, machine.cue) == ("announcement", cue)


@pytest.mark.parametrize("text", ["您好请在嘀声后留言", "主人暂时不方便接听请留言", "我是机主的智能助理请问有什么事"])
def test_greetings_after_the_answer(text: str) -> None:
    machine = AnswerWatch().text(text, answered=True, at_ms=3000)
    assert machine is not None and machine.kind == "voicemail"


@pytest.mark.parametrize("text", ["喂你好哪位", "我手机昨天关机了没看到", "我明天还钱", "我这边停机了两天"])
def test_people_are_no_machines(text: str) -> None:
    assert AnswerWatch().text(text, answered=True, at_ms=3000) is None


def test_late_words_do_not_count() -> None:
    assert AnswerWatch().text("请在嘀声后留言", answered=True, at_ms=WATCH_MS + 20) is None


def test_the_beep_follows_the_greeting_and_counts_once() -> None:
    watch = AnswerWatch()
    assert watch.text("请在嘀声后留言", answered=True, at_ms=1000) is not None
    beep = watch.beep(2000)
    assert beep is not None and beep.beep
    assert watch.beep(3000) is None


def test_a_beep_in_an_announcement_is_no_voicemail() -> None:
    watch = AnswerWatch()
    watch.text("您拨打的号码是空号", answered=False, at_ms=1000)
    assert watch.beep(2000) is None


def test_once_a_person_is_known_nothing_makes_a_machine_of_them() -> None:
    watch = AnswerWatch()
    watch.rule_out()
    assert watch.text("请在嘀声后留言", answered=True, at_ms=3000) is None
    assert watch.beep(3000) is None


def test_what_was_found_before_stays_found() -> None:
    watch = AnswerWatch()
    found = watch.text("请在嘀声后留言", answered=True, at_ms=3000)
    watch.rule_out()
    assert watch.found is found
