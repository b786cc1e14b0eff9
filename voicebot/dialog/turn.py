"""One turn of the engine: collects the new state and the actions while nodes are entered and prompts spoken."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from voicebot.dialog.actions import (
    Action,
    BookCallback,
    Explain,
    HangUp,
    Listen,
    PageSupervisor,
    RecordPromise,
    Say,
    SetDisposition,
    StopContact,
    Transfer,
    Verified,
)
from voicebot.dialog.briefing import Known, briefing
from voicebot.dialog.expression import Expression
from voicebot.dialog.promise import Pending, callback_at, near_day
from voicebot.dialog.prompts import render, secrets_of, split
from voicebot.dialog.rendering import speakable
from voicebot.dialog.scope import CallScope, Moment
from voicebot.dialog.script import Effect, Kind, Node, Prompt, Script, Verb
from voicebot.dialog.state import DialogState, Phase, own_copy
from voicebot.dialog.values import values_of
from voicebot.domain.outcome import Disposition
from voicebot.domain.stage import Tone
from voicebot.domain.understanding import EmotionLabel

_set = object.__setattr__
_MOST_HOPS = 40
_UNNAMED = {Verb.CALLBACK_SOON: dt.timedelta(hours=2), Verb.CALLBACK_WEEK: dt.timedelta(days=7)}
"""When to ring again where the callee named no time."""
_DISTRESSED = (EmotionLabel.SAD, EmotionLabel.ANXIOUS)


class Turn:
    """The working copy of a state during one step."""

    def __init__(self, script: Script, state: DialogState, moment: Moment) -> None:
        self.script = script
        self.state = own_copy(state)
        self.moment = moment
        self.actions: list[Action] = []
        self.soften = ""

    @property
    def node(self) -> Node:
        return self.script.nodes[self.state.node]

    def note(self, **changes: Any) -> None:
        """Change the state, which belongs to this turn alone until the step is over."""
        state = self.state
        for name in changes:
            _set(state, name, changes[name])

    def tally(self, key: str) -> None:
        self.state.counts[key] = self.state.counts.get(key, 0) + 1

    def holds(self, when: Expression | None) -> bool:
        return when is None or bool(when.run(self.scope()))

    def scope(self) -> CallScope:
        return CallScope(self.state, self.moment, self.script.policy, self.script.variables)

    def why(self) -> str:
        heard = "、".join(self.moment.heard) or "nothing known"
        return f"heard {heard}; emotion {self.moment.emotion.value}" + ("; danger" if self.moment.danger else "")

    # -- moving

    def enter(self, target: str, branch: str, why: str) -> None:
        """Go to `target` and on from there until the call listens, fetches a person or ends."""
        for _ in range(_MOST_HOPS):
            self.explain(target, branch, why)
            self.tally(f"visits:{target}")
            self.note(node=target, keys="")
            onward = self._run(self.node)
            if onward is None:
                return
            target, branch, why = onward
        self._hang_up(self.node)

    def _run(self, node: Node) -> tuple[str, str, str] | None:
        if node.kind is Kind.TRANSFER:
            return self._transfer(node)
        self.perform(node.do)
        self.speak(node.say, interruptible=node.barge_in and node.kind is not Kind.MESSAGE)
        if node.kind is Kind.BRANCH:
            return self._choose(node)
        if node.kind is Kind.ASK:
            self.listen()
            return None
        if node.kind in (Kind.SAY, Kind.RECORD) and node.goto is not None:
            return node.goto, "goto", "said" if node.kind is Kind.SAY else "noted"
        self._hang_up(node)
        return None

    def _choose(self, node: Node) -> tuple[str, str, str] | None:
        for branch in node.branches:
            heard = not branch.hears or any(intent in self.moment.heard for intent in branch.hears)
            if heard and self.holds(branch.when):
                self.speak(branch.say)
                self.perform(branch.do)
                return branch.goto or self.script.limit, branch.label, self.why()
        return self.script.limit, "no branch", "no condition held"

    def _transfer(self, node: Node) -> tuple[str, str, str] | None:
        self.perform(node.do)
        self.speak(node.say)
        if not self.state.facts.agent_available and node.failed is not None:
            return node.failed, "no agent", "nobody is on duty"
        hold = self._words(Prompt(node.hold, node.where)) if node.hold else ""
        self.note(phase=Phase.TRANSFERRING)
        self.actions.append(
            Transfer(node.id, node.reason or node.id, node.skill, self._briefing(node), hold or "", node.urgent)
        )
        return None

    def _briefing(self, node: Node) -> str:
        return briefing(
            Known(
                node.briefing or node.reason or "客户要求人工",
                self.state.facts.case,
                self.state.verified,
                about_debt=not (node.gentle or node.urgent),
                promise=self.state.promise,
                emotion=self.moment.emotion,
            )
        )

    def _hang_up(self, node: Node) -> None:
        self.settle("the script ended")
        self.actions.append(HangUp(node.id))
        self.note(phase=Phase.ENDED)

    def settle(self, why: str) -> None:
        if not self.state.disposition:
            self._dispose(Disposition.CALLBACK if self.state.spoke else Disposition.NO_INPUT, why)

    def listen(self, patience_s: float | None = None) -> None:
        node = self.node
        self.note(phase=Phase.LISTENING)
        self.actions.append(Listen(node.id, node.topic, patience_s or node.patience_s))

    # -- speaking

    def speak(self, prompts: Iterable[Prompt], *, interruptible: bool = True) -> bool:
        """Speak every prompt whose condition holds; True when anything was spoken."""
        spoken = False
        for prompt in prompts:
            words = self._words(prompt) if self.holds(prompt.when) else None
            if words:
                self._repeat_missed()
                self._softener()
                self._say(words, interruptible and prompt.interruptible, prompt)
                spoken = True
        return spoken

    def speak_nth(self, prompts: tuple[Prompt, ...], nth: int) -> bool:
        """Speak the nth prompt of a list of variants (from 1), the last one again and again."""
        return bool(prompts) and self.speak(prompts[min(nth, len(prompts)) - 1 :][:1], interruptible=self.node.barge_in)

    def ask_shortly(self) -> bool:
        """Ask the question of this node again in its shortest form."""
        node = self.node
        return self.speak(node.short) or self.speak(node.say[-1:])

    def _repeat_missed(self) -> None:
        """What must be heard and was talked over is said once more, this time to its end."""
        missed = self.state.missed
        if not missed:
            return
        self.note(missed=())
        for words in missed:
            self._say(words, False)

    def _softener(self) -> None:
        if not self.soften:
            return
        label, self.soften = self.soften, ""
        prompt = self.script.softeners.get(label)
        if prompt is None or self.node.gentle or label in self.state.softened:
            return
        self.note(softened=(*self.state.softened, label))
        self._say(self._words(prompt) or "", True)

    def _words(self, prompt: Prompt) -> str | None:
        state, script = self.state, self.script
        values = values_of(script, state, self.moment.now)
        return render(self._wording(prompt), values, script.neutral, secrets_of(state), script.telling)

    def _wording(self, prompt: Prompt) -> str:
        """The text in the tone of the script, softer for the distressed; variants by call and visit."""
        soft = self.node.gentle or self.moment.emotion in _DISTRESSED
        firmness = Tone.GENTLE if soft else self.script.firmness_of(self.node.tone)
        if firmness is Tone.GENTLE and prompt.gentle:
            return prompt.gentle
        if firmness >= Tone.FIRM and prompt.firm:
            return prompt.firm
        if not prompt.variants:
            return prompt.text
        turn = zlib.crc32(self.state.facts.call_id.encode()) + self.state.count(f"visits:{self.state.node}")
        return (prompt.text, *prompt.variants)[turn % (len(prompt.variants) + 1)]

    def _say(self, words: str, interruptible: bool, prompt: Prompt | None = None) -> None:
        node = self.state.node
        for piece in split(words):
            number = self.state.utterances + 1
            self.note(utterances=number)
            recorded = prompt.recorded if prompt and piece == words else ""
            self.actions.append(Say(f"u{number}", piece, node, interruptible, recorded))
            if prompt and prompt.must_hear:
                self.note(owed={**self.state.owed, f"u{number}": piece})

    def heard_out(self, utterance_id: str, *, interrupted: bool) -> None:
        """A sentence came to its end, or was talked over."""
        words = self.state.owed.get(utterance_id)
        if words is None:
            return
        self.note(owed={key: text for key, text in self.state.owed.items() if key != utterance_id})
        if interrupted:
            self.note(missed=(*self.state.missed, words))

    # -- effects

    def perform(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            self._effect(effect.verb, effect.value)

    def _effect(self, verb: Verb, value: str) -> None:
        match verb:
            case Verb.DISPOSITION:
                self._dispose(Disposition(value), self.why())
            case Verb.DEFAULT_DISPOSITION:
                if not self.state.disposition:
                    self._dispose(Disposition(value), self.why())
            case Verb.CALLBACK | Verb.CALLBACK_SOON | Verb.CALLBACK_WEEK:
                self._book(value, _UNNAMED.get(verb))
            case Verb.STOP_CONTACT:
                self.actions.append(StopContact(value, self.moment.top or self.state.node))
            case Verb.PAGE_SUPERVISOR:
                self.actions.append(PageSupervisor(value or self.why()))
            case Verb.TAKE_PROMISE:
                self._take(value)
            case Verb.DROP_PROMISE:
                self.note(pending=Pending(), promise=None)
            case Verb.RECORD_PROMISE:
                self._record(confirmed=value == "confirmed")

    def _take(self, value: str) -> None:
        """Merge what was said; a bare yes to "today?" or "in three days?" takes the day that was meant."""
        said, today = self.moment.said, self.moment.now.date()
        if said.date is None and value == "today":
            said = replace(said, date=today)
        if said.date is None and value == "near" and self.state.pending.date is None:
            said = replace(said, date=near_day(today))
        self.note(pending=self.state.pending.merged(said))

    def _book(self, reason: str, otherwise: dt.timedelta | None) -> None:
        at = callback_at(self.moment.said, self.moment.now, self.moment.said.date)
        if at is None and otherwise is not None:
            at = self.moment.now + otherwise
        if self.state.callback_booked and at is None:
            return
        self.note(callback_at=at, callback_booked=True)
        self.actions.append(BookCallback(at, reason or self.moment.top))

    def _record(self, *, confirmed: bool) -> None:
        proof = self.state.identified
        promise = self.state.pending.promise(proof.case.amount_fen, confirmed) if proof else None
        if proof is None or promise is None:
            return
        promise = replace(promise, channel=speakable(self.node.channel) or None)
        self.note(promise=promise)
        self.actions.append(RecordPromise(promise))
        partial = promise.amount_fen < proof.case.amount_fen
        outcome = Disposition.PARTIAL_PROMISE if partial else Disposition.PROMISE_TO_PAY
        self._dispose(outcome, "read back and confirmed" if confirmed else "stated, not confirmed")

    def _dispose(self, disposition: Disposition, why: str) -> None:
        if self.state.disposition != disposition.value:
            self.note(disposition=disposition.value)
            self.actions.append(SetDisposition(disposition, why))

    def alarm(self) -> None:
        """Danger to self while a person is being fetched or talks: nobody may miss it."""
        where = "和同事通话" if self.state.phase is Phase.HANDED_OVER else "等待转接"
        self._dispose(Disposition.VULNERABLE, "danger to self while waiting for a person or talking to one")
        self.actions.append(PageSupervisor(f"对方在{where}时流露轻生的意思"))

    def verify(self, by: str) -> None:
        if not self.state.verified:
            self.note(verified=True)
            self.actions.append(Verified(by))

    def explain(self, target: str, branch: str, why: str) -> None:
        self.actions.append(Explain(self.state.node, target, branch, why))
