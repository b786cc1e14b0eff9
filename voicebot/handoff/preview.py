"""Preview dial: the agent who will talk is rung first, then the debtor."""

from __future__ import annotations

import asyncio

from voicebot.handoff.desk import Desk, Seat
from voicebot.handoff.rules import TransferRules
from voicebot.handoff.transfer import release
from voicebot.telephony.leg import Answered, CallLeg, Ended, Line

MAY_DIAL = ("ready", "wrap_up", "away")
"""Presences in which an agent may dial: they asked for it themselves."""


class AgentAbsentError(RuntimeError):
    """The agent who wanted to dial is not there; nobody was rung."""


async def ring_dialler(
    desk: Desk, line: Line, agent_id: str, call_id: str, rules: TransferRules
) -> tuple[Seat, CallLeg]:
    """The agent, reserved, with their phone answered. AgentAbsentError, UndiallableError."""
    seat = await desk.claim_agent(agent_id, call_id, MAY_DIAL)
    if seat is None:
        raise AgentAbsentError(f"agent {agent_id!r} is unknown or in a call")
    try:
        leg = await line.dial(seat.sip_uri, ring_timeout_s=rules.ring_s)
        await _until_answered(leg, agent_id)
    except BaseException:
        await asyncio.shield(release(desk, seat, talked=False))
        raise
    return seat, leg


async def _until_answered(leg: CallLeg, agent_id: str) -> None:
    try:
        async for event in leg.events():
            if isinstance(event, Answered):
                return
            if isinstance(event, Ended):
                break
    except BaseException:
        await asyncio.shield(leg.hang_up())
        raise
    raise AgentAbsentError(f"agent {agent_id!r} did not answer")
