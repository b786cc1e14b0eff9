"""Calls drawn, reviewed, looked at blind a second time, appealed; and everything that was said, found."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from voicebot.console.masking import viewer
from voicebot.console.pages.calibration import sessions_drawn
from voicebot.console.pages.my_reviews import own_reviews
from voicebot.console.pages.workbench import quality_shown
from voicebot.console.quality_data import QualityData
from voicebot.console.queries import Account
from voicebot.console.shell import Visit
from voicebot.console.words import Words
from voicebot.domain.clock import SHANGHAI, FixedClock
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.quality import Round, Sampling, SpeechSearch
from voicebot.domain.records import CallRecord
from voicebot.quality.afterwards import Afterwards
from voicebot.quality.scorecard import shipped
from voicebot.store import Store

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=SHANGHAI)
SAID = {
    "c1": ("caller", "我失业三个月了，实在还不上"),
    "c2": ("caller", "我要投诉你们，去银保监会投诉"),
    "c3": ("agent", "你再不还钱就打断你的腿"),
}


@pytest.fixture
async def data(store: Store) -> QualityData:
    for index, (call_id, (speaker, text)) in enumerate(SAID.items()):
        began = NOW - dt.timedelta(hours=3 - index)
        await store.calls.start(CallRecord(call_id, "outbound", "+8613800138000", began, script=f"m{index % 2}"))
        kind = FactKind.HEARD if speaker == "caller" else FactKind.AGENT_HEARD
        told = [(FactKind.ANSWERED, {}), (FactKind.SAID, {"text": "您好，请问是本人吗"}),
                (FactKind.JOINED, {"agent": "a1"}) if speaker == "agent" else (FactKind.NOTE, {"text": ""}),
                (kind, {"text": text, "start_ms": 2000, "end_ms": 3000})]  # fmt: skip
        facts = [Fact(seq, began.astimezone(dt.UTC).isoformat(), 1000 * seq, k, d) for seq, (k, d) in enumerate(told)]
        await store.facts.append(call_id, facts)
        await store.calls.change(call_id, answered_at=began, ended_at=began, duration_ms=60_000 * (index + 1))
    await Afterwards(store, FixedClock(NOW)).catch_up()
    return QualityData(store, FixedClock(NOW))


async def test_every_call_is_looked_at_and_the_riskiest_drawn_first(store: Store, data: QualityData) -> None:
    assert await store.checks.unchecked() == []
    assert await data.draw("standard", "risk", 1) == 1
    (review,) = await data.waiting("qa")
    assert (review.call_id, review.agent, review.why) == ("c3", "a1", Sampling.RISK)
    assert review.automatic["lawful"] == "no"
    assert await data.draw("standard", "random", 9) == 2, "what was drawn is not drawn again"


async def test_calls_are_drawn_by_agent_and_by_script(data: QualityData) -> None:
    assert await data.draw("agent", "agent", 9, "nobody") == 0
    assert await data.draw("agent", "agent", 9, "a1") == 1
    assert await data.draw("standard", "script", 9, "m1") == 1
    with pytest.raises(ValueError, match="random"):
        await data.draw("standard", "chosen", 1)


def answers(**other: str) -> dict[str, str]:
    return {question.id: "yes" for question in shipped()["standard"].questions} | other


async def test_a_second_look_is_blind_and_somebody_elses(data: QualityData) -> None:
    await data.draw("standard", "risk", 1)
    (first,) = await data.waiting("qa")
    assert await data.review(first.id, "qa", answers(listening="no"), "ok") == pytest.approx(91.7)
    with pytest.raises(ValueError, match="done already"):
        await data.review(first.id, "qb", answers(), "")
    assert await data.second(5) == 1
    assert await data.second(5) == 0, "once is enough"
    assert [review.round for review in await data.waiting("qa")] == [], "not their own call"
    second = next(review for review in await data.waiting("qb") if review.of == first.id)
    assert (second.round, second.answers) == (Round.SECOND, {})
    await data.review(second.id, "qb", answers(), "")
    whole = next(found for found in await data.agreement() if found.question == "")
    assert (whole.answered, whole.alike) == (11, 10)
    assert (await data.calibration())["qa"] < 0 < (await data.calibration())["qb"]


async def test_a_fatal_answer_leaves_nothing(data: QualityData) -> None:
    review = await data.open_review("c1", "qa", "standard")
    assert await data.open_review("c1", "qa", "standard") == review
    assert await data.review(review.id, "qa", answers(lawful="no"), "") == 0


async def test_an_agent_appeals_and_a_supervisor_decides(store: Store, data: QualityData) -> None:
    await data.draw("agent", "agent", 1)
    (review,) = await data.waiting("qa")
    given = {question.id: "yes" for question in shipped()["agent"].questions} | {"empathy": "no"}
    score = await data.review(review.id, "qa", given, "")
    with pytest.raises(ValueError, match="only the agent"):
        await data.appeal(review.id, "other", "a2", "no")
    appeal = await data.appeal(review.id, "zhou", "a1", "客户当时在笑")
    with pytest.raises(ValueError, match="open appeal"):
        await data.appeal(review.id, "zhou", "a1", "again")
    await data.decide(appeal, "boss", "听了录音，成立", 95.0)
    changed = await store.reviews.find(review.id)
    assert changed is not None and changed.score == 95.0 != score
    (told,) = await store.reviews.appeals(False, review.id)
    assert (told.state, told.score_before, told.score_after) == ("changed", score, 95.0)
    with pytest.raises(LookupError):
        await data.decide(appeal, "boss", "", None)


async def test_what_was_said_is_found(data: QualityData) -> None:
    expected: list[tuple[SpeechSearch, list[str]]] = [
        (SpeechSearch("失业"), ["c1"]),
        (SpeechSearch("投诉 银保监"), ["c2"]),
        (SpeechSearch("投诉 失业"), []),
        (SpeechSearch("还"), ["c3", "c1"]),
        (SpeechSearch("还", speaker="agent"), ["c3"]),
        (SpeechSearch("。，"), []),
        (SpeechSearch("'; DROP TABLE calls"), []),
        (SpeechSearch(rule="F01"), ["c3"]),
        (SpeechSearch(agent="a1"), ["c3"]),
        (SpeechSearch(least_risk=40), ["c3"]),
        (SpeechSearch(most_s=60), ["c1"]),
        (SpeechSearch(least_s=150), ["c3"]),
        (SpeechSearch(script="m1"), ["c2"]),
        (SpeechSearch("请问", since=NOW - dt.timedelta(minutes=90)), ["c3"]),
    ]
    for wanted, found in expected:
        hits, total = await data.search(wanted)
        assert [hit.call_id for hit in hits] == found, wanted
        assert total == len(found)


async def test_a_hit_says_where_in_the_call(data: QualityData) -> None:
    hits, _ = await data.search(SpeechSearch("投诉"))
    (line,) = hits[0].lines
    assert (line.speaker, line.ms, line.text) == ("caller", 2000, SAID["c2"][1])


async def test_comments_stand_at_their_moment(data: QualityData) -> None:
    await data.comment("c1", 2500, "  这里语气很好 ", "qa")
    (comment,) = (await data.of_call("c1")).comments
    assert (comment.ms, comment.text, comment.author) == (2500, "这里语气很好", "qa")
    with pytest.raises(LookupError):
        await data.comment("gone", 0, "x", "qa")


async def test_agents_see_their_own_reviews_and_what_became_of_their_appeals(store: Store, data: QualityData) -> None:
    assert await data.mine("a1") == []
    review = await data.open_review("c3", "qa", "standard")
    assert review.agent == "a1", "a call that is opened on the workbench belongs to nobody"
    await data.review(review.id, "qa", answers(lawful="no"), "语气过重")
    await data.second(1)
    (again,) = await data.waiting("qb")
    await data.review(again.id, "qb", answers(), "")
    (own,) = await data.mine("a1")
    assert (own.passed, own.review.note, own.may_appeal) == (False, "语气过重", True)
    assert own.wrong == ["全程没有违规话术"] and "打断你的腿" in own.findings[0]
    appeal = await data.appeal(review.id, "zhou", "a1", "客户先骂人")
    assert not (await data.mine("a1"))[0].may_appeal
    await data.decide(appeal, "boss", "维持：不得威胁", None)
    (own,) = await data.mine("a1")
    assert [(a.state, a.answer) for a in own.appeals] == [("upheld", "维持：不得威胁")]
    assert await data.mine("a2") == []
    page = own_reviews(visit("zhou", "appeal"), [own])
    assert "维持：不得威胁" in page and "语气过重" in page and "qa" not in page, "who reviewed is told"
    assert f"/api/quality/reviews/{review.id}/appeal" in page


async def test_a_calibration_stays_closed_until_everybody_has_finished(data: QualityData) -> None:
    await data.calibrate("c1", "standard", 3)
    for reviewer, empathy in (("qa", "yes"), ("qb", "yes")):
        (review,) = await data.waiting(reviewer)
        await data.review(review.id, reviewer, answers(empathy=empathy), "")
    with pytest.raises(ValueError, match="done already"):
        await data.review(review.id + 1, "qb", answers(), "once more")
    assert await data.waiting("qb") == []
    (session,) = await data.sessions()
    assert (session.done, session.finished, session.asked) == ((), 2, 3)
    assert await data.calibrated() == [], "answers leak before the last reviewer has finished"
    assert "2/3" in sessions_drawn(Words("zh"), [session])
    await data.review(review.id, "qc", answers(empathy="no"), "")  # the place that qb was faster to take
    (session,) = await data.sessions()
    assert [review.reviewer for review in session.done] == ["qa", "qb", "qc"]
    assert session.mean == pytest.approx(sum(r.score or 0 for r in session.done) / 3)
    drawn = str(sessions_drawn(Words("zh"), [session]))
    assert drawn.count("有分歧") == 1
    by_question = {found.question: found for found in await data.calibrated()}
    assert (by_question["empathy"].answered, by_question["empathy"].alike) == (3, 1)


def visit(username: str, *permissions: str) -> Visit:
    who = Account(username, "agent", permissions=frozenset(permissions), agent_id="a1")
    return Visit(None, Words("zh"), who)  # type: ignore[arg-type]


async def test_findings_and_comments_name_nobody_to_who_may_not_see_names(store: Store, data: QualityData) -> None:
    await data.comment("c3", 10, "李振海说得对", "qa")
    quality = await data.of_call("c3")
    assert quality.check is not None and quality.check.findings
    told = replace(quality.check.findings[0], text="李振海你再不还钱试试")
    quality = replace(quality, check=replace(quality.check, findings=(told,)))
    for may, shown in (((), "李**"), (("names",), "李振海")):
        token = viewer.set(Account("qa", "reviewer", permissions=frozenset(may)))
        try:
            seen = quality_shown(quality, "李振海")
        finally:
            viewer.reset(token)
        assert seen.check is not None
        assert (seen.check.findings[0].text, seen.comments[0].text) == (f"{shown}你再不还钱试试", f"{shown}说得对")
