"""ScriptDialog: the dialog engine in the place where other pipelines keep a language model."""

from __future__ import annotations

import structlog
from pipecat.frames.frames import Frame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from voicebot.dialog import actions
from voicebot.dialog.engine import initial, step
from voicebot.dialog.events import Event, MachineAnswered, TransferEnded
from voicebot.dialog.foresight import foreseen
from voicebot.dialog.prompts import static_prompts
from voicebot.dialog.script import Script
from voicebot.dialog.state import DialogState
from voicebot.domain.case import CallFacts
from voicebot.domain.journal import FactKind
from voicebot.domain.talk import HandOver, HangUpCall, Note
from voicebot.pipeline.conversation import Conversation
from voicebot.pipeline.frames import BriefingFrame, DialogEventFrame, ForeseenFrame, OrderFrame, UtterFrame
from voicebot.pipeline.live_gate import LiveGate
from voicebot.telemetry.cpu_clock import CLOCK

log = structlog.get_logger(__name__)


class ScriptDialog(FrameProcessor):
    """Feeds events to the engine and carries out its actions, in order."""

    def __init__(self, script: Script, facts: CallFacts, conversation: Conversation, gate: LiveGate) -> None:
        super().__init__()
        self._script = script
        self._state: DialogState = initial(script, facts)
        self._talk = conversation
        self._gate = gate
        self._ready = frozenset(static_prompts(script))

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, DialogEventFrame):
            await self._on(frame.event, frame.answers_tick)
        else:
            await self.push_frame(frame, direction)

    async def _on(self, event: Event, answers_tick: int | None) -> None:
        if isinstance(event, TransferEnded):
            self._talk.handed_over = event.joined
        if isinstance(event, MachineAnswered):
            self._gate.listener = "voicemail"
        self._talk.listening = False
        with CLOCK.part("dialog"):
            self._state, todo = step(self._script, self._state, event)
        for action in todo:
            await self._do(action, answers_tick)
            if isinstance(action, actions.Say):
                answers_tick = None  # only the first sentence is the answer
        if not todo:
            self._talk.listening = not self._talk.over
        elif texts := self._foreseen(event):
            await self.push_frame(ForeseenFrame(texts))

    def _foreseen(self, event: Event) -> tuple[str, ...]:
        with CLOCK.part("dialog"):
            return foreseen(self._script, self._state, event.now, self._ready)

    async def _do(self, action: actions.Action, answers_tick: int | None) -> None:
        match action:
            case actions.Say():
                await self._say(action, answers_tick)
            case actions.Listen(topic=topic, patience_s=patience_s):
                self._talk.topic, self._talk.patience_s, self._talk.listening = topic, patience_s, True
                self._talk.on_listen()
            case actions.Transfer():
                await self._transfer(action)
            case actions.HangUp():
                self._talk.over = True
                await self.push_frame(OrderFrame(HangUpCall(self._talk.call)))
            case actions.Verified(by=by):
                self._gate.verified = True
                await self._note(FactKind.VERIFIED, {"by": by})
            case _:
                await self._note(*_as_fact(action))

    async def _say(self, action: actions.Say, answers_tick: int | None) -> None:
        with CLOCK.part("dialog"):
            text, blocked = self._gate.pass_on(action.text)
        if blocked:
            await self._note(FactKind.NOTE, {"text": "speech gate", "blocked": action.text, "rules": blocked})
        self._talk.speaking[action.utterance_id] = action.interruptible
        await self.push_frame(
            UtterFrame(action.utterance_id, text, action.node, action.interruptible, answers_tick)
        )

    async def _transfer(self, action: actions.Transfer) -> None:
        if action.hold_text:
            hold = actions.Say(f"hold-{action.node}", action.hold_text, action.node, interruptible=False)
            await self._say(hold, None)
        await self.push_frame(BriefingFrame(action.briefing))
        order = HandOver(self._talk.call, action.reason, action.skill, action.briefing, action.urgent)
        await self.push_frame(OrderFrame(order))

    async def _note(self, kind: FactKind, data: dict[str, object]) -> None:
        await self.push_frame(OrderFrame(Note(self._talk.call, kind, data)))


def _as_fact(action: actions.Action) -> tuple[FactKind, dict[str, object]]:
    match action:
        case actions.SetDisposition(disposition=disposition, why=why):
            return FactKind.DISPOSITION, {"disposition": disposition.value, "why": why}
        case actions.RecordPromise(promise=promise):
            return FactKind.PROMISED, {
                "date": promise.date.isoformat(),
                "amount_fen": promise.amount_fen,
                "confirmed": promise.confirmed,
                "channel": promise.channel,
            }
        case actions.BookCallback(at=at, reason=reason):
            return FactKind.CALLBACK_BOOKED, {"at": at.isoformat() if at else None, "reason": reason}
        case actions.StopContact(scope=scope, reason=reason):
            return FactKind.STOPPED, {"scope": scope, "reason": reason}
        case actions.PageSupervisor(reason=reason):
            return FactKind.PAGED, {"reason": reason}
        case actions.Explain(from_node=from_node, to_node=to_node, branch=branch, why=why):
            return FactKind.DECIDED, {"from_node": from_node, "to_node": to_node, "branch": branch, "why": why}
        case _:
            raise TypeError(f"no fact for {action!r}")
