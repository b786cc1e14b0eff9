"""What a journal tells, folded fact by fact."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.voicebot.console import day
from voicebot.console.chips import emotion_class
from voicebot.console.journal_values import label
from voicebot.console.live import LiveBoard
from voicebot.console.pages.call import call_page
from voicebot.console.pages.running import live_body
from voicebot.console.queries import CallRow
from voicebot.console.scriptpath import drawn_path, visited
from voicebot.console.store_data import StoreData
from voicebot.console.story import CallStory, Step, advance, tell
from voicebot.console.words import TEXTS, Words
from voicebot.domain.attempt import ContactStop
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.phone import mask_number
from voicebot.store import Store

AT = "2026-11-21T02:00:00+00:00"
ROW = CallRow("c1", dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC), ended_at=dt.datetime(2026, 11, 21, 11, tzinfo=dt.UTC))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10**7) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(["text", "intents", "emotion", "start_ms", "end_ms", "date", "amount_fen", "heard_ms",
                        "utterance_id", "from_node", "to_node", "disposition", "turn_ms", "speaker"])  # fmt: skip


def fact(kind: FactKind, ms: int = 0, seq: int = 0, **data: object) -> Fact:
    return Fact(seq, AT, ms, kind, data)


def test_a_scene_is_told_in_full() -> None:
    case = day._case(0, "张伟")
    ms, facts = 0, []
    for seq, (kind, data, seconds, _) in enumerate(day.script_of(case, day.PROMISED, dt.date(2026, 11, 21))):
        ms += round(1000 * seconds)
        facts.append(Fact(seq, AT, ms, kind, data))
    story = tell(facts)
    assert [line.text for line in story.lines] == [turn.text for turn in day.PROMISED.turns]
    assert story.stage == "ended" and story.verified and story.disposition == "promise_to_pay"
    assert story.promise and (story.promise.amount_fen, story.promise.date) == (350000, dt.date(2026, 11, 27))
    assert visited(story.steps) == ["open", "verify", "debt", "reason", "promise", "close"]
    assert story.emotion == "cooperative" and not any(line.open for line in story.lines)


def test_a_partial_hearing_grows_and_gives_way_to_what_was_heard() -> None:
    story = advance(CallStory(), fact(FactKind.HEARING, text="下周", seq=-1))
    story = advance(story, fact(FactKind.HEARING, text="下周五还", seq=-1))
    assert (story.hearing, story.lines, story.seq) == ("下周五还", (), -1)
    story = advance(story, fact(FactKind.HEARD, 4000, 7, text="下周五还款", start_ms=2500, end_ms=3900))
    assert story.hearing == "" and story.lines[0].text == "下周五还款"
    assert (story.lines[0].start_ms, story.lines[0].end_ms, story.seq) == (2500, 3900, 7)


def test_an_interrupted_sentence_ends_where_it_was_cut() -> None:
    said = {"utterance_id": "u1", "text": "您好我是星河金融", "node": "open"}
    story = tell(
        [fact(FactKind.SAYING, 1000, **said), fact(FactKind.SAID, 2500, heard_ms=1500, interrupted=True, **said)]
    )
    (line,) = story.lines
    assert line.interrupted and (line.start_ms, line.end_ms) == (1000, 2500)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.builds(Fact, st.integers(-1, 50), st.just(AT), st.integers(0, 10**6), st.sampled_from(FactKind),
                          st.dictionaries(keys, json_values, max_size=5)), max_size=12))  # fmt: skip
def test_no_journal_breaks_a_page(facts: list[Fact]) -> None:
    story = tell(facts)
    for language in ("zh", "en"):
        words = Words(language)
        assert "<div" in call_page(words, ROW, story)
        assert "<header" in live_body(words, ROW, story)


@pytest.mark.parametrize("value", ["angry", {"label": "angry", "p": 0.9}, {"id": "angry"}, ["angry", 0.9]])
def test_labels_are_read_in_every_form(value: object) -> None:
    assert label(value) == "angry"


def test_what_people_said_is_never_markup() -> None:
    evil = "<img src=x onerror=alert(1)>"
    story = tell([
        fact(FactKind.HEARING, text=evil),
        fact(FactKind.SAYING, text=evil, node=evil, utterance_id="1"),
        fact(FactKind.HEARD, text=evil),
        fact(FactKind.UNDERSTOOD, intents=[{"id": evil}], emotion={"label": f'"{evil}'}),
        fact(FactKind.HEARING, text=evil),
        fact(FactKind.DECIDED, from_node=evil, to_node=f"{evil}2", branch=evil, why=evil),
        fact(FactKind.TRANSFER_FAILED, agent=evil),
        fact(FactKind.DISPOSITION, disposition=evil, why=evil),
    ])  # fmt: skip
    row = CallRow("c1", ROW.started_at, debtor_name=evil, number_masked=evil, script=evil, campaign=evil,
                  case_id=evil, bundle="x.zip", emotion=evil, duration_s=3)  # fmt: skip
    for html in (call_page(Words(), row, story), live_body(Words(), row, story)):
        assert "<img" not in html
        assert "&lt;img src=x" in html
    assert emotion_class(evil) == "e-neutral"


def test_a_path_shows_its_ways_back() -> None:
    steps = [
        Step("a", "b", "yes", "", 0),
        Step("b", "b", "again", "", 1),
        Step("b", "a", "no", "", 2),
        Step("a", "b", "yes", "", 3),
    ]
    svg = drawn_path(Words(), steps)
    assert svg.count('class="node') == 2 and 'class="node end"' in svg
    assert "yes ×2" in svg
    assert svg.count('class="edge"') == 3


@pytest.mark.parametrize(
    ("number", "shown"),
    [("+8613800138000", "138****8000"), ("sip:zhang.wei@10.0.0.1:5060", "zh***@10.0.0.1:5060"), ("10086", "***86")],
)
def test_numbers_are_masked(number: str, shown: str) -> None:
    assert mask_number(number) == shown


async def test_the_board_follows_running_calls(store: Store) -> None:
    now = day.morning()
    await store.cases.save([day._case(3, "刘洋")], now)
    await day.run_call(store, 3, day.PROMISED, now, 12)
    board = LiveBoard(StoreData(store))
    await board.refresh()
    story = board.story("live-3")
    before = board.version
    assert [row.call_id for row in board.calls] == ["live-3"] and len(story.lines) == 3
    board.take("live-3", fact(FactKind.HEARD, 9000, story.seq, text="已经读过"))
    assert board.version == before
    board.take("live-3", fact(FactKind.HEARD, 9000, story.seq + 1, text="三三一八"))
    assert board.story("live-3").lines[-1].text == "三三一八" and board.version == before + 1
    await store.calls.change("live-3", ended_at=now)
    await board.refresh()
    assert board.calls == () and board.story("live-3") == CallStory()


def test_reasons_are_told_in_words() -> None:
    why = "heard dl_forgot、ptp_today; emotion cooperative"
    assert Words("zh").explain(why) == "听到：忘了、承诺今天还；情绪：配合"
    assert Words("en").explain(why) == why
    svg = drawn_path(Words(), [Step("a", "a", "start", "the line is open", 0), Step("a", "b", "283:x|y", why, 1)])
    assert svg.count('class="edge"') == 1 and "忘了" in svg and "283" not in svg


async def test_a_case_shows_its_own_stops_only(store: Store) -> None:
    now = day.morning()
    await store.cases.save([day._case(0, "张伟"), day._case(1, "王芳")], now)
    await store.contacts.stop(ContactStop("dnc_stop", now, debtor_id="D000"))
    await store.contacts.stop(ContactStop("id_wrong_number", now, number="+8613800138000"))
    data = StoreData(store)
    first, second = await data.casework.view("XH20260000"), await data.casework.view("XH20260001")
    assert first and first.stops == ("dnc_stop", "id_wrong_number")
    assert second and second.stops == ()
    assert await data.casework.view("nobody") is None


def test_both_languages_say_everything() -> None:
    for key, (chinese, english) in TEXTS.items():
        assert chinese and english, key
        assert chinese.count("{") == english.count("{"), key
    words = Words("en")
    assert words("page.of", total=3, number=1, last=1) == "3 in all · page 1 of 1"
    assert Words("xx").language == "zh" and words.money(128050) == "¥1,280.50"
