"""Fact and FactKind: the entries of a call's journal, the one source of all that is told about a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FactKind(StrEnum):
    """What can happen in a call. The `data` keys of each kind are listed in docs/reference/journal.md."""

    STARTED = "started"  # call_id, direction, case_id, attempt_id, number_masked, script, script_sha256, trace_id
    DIALLED = "dialled"  # to, from, sip_call_id
    TRUNK_TRIED = "trunk_tried"  # trunk, status, reason, next, sip_call_id: it could not take the call
    RINGING = "ringing"  # status
    EARLY_MEDIA = "early_media"
    ANSWERED = "answered"
    ANSWERED_BY = "answered_by"  # kind: voicemail | announcement, cue
    SPEECH_STARTED = "speech_started"  # caller began to speak
    HEARING = "hearing"  # partial text (live view only, not kept in the journal file)
    HEARD = "heard"  # text, confidence, start_ms, end_ms
    UNDERSTOOD = "understood"  # intents, emotion, slots, danger, topic
    DECIDED = "decided"  # from_node, to_node, branch, why
    SAYING = "saying"  # utterance_id, text, node, interruptible
    SAID = "said"  # utterance_id, text, node, heard_ms, total_ms, interrupted
    DTMF = "dtmf"  # digit
    VERIFIED = "verified"  # by
    PROMISED = "promised"  # date, amount_fen, confirmed
    CALLBACK_BOOKED = "callback_booked"  # at, reason
    STOPPED = "stopped"  # scope, reason (do not call, suspend)
    PAGED = "paged"  # reason: a supervisor was called
    TRANSFER_STARTED = "transfer_started"  # reason, skill, language, urgent
    QUEUED = "queued"  # position: how many wait before this call
    AGENT_RINGING = "agent_ringing"  # agent, name
    AGENT_ANSWERED = "agent_answered"  # agent
    BRIEFED = "briefed"  # agent, text, heard_ms
    AGENT_ACCEPTED = "agent_accepted"  # agent, how: key | click | auto
    JOINED = "joined"  # agent, name, accept_ms
    AGENT_HEARD = "agent_heard"  # text, start_ms, end_ms: what the agent said
    AGENT_HOLD = "agent_hold"  # on
    CONSULT_STARTED = "consult_started"  # target
    CONSULT_ENDED = "consult_ended"  # target
    SUPERVISOR_JOINED = "supervisor_joined"  # agent, mode: listen | whisper | barge | take_over
    SUPERVISOR_LEFT = "supervisor_left"  # agent, mode
    GATE_ALERT = "gate_alert"  # text, rules: what a person said and should not have said
    HINT = "hint"  # kind, text: for the agent
    REFERRED = "referred"  # target, status: the call left us, and its recording ends
    AGENT_LEFT = "agent_left"  # agent, by
    TRANSFER_FAILED = "transfer_failed"  # agent, why
    BRAIN_LOST = "brain_lost"  # silent_ms
    BRAIN_BACK = "brain_back"  # reserved, never written: a call that lost its brain does not get it back
    LATENCY = "latency"  # turn_ms: end of the caller's speech to first sound of the answer on the wire
    NOTE = "note"  # text
    DISPOSITION = "disposition"  # disposition, why
    ENDED = "ended"  # by: local | remote | error | crash, status, reason, q850


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry: `seq` counts from 0, `at` is ISO 8601 UTC, `ms` is milliseconds of recorded audio before it."""

    seq: int
    at: str
    ms: int
    kind: FactKind
    data: Mapping[str, object]
