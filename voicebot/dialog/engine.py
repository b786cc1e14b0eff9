"""The dialog engine: `step(script, state, event) -> (state, actions)`, pure and total."""

from __future__ import annotations

from voicebot.dialog.actions import Action
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
from voicebot.dialog.identity import matches, names_himself
from voicebot.dialog.promise import said_about_paying
from voicebot.dialog.scope import Moment
from voicebot.dialog.script import Branch, Handler, Reach, Script
from voicebot.dialog.state import DialogState, Phase
from voicebot.dialog.turn import Turn
from voicebot.dialog.wording import cues_of
from voicebot.domain.case import CallFacts
from voicebot.domain.understanding import UNKNOWN, Slots, Topic, Understanding

_PARTS_HEARD = ("pay_partial", "pay_minimum", "pay_installment")
_HUMAN_KEY = "0"
_FACTOR_KEYS = 4
_SURE_EMOTION = 0.6
_SAME_ASIDE = 3
"""The same question answered so often leads nowhere: from then on it counts as not understood."""
_SELF = "id_confirm_self"
_NOT_SELF = ("id_confirm_self", "id_deny_self", "id_wrong_number", "tp_", "m_deny", "m_lang")
"""Contradicted by somebody who says plainly that it is him; his own words outweigh the model's guess."""


def initial(script: Script, facts: CallFacts) -> DialogState:
    """The state of a call that has not begun."""
    return DialogState(script_id=script.id, facts=facts, node=script.start)


def step(script: Script, state: DialogState, event: Event) -> tuple[DialogState, tuple[Action, ...]]:
    """What follows from `event`. Never raises for a script that `load_script` accepted; a call that is over
    stays over. After at most `policy.max_turns` utterances and silences the call is brought to its end."""
    if state.phase is Phase.ENDED or (isinstance(event, Spoken) and event.utterance_id not in state.owed):
        return state, ()
    turn = Turn(script, state, Moment(event.now))
    _dispatch(turn, event)
    return turn.state, tuple(turn.actions)


def _dispatch(turn: Turn, event: Event) -> None:
    match event:
        case Started():
            if turn.state.phase is Phase.NEW:
                turn.enter(turn.script.start, "start", "the line is open")
        case Heard():
            _hear(turn, event.understanding)
        case Silence():
            _silence(turn)
        case KeyPressed():
            _key(turn, event.digit)
        case Spoken(utterance_id=utterance_id, interrupted=interrupted):
            turn.heard_out(utterance_id, interrupted=interrupted)
        case MachineAnswered():
            _machine(turn, event)
        case TransferEnded():
            _transfer_ended(turn, event)
        case HungUp():
            _hung_up(turn)


# -- something was heard


def _hear(turn: Turn, understanding: Understanding) -> None:
    if turn.state.phase is not Phase.LISTENING:
        if understanding.danger:
            turn.alarm()
        return
    if understanding.top == "m_silence" or not understanding.text.strip():
        _silence(turn)
        return
    turn.note(turns=turn.state.turns + 1, silences=0)
    turn.moment = _moment(turn, understanding)
    for intent in turn.moment.heard:
        turn.tally(f"heard:{intent}")
    turn.soften = understanding.emotion.label.value if understanding.emotion.p >= _SURE_EMOTION else ""
    _identify(turn)
    _answer(turn)
    turn.soften = ""


def _moment(turn: Turn, understanding: Understanding) -> Moment:
    state, policy = turn.state, turn.script.policy
    heard = _accepted(understanding, policy.floor, policy.accept)
    case = state.facts.case
    said = said_about_paying(
        understanding.slots,
        understanding.text,
        turn.moment.now.date(),
        case.amount_fen if case else 0,
        any(part in heard for part in _PARTS_HEARD),
    )
    if case is not None and turn.node.topic is Topic.OPEN and names_himself(understanding.text, case.debtor.name):
        heard = (_SELF, *(intent for intent in heard if not intent.startswith(_NOT_SELF)))
    offered, matched = (False, False)
    if case is not None and turn.node.topic is Topic.VERIFY:
        offered, matched = matches(understanding.text, understanding.slots, case.debtor)
    allowed = state.identity_tries < policy.identity_tries
    return Moment(
        now=turn.moment.now,
        heard=heard,
        top=heard[0] if heard else UNKNOWN,
        chances={score.id: score.p for score in understanding.intents} | {_SELF: 1.0},
        cues=cues_of(understanding.text),
        said=said,
        emotion=understanding.emotion.label,
        danger=understanding.danger,
        identity_offered=offered,
        identity_matched=matched and allowed,
    )


def _accepted(understanding: Understanding, floor: float, accept: float) -> tuple[str, ...]:
    """The best intent when it is not mere chance, and every other one that is likely by itself."""
    best, *others = understanding.intents or (None,)
    found = [] if best is None or best.p < floor or best.id == UNKNOWN else [best.id]
    return tuple(found + [o.id for o in others if o is not None and o.p >= accept and o.id != UNKNOWN])


def _identify(turn: Turn) -> None:
    if turn.moment.identity_matched:
        turn.verify("identity factor")
    elif turn.moment.identity_offered and not turn.state.verified:
        turn.note(identity_tries=turn.state.identity_tries + 1)


