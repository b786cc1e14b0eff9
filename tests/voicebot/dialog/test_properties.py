"""Whatever is said in whatever order: no exception, an end, no debt before identity, emotion only softens."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voicebot.dialog.actions import Action, HangUp, Listen, Say, Transfer, Verified
from voicebot.dialog.discretion import gives_away
from voicebot.dialog.engine import initial, step
from voicebot.dialog.events import (
    Event,
    Heard,
    HungUp,
    KeyPressed,
    MachineAnswered,
    Silence,
    Spoken,
    Started,
    TransferEnded,
)
from voicebot.dialog.prompts import LONGEST
from voicebot.dialog.script import Script
from voicebot.dialog.state import DialogState, Phase
from voicebot.dialog.vocabulary import INTENTS
from voicebot.domain.case import CallFacts
from voicebot.domain.understanding import Emotion, EmotionLabel, IntentScore, Slots, Tense, Understanding

from .callee import CASE, NOW, TODAY

LIKELY = sorted(INTENTS)
TEXTS = [
    "嗯",
    "二三一五",
    "尾号幺幺幺幺",
    "八月十二",
    "周五还两千",
    "我没钱",
    "",
    "（叹气）",
    "喂",
    "全部还清",
    "先还一点",
]

slots = st.builds(
    Slots,
    date=st.none() | st.integers(-40, 400).map(lambda days: TODAY + dt.timedelta(days)),
    time=st.none() | st.times(),
    amount_fen=st.none() | st.integers(0, 10**8),
    amount_min_fen=st.none() | st.integers(0, 10**6),
    amount_max_fen=st.none() | st.integers(0, 10**6),
    ratio=st.none() | st.floats(0, 2),
    installments=st.none() | st.integers(0, 36),
    digits=st.none() | st.sampled_from(["2315", "1111", "0812"]),
    ambiguous=st.booleans(),
    tense=st.sampled_from(Tense),
)
understandings = st.builds(
    Understanding,
    text=st.sampled_from(TEXTS) | st.text(max_size=12),
    intents=st.lists(
        st.builds(IntentScore, st.sampled_from(LIKELY), st.floats(0, 1)), max_size=3, unique_by=lambda s: s.id
    ).map(tuple),
    emotion=st.builds(
        Emotion,
        st.sampled_from(EmotionLabel),
        st.floats(0, 1),
        st.none() | st.floats(0, 1),
        st.lists(st.text(max_size=8), max_size=3).map(tuple),
    ),
    slots=slots,
    danger=st.integers(0, 30).map(lambda n: n == 0),
)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(Heard, st.just(NOW), understandings),
    st.builds(Heard, st.just(NOW), understandings),
    st.builds(Heard, st.just(NOW), understandings),
    st.builds(Silence, st.just(NOW), st.floats(0, 60)),
    st.builds(KeyPressed, st.just(NOW), st.sampled_from("0123456789*#")),
    st.builds(Spoken, st.just(NOW), st.just("u1"), st.just(100), st.just(200), st.booleans()),
    st.builds(TransferEnded, st.just(NOW), st.booleans(), st.just("busy")),
    st.builds(Started, st.just(NOW)),
)
rare: st.SearchStrategy[Event] = st.one_of(
    events,
    events,
    st.builds(MachineAnswered, st.just(NOW), st.sampled_from(["voicemail", "announcement"]), st.booleans()),
    st.builds(HungUp, st.just(NOW)),
)
calls = st.tuples(st.booleans(), st.booleans(), st.lists(rare, max_size=30))
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def walk(
    script: Script, happened: list[Event], *, case: bool, agent: bool, known: bool = False
) -> list[tuple[DialogState, tuple[Action, ...]]]:
    facts = CallFacts("call", NOW, CASE if case else None, agent_available=agent)
    state = initial(script, facts)
    steps = []
    opening: list[Event] = [Started(NOW)]
    if known:
        yes = Understanding("我是", (IntentScore("id_confirm_self", 0.9),))
        opening += [Heard(NOW, yes), Heard(NOW, Understanding("二三一五"))]
    for event in [*opening, *happened]:
        state, actions = step(script, state, event)
        steps.append((state, actions))
    return steps


@QUICK
@given(calls, st.booleans())
def test_debt_is_never_named_before_verified(
    reminder: Script, inbound: Script, call: tuple[bool, bool, list[Event]], incoming: bool
) -> None:
    case, agent, happened = call
    verified = False
    for _, actions in walk(inbound if incoming else reminder, happened, case=case, agent=agent):
        for action in actions:
            verified = verified or isinstance(action, Verified)
            if isinstance(action, Say) and not verified:
                assert gives_away(action.text, ("循环消费",)) is None, action
            if isinstance(action, Transfer) and not verified:
                assert gives_away(action.hold_text) is None


@QUICK
@given(calls, st.booleans())
def test_nothing_is_spoken_that_cannot_be_read_aloud(
    reminder: Script, inbound: Script, call: tuple[bool, bool, list[Event]], known: bool
) -> None:
    case, agent, happened = call
    seen: set[str] = set()
    for _, actions in walk(reminder, happened, case=case, agent=agent, known=known):
        for say in (a for a in actions if isinstance(a, Say)):
            assert say.text and len(say.text) <= LONGEST and "{" not in say.text
            assert not any(c.isascii() and c.isalnum() for c in say.text)
            assert say.utterance_id not in seen
            seen.add(say.utterance_id)


@QUICK
@given(calls, st.booleans())
def test_listening_is_the_last_thing_and_an_ended_call_stays_ended(
    reminder: Script, inbound: Script, call: tuple[bool, bool, list[Event]], known: bool
) -> None:
    case, agent, happened = call
    over = False
    for state, actions in walk(inbound, happened, case=case, agent=agent, known=known):
        assert not (over and actions)
        over = over or state.phase is Phase.ENDED
        for final in (Listen, HangUp, Transfer):
            places = [i for i, action in enumerate(actions) if isinstance(action, final)]
            assert places in ([], [len(actions) - 1])
        assert DialogState.from_json(state.to_json()) == state


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(events, min_size=5, max_size=12), st.booleans(), st.booleans())
def test_every_call_ends(reminder: Script, happened: list[Event], known: bool, agent: bool) -> None:
    silence = Silence(NOW, 6.0)
    turns = [*(e for e in happened if isinstance(e, (Heard, Silence, TransferEnded))), silence]
    last, _ = walk(reminder, turns * 30, case=True, agent=agent, known=known)[-1]
    assert last.phase is not Phase.LISTENING
    assert last.turns <= 2 * reminder.policy.max_turns + 1


@QUICK
@given(calls, st.sampled_from(EmotionLabel), st.none() | st.floats(0, 1), st.booleans(), st.booleans())
def test_emotion_changes_words_but_never_the_way(
    reminder: Script,
    inbound: Script,
    call: tuple[bool, bool, list[Event]],
    label: EmotionLabel,
    arousal: float | None,
    known: bool,
    incoming: bool,
) -> None:
    case, agent, happened = call
    script = inbound if incoming else reminder
    moved = [
        Heard(e.now, replace(e.understanding, emotion=Emotion(label, 1.0, arousal, ("level +9 dB",))))
        if isinstance(e, Heard)
        else e
        for e in happened
    ]
    calm = [Heard(e.now, replace(e.understanding, emotion=Emotion())) if isinstance(e, Heard) else e for e in happened]
    pairs = zip(
        walk(script, moved, case=case, agent=agent, known=known),
        walk(script, calm, case=case, agent=agent, known=known),
        strict=True,
    )
    soft = {prompt.text for prompt in script.softeners.values()}
    for (felt, felt_actions), (plain, plain_actions) in pairs:
        assert (felt.node, felt.disposition, felt.verified) == (plain.node, plain.disposition, plain.verified)
        assert (felt.pending, felt.promise, felt.phase) == (plain.pending, plain.promise, plain.phase)
        spoken = [a.text for a in felt_actions if isinstance(a, Say) and a.text not in soft]
        assert spoken == [a.text for a in plain_actions if isinstance(a, Say)]
