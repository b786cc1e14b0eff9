"""Urgent search: agents at once, supervisors too when no agent has accepted soon; the first to accept has the call."""

from __future__ import annotations

import asyncio

from voicebot.handoff.transfer import Accepted, Briefing, Failed, WarmTransfer

Result = Accepted | Failed


async def first_of(agents: WarmTransfer, supervisors: WarmTransfer, after_s: float, briefing: Briefing) -> Result:
    """Supervisors are rung after `after_s`, or as soon as no agent is left. Whoever lost is hung up and given back."""
    first = asyncio.create_task(agents.run(briefing))
    tasks = {first: agents}
    try:
        await asyncio.wait(tasks, timeout=after_s)
        if not first.done() or isinstance(first.result(), Failed):
            tasks[asyncio.create_task(supervisors.run(briefing))] = supervisors
        winner = await _winner(set(tasks))
        return winner.result() if winner else first.result()
    except BaseException:
        winner = None
        raise
    finally:
        await asyncio.shield(_let_go({task: search for task, search in tasks.items() if task is not winner}))


async def _winner(tasks: set[asyncio.Task[Result]]) -> asyncio.Task[Result] | None:
    pending = tasks
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if isinstance(task.result(), Accepted):
                return task
    return None


async def _let_go(losers: dict[asyncio.Task[Result], WarmTransfer]) -> None:
    for task in losers:
        task.cancel()
    await asyncio.gather(*losers, return_exceptions=True)
    for search in losers.values():
        await search.give_up()