def _answer(turn: Turn) -> None:
    """Danger and stop signals first, then what the node expects, then questions that are answered in passing."""
    node = turn.node
    stops, asides = turn.script.listening(node.id)
    if _too_long(turn):
        return
    if turn.moment.heard or turn.moment.danger or turn.moment.identity_offered:
        turn.note(spoke=True)
    fits = _Fitting(turn)
    stop = fits.first_handler(stops)
    if stop is not None:
        _stop(turn, stop)
        return
    aside = fits.first_handler(asides)
    branch = fits.first_branch(node.branches)
    if branch is not None:
        if aside is not None and aside.resume:
            _aside(turn, aside)
        _follow(turn, branch)
        return
    if aside is not None and turn.state.count(f"handled:{aside.name}") < _SAME_ASIDE:
        _aside(turn, aside)
        _resume(turn, aside)
        return
    _not_understood(turn)


class _Fitting:
    """Which rules fit what was heard in this turn."""

    def __init__(self, turn: Turn) -> None:
        self._heard = frozenset(turn.moment.heard)
        self._chances = turn.moment.chances
        self._scope = turn.scope()

    def first_handler(self, reach: Reach) -> Handler | None:
        scope = self._scope
        for _, handler in reach.candidates(self._heard):
            if handler.at_least and handler.hears and not self._sure(handler):
                continue
            if handler.when is None or handler.when.run(scope):
                return handler
        return None

    def _sure(self, handler: Handler) -> bool:
        least = handler.at_least
        return any(self._chances.get(i, 0.0) >= least for i in handler.hears if i in self._heard)

    def first_branch(self, branches: tuple[Branch, ...]) -> Branch | None:
        heard, scope = self._heard, self._scope
        for branch in branches:
            if branch.hears and heard.isdisjoint(branch.hears):
                continue
            if branch.when is None or branch.when.run(scope):
                return branch
        return None


def _stop(turn: Turn, handler: Handler) -> None:
    turn.tally(f"handled:{handler.name}")
    turn.speak(handler.say)
    turn.perform(handler.do)
    turn.enter(handler.goto or turn.script.limit, handler.name, turn.why())


def _aside(turn: Turn, handler: Handler) -> None:
    turn.tally(f"handled:{handler.name}")
    turn.explain(turn.state.node, handler.name, turn.why())
    turn.perform(handler.do)
    turn.speak(handler.say)


def _resume(turn: Turn, handler: Handler) -> None:
    if handler.resume:
        turn.ask_shortly()
    turn.listen(handler.patience_s)


def _follow(turn: Turn, branch: Branch) -> None:
    turn.speak(branch.say)
    turn.perform(branch.do)
    if branch.goto is None:
        turn.ask_shortly()
        turn.listen()
    else:
        turn.enter(branch.goto, branch.label, turn.why())


def _not_understood(turn: Turn) -> None:
    node = turn.node
    turn.tally(f"tries:{node.id}")
    tries = turn.state.count(f"tries:{node.id}")
    if tries > node.tries:
        turn.enter(node.exhausted or turn.script.limit, "exhausted", f"not understood {tries} times")
        return
    turn.explain(node.id, "no match", turn.why())
    if not turn.speak_nth(node.again, tries):
        turn.ask_shortly()
    turn.listen()


def _too_long(turn: Turn) -> bool:
    """Bounds every conversation; a person in danger is given more time, not endless time."""
    limit = turn.script.policy.max_turns * (2 if turn.node.gentle else 1)
    if turn.state.turns <= limit or turn.moment.danger:
        return False
    turn.enter(turn.script.limit, "limit", f"more than {limit} turns")
    return True


# -- nothing was heard, or keys, or a machine


def _silence(turn: Turn) -> None:
    state, node = turn.state, turn.node
    if state.phase is not Phase.LISTENING:
        return
    human = turn.script.handler("human")
    if state.keys == _HUMAN_KEY and human is not None:  # a zero by itself is no identity
        turn.note(keys="")
        _stop(turn, human)
        return
    turn.note(turns=state.turns + 1, silences=state.silences + 1)
    if _too_long(turn):
        return
    if turn.state.silences >= (node.silences or turn.script.policy.silences):
        turn.enter(node.silent or turn.script.silent, "silence", f"silent {turn.state.silences} times")
        return
    turn.explain(node.id, "silence", f"silent {turn.state.silences} times")
    if not turn.speak_nth(node.no_input, turn.state.silences):
        turn.speak_nth(turn.script.silence, turn.state.silences)
        turn.ask_shortly()
    turn.listen()


def _key(turn: Turn, digit: str) -> None:
    if turn.state.phase is not Phase.LISTENING or turn.node.topic is not Topic.VERIFY:
        human = turn.script.handler("human")
        if digit == _HUMAN_KEY and human is not None and turn.state.phase is Phase.LISTENING:
            _stop(turn, human)
        return
    keys = (turn.state.keys + digit.replace("*", "X"))[-_FACTOR_KEYS:]
    turn.note(keys=keys)
    if len(keys) == _FACTOR_KEYS:
        turn.note(keys="")
        _hear(turn, Understanding(text=keys, slots=Slots(digits=keys)))


def _machine(turn: Turn, event: MachineAnswered) -> None:
    if turn.state.phase in (Phase.TRANSFERRING, Phase.HANDED_OVER):
        return
    turn.note(verified=False, missed=(), owed={})
    turn.enter(turn.script.voicemail, event.kind, "a machine answered")


def _transfer_ended(turn: Turn, event: TransferEnded) -> None:
    if event.joined:  # at whatever point of the script: a supervisor may fetch a person too
        turn.note(phase=Phase.HANDED_OVER)
        return
    if turn.state.phase not in (Phase.TRANSFERRING, Phase.HANDED_OVER):
        return
    why = event.why or "nobody could be fetched"
    turn.enter(turn.node.failed or turn.script.limit, "transfer failed", why)


def _hung_up(turn: Turn) -> None:
    turn.settle("the callee hung up")
    turn.note(phase=Phase.ENDED)
