"""Who is in a call, as its facts tell; the parts of desk and wall that decide something; cards of knowledge."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.voicebot.console import floor_day
from voicebot.console.agreement import OutsideAuthority, Terms, explain, load_authorities, plan_of, ruling_of
from voicebot.console.desk_data import NotYours
from voicebot.console.floor import LiveFloor
from voicebot.console.knowledge import cards, search, suggested
from voicebot.console.mood_line import mood_line
from voicebot.console.people_story import People, meet
from voicebot.console.store_data import StoreData
from voicebot.console.story import tell
from voicebot.console.wall_parts import late
from voicebot.console.words import TEXTS, Words
from voicebot.console.wrap_form import CODES, wrap_form
from voicebot.domain.case import Case, Creditor, Debtor
from voicebot.domain.journal import Fact, FactKind
from voicebot.domain.plan import AUTHORITIES, PlanError
from voicebot.domain.records import AgentRecord, AlertKind, CallRecord, WaitingCall
from voicebot.intent.taxonomy import taxonomy
from voicebot.store import Store

NOW = dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC)
AT = NOW.isoformat()
BANK = Creditor("B", "银行", "银行", "1")
CASE = Case("C1", Debtor("D1", "陈静"), BANK, "贷", 300_000, 9, NOW.date(), fees_fen=10_000)


def folded(*steps: tuple[FactKind, dict[str, object]]) -> People:
    people = People()
    for seq, (kind, data) in enumerate(steps):
        people = meet(people, Fact(seq, AT, seq * 1000, kind, data))
    return people


def test_a_hand_over_is_told_step_by_step() -> None:
    story = tell(Fact(seq, AT, ms, kind, data) for seq, (kind, data, ms) in enumerate(floor_day.TALK))
    people = story.people
    assert (people.agent, people.agent_name, people.state, people.present) == ("a1", "周敏", "joined", True)
    assert [label for _, label in people.moods] == ["sarcastic", "neutral", "anxious", "cooperative"]
    assert people.hints[-1].kind == "plan" and story.stage == "agent"
    assert [line.speaker for line in story.lines][-2:] == ["agent", "caller"]


def test_one_who_goes_is_gone_and_another_changes_nothing() -> None:
    joined = (FactKind.JOINED, {"agent": "a1"})
    assert folded(joined, (FactKind.AGENT_LEFT, {"agent": "a2"})).present
    left = folded(joined, (FactKind.AGENT_HOLD, {"on": True}), (FactKind.AGENT_LEFT, {"agent": "a1"}))
    assert (left.present, left.held, left.agent) == (False, False, "a1")
    nobody = folded((FactKind.AGENT_RINGING, {"agent": "a1"}), (FactKind.TRANSFER_FAILED, {"agent": "a1"}))
    assert not nobody.present


def test_one_talks_while_the_next_ones_phone_rings() -> None:
    both = folded((FactKind.JOINED, {"agent": "a1"}), (FactKind.AGENT_RINGING, {"agent": "a2", "name": "林涛"}))
    assert (both.agent, both.state, set(both.seats)) == ("a1", "joined", {"a1", "a2"})
    assert both.seen_by("a2").state == "ringing" and both.seen_by("a2").agent_name == "林涛"
    passed = meet(both, Fact(9, AT, 9000, FactKind.JOINED, {"agent": "a2"}))
    assert (passed.agent, passed.state, set(passed.seats)) == ("a2", "joined", {"a2"})
    assert meet(passed, Fact(10, AT, 9100, FactKind.AGENT_LEFT, {"agent": "a1"})).agent == "a2"
    declined = meet(both, Fact(9, AT, 9000, FactKind.TRANSFER_FAILED, {"agent": "a2", "why": "busy"}))
    assert (declined.agent, set(declined.seats)) == ("a1", {"a1"})


def test_supervisors_come_change_their_role_and_go() -> None:
    listen = (FactKind.SUPERVISOR_JOINED, {"agent": "s1", "mode": "listen"})
    barge = (FactKind.SUPERVISOR_JOINED, {"agent": "s1", "mode": "barge"})
    assert folded(listen, barge).supervisors == {"s1": "barge"}
    assert folded(listen, (FactKind.SUPERVISOR_LEFT, {"agent": "s1", "mode": "listen"})).supervisors == {}


def test_alerts_name_their_rules() -> None:
    (mark,) = folded((FactKind.GATE_ALERT, {"text": "上黑名单", "rules": ["F05", "F11"]})).alerts
    assert (mark.kind, mark.text) == ("F05 F11", "上黑名单")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = ("agent", "name", "on", "mode", "target", "rules", "text", "kind", "emotion", "reason", "urgent")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(FactKind), st.dictionaries(st.sampled_from(KEYS), json_values)), max_size=8))
def test_no_journal_breaks_the_people(steps: list[tuple[FactKind, dict[str, object]]]) -> None:
    people = folded(*steps)
    assert mood_line(Words(), people.moods)


def test_a_promise_is_at_most_the_bill() -> None:
    day = NOW.date() + dt.timedelta(days=3)
    whole = plan_of(Terms("promise", day), CASE)
    assert whole is not None and whole.total_fen == 300_000
    part = plan_of(Terms("promise", day, 50_000), CASE)
    assert part is not None and part.parts[0].amount_fen == 50_000
    assert plan_of(Terms(), CASE) is None
    for wrong in (Terms("promise"), Terms("promise", day, 300_001), Terms("promise", day, 0)):
        with pytest.raises(PlanError):
            plan_of(wrong, CASE)


def test_what_exceeds_is_told_with_who_may() -> None:
    words, day = Words(), NOW.date() + dt.timedelta(days=40)
    plan = plan_of(Terms("plan", day, count=8, waived_fen=6_000), CASE)
    assert plan is not None
    told = explain(words, ruling_of(plan, CASE, "agent", NOW.date(), AUTHORITIES))
    assert "8 期，最多 6 期" in told and "40 天后，最多 15 天" in told and "60%" in told and "管理员" in told
    none = plan_of(Terms("plan", day, count=50), CASE)
    assert none is not None and "债权人" in explain(words, ruling_of(none, CASE, "agent", NOW.date(), AUTHORITIES))
    assert str(OutsideAuthority(ruling_of(plan, CASE, "agent", NOW.date(), AUTHORITIES)))


def test_an_installation_has_its_own_table_and_a_broken_one_allows_nothing(tmp_path: Path) -> None:
    assert load_authorities(tmp_path) == AUTHORITIES
    names = ("most_parts", "extension_days", "length_days", "smallest_part_fen", "waiver_percent")
    (tmp_path / "authority.json").write_text(json.dumps([{"role": "agent", **dict.fromkeys(names, 1)}]))
    assert [one.most_parts for one in load_authorities(tmp_path)] == [1]
    for broken in ("[", "{}", '[{"role": "agent"}]', "\xff"):
        (tmp_path / "authority.json").write_bytes(broken.encode("latin-1"))
        assert load_authorities(tmp_path) == ()


def test_every_wrap_up_code_has_its_words_and_the_form_escapes() -> None:
    assert all(code.value in TEXTS for code in CODES)
    nasty = Case("C<1>", Debtor("D", "<b>坏</b>"), CASE.creditor, "x", 1, 1, NOW.date())
    form = wrap_form(Words(), CallRecord("k1", "outbound", "+8613800000001", NOW), nasty, NOW.date())
    assert "<b>" not in form and 'data-wrap="k1"' in form


def test_waiting_turns_red_after_the_target() -> None:
    def waited(seconds: int, urgent: bool) -> bool:
        return late(WaitingCall("k", "care", "x", NOW - dt.timedelta(seconds=seconds), urgent=urgent), NOW)

    assert (waited(59, False), waited(61, False), waited(29, True), waited(31, True)) == (False, True, False, True)


def test_cards_are_whole_and_hear_known_intents() -> None:
    known = taxonomy()
    for card in cards():
        assert card.say and card.never and card.tags
        assert all(any(intent.startswith(begin) for intent in known) for begin in card.hears), card.id
    assert len({card.id for card in cards()}) == len(cards()) > 12


def test_cards_come_up_by_what_was_meant_newest_first() -> None:
    assert [card.id for card in suggested(("q_credit", "pay_installment", "hs_unemployed"))] == ["credit", "instalment"]
    assert suggested(("m_affirm",)) == ()
    assert search("")[0] is cards()[0] and search("12356")[0].id == "selfharm"
    assert search("减免 审核")[0].id == "waiver"


async def test_the_floor_grows_only_when_something_changed(store: Store) -> None:
    await store.agents.save(AgentRecord("a1", "周敏", "sip:1@h"))
    floor = LiveFloor(StoreData(store))
    await floor.refresh()
    assert floor.version == 1 and set(floor.agents) == {"a1"}
    await floor.refresh()
    assert floor.version == 1
    await store.agents.set_presence("a1", "away", NOW, "用餐")
    await store.alerts.ring(AlertKind.DANGER, "x", NOW)
    await floor.refresh()
    assert floor.version == 2 and floor.agents["a1"].note == "用餐" and len(floor.alerts) == 1


async def test_who_took_over_unreserved_commands_the_call(store: Store) -> None:
    for agent_id in ("a1", "s1"):
        await store.agents.save(AgentRecord(agent_id, agent_id, f"sip:{agent_id}@h"))
    await store.calls.start(CallRecord("k1", "outbound", "+8613800000001", NOW))
    steps = [(FactKind.JOINED, "a1"), (FactKind.JOINED, "s1"), (FactKind.AGENT_LEFT, "a1")]
    await store.facts.append("k1", [Fact(seq, AT, seq, kind, {"agent": who}) for seq, (kind, who) in enumerate(steps)])
    desk = StoreData(store).desk
    await desk.order("s1", "k1", "hang_up", "chen")
    with pytest.raises(NotYours):
        await desk.order("a1", "k1", "hang_up", "zhou")
    await store.calls.change("k1", ended_at=NOW)
    with pytest.raises(NotYours):
        await desk.order("s1", "k1", "hang_up", "chen")
