"""Desk API: what an agent does by click or by program. Always about the agent of whoever is logged in."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import structlog
from fastapi import APIRouter, HTTPException, Request

from voicebot.console.agreement import OutsideAuthority, explain, plan_of
from voicebot.console.api_values import DoneOut
from voicebot.console.desk_data import NotYours, Refused
from voicebot.console.desk_out import agent_out, brief_out, callback_out, permission_out, plan_out, pop_out
from voicebot.console.desk_values import (
    CallbackOut,
    CaseBriefOut,
    DeskOut,
    FiguresOut,
    PermissionOut,
    PlanIn,
    PlanOut,
    PresenceIn,
    RingOut,
    SnippetOut,
    TargetIn,
    WrapupIn,
    WrapupOut,
)
from voicebot.console.floor import LiveFloor
from voicebot.console.gate import account_of
from voicebot.console.knowledge import search
from voicebot.console.queries import Account, ConsoleData
from voicebot.console.theme import language_of
from voicebot.console.words import Words
from voicebot.domain.plan import PlanError
from voicebot.domain.records import Role
from voicebot.store.portfolio import PortfolioFull

log = structlog.get_logger(__name__)
VERBS = ("accept", "decline", "hold", "resume", "three_way", "end_consult", "hang_up", "consult", "transfer")
"""What an agent may order of their call; the last two name a target."""


def desk_routes(data: ConsoleData, floor: LiveFloor) -> APIRouter:
    """All routes below /api/desk."""
    router = APIRouter(prefix="/api/desk", tags=["desk"])
    _state_routes(router, data, floor)
    _call_routes(router, data, floor)
    _case_routes(router, data, floor)
    _callback_routes(router, data)
    return router


def agent_of(request: Request) -> tuple[str, Account]:
    """The agent of whoever asks; 409 for an account without one."""
    account = account_of(request.scope)
    if account.agent_id is None:
        raise HTTPException(409, _words(request)("desk.no_agent"))
    return account.agent_id, account


def _words(request: Request) -> Words:
    return Words(language_of(request))


@contextmanager
def readable(request: Request) -> Iterator[None]:
    """Refusals of the desk as answers that say in words what to do."""
    words = _words(request)
    try:
        yield
    except LookupError as unknown:
        raise HTTPException(404, str(unknown)) from unknown
    except NotYours as foreign:
        raise HTTPException(409, words("desk.not_yours")) from foreign
    except OutsideAuthority as outside:
        raise HTTPException(403, explain(words, outside.ruling)) from outside
    except PlanError as wrong:
        raise HTTPException(422, words("plan.wrong", why=str(wrong))) from wrong
    except PortfolioFull as full:
        raise HTTPException(409, words("pool.full")) from full
    except Refused as refused:
        _refuse(words, refused)


def _refuse(words: Words, refused: Refused) -> NoReturn:
    verdict = refused.verdict
    later = words("ring.later", at=words.moment(verdict.not_before)) if verdict.not_before else words("ring.never")
    text = words("ring.refused", rule=verdict.rule or "—", why=words.explain(verdict.reason), later=later)
    raise HTTPException(409, text) from refused


def _state_routes(router: APIRouter, data: ConsoleData, floor: LiveFloor) -> None:
    @router.get("")
    async def state(request: Request) -> DeskOut:
        """My presence, the call I am in, and the calls I have not written about."""
        agent_id, account = agent_of(request)
        agent = await data.desk.agent(agent_id)
        if agent is None:
            raise HTTPException(404, f"there is no agent {agent_id}")
        call = await data.desk.pop(agent.call_id, account.display_name) if agent.call_id else None
        unwritten = [record.id for record in await data.desk.unwritten(agent_id)]
        return DeskOut(agent=agent_out(agent), call=pop_out(call) if call else None, unwritten=unwritten)

    @router.post("/presence")
    async def presence(wanted: PresenceIn, request: Request) -> DoneOut:
        """Ready, away (and why), writing, or offline."""
        agent_id, account = agent_of(request)
        with readable(request):
            await data.desk.set_presence(agent_id, wanted.presence, wanted.note.strip())
        log.info("presence", agent=agent_id, presence=wanted.presence, by_pii=account.username)
        await floor.refresh()
        return DoneOut()

    @router.get("/figures")
    async def figures(request: Request) -> FiguresOut:
        """My day; promises kept are those of the last 30 days."""
        agent_id, _ = agent_of(request)
        mine = await data.desk.figures(agent_id)
        return FiguresOut(**{name: getattr(mine, name) for name in FiguresOut.model_fields})

    @router.get("/knowledge")
    async def knowledge(text: str = "") -> list[SnippetOut]:
        """What may be said, and never, on a subject."""
        return [
            SnippetOut(id=one.id, title=one.title, say=list(one.say), never=list(one.never)) for one in search(text)
        ]


def _call_routes(router: APIRouter, data: ConsoleData, floor: LiveFloor) -> None:
    @router.post("/calls/{call_id}/wrap-up")
    async def wrap_up(call_id: str, wanted: WrapupIn, request: Request) -> WrapupOut:
        """Write about a call once; promise, plan, callback and contact stop follow in the same transaction."""
        agent_id, account = agent_of(request)
        with readable(request):
            written = await data.desk.wrap_up(agent_id, account.role, call_id, wanted.written())
        log.info("wrap-up", call_id=call_id, agent=agent_id, code=wanted.code, again=not written)
        await floor.refresh()
        return WrapupOut(written=written)

    @router.post("/plan")
    async def plan(wanted: PlanIn, request: Request) -> PlanOut:
        """Compute what the terms come to, without saving anything."""
        account, words = account_of(request.scope), _words(request)
        case = await data.desk.case(wanted.case_id)
        mine = account.role != Role.AGENT or await data.desk.concerns(account.agent_id, wanted.case_id)
        if case is None or not mine:
            raise HTTPException(404, f"there is no case {wanted.case_id} of yours")
        with readable(request):
            made = plan_of(wanted.terms(), case)
            if made is None:
                raise PlanError("nothing was agreed")
            return plan_out(words, made, data.desk.ruling(made, case, account.role))

    @router.post("/calls/{call_id}/{verb}")
    async def order(call_id: str, verb: str, request: Request, wanted: TargetIn | None = None) -> DoneOut:
        """accept, decline, hold, resume, consult, three_way, end_consult, transfer or hang_up the call I am in."""
        if verb not in VERBS:
            raise HTTPException(404, f"an agent can {', '.join(VERBS)}, not {verb!r}")
        agent_id, account = agent_of(request)
        payload: dict[str, object] = {"agent": agent_id}
        if verb in ("hold", "resume"):
            payload, sent = {"on": verb == "hold"}, "agent_hold"
        else:
            sent = verb
        if verb in ("consult", "transfer"):
            if wanted is None:
                raise HTTPException(422, _words(request)("desk.target.missing"))
            payload["target"] = target = wanted.target.strip()
            if not await data.desk.may_bring_in(account.role, target):
                raise HTTPException(403, _words(request)("desk.target.outside"))
        with readable(request):
            await data.desk.order(agent_id, call_id, sent, account.username, payload)
        log.info("command", verb=verb, target=call_id, by_pii=account.username)
        return DoneOut()


def _case_routes(router: APIRouter, data: ConsoleData, floor: LiveFloor) -> None:
    @router.get("/cases")
    async def mine(request: Request) -> list[CaseBriefOut]:
        """The cases I pulled."""
        agent_id, _ = agent_of(request)
        return [brief_out(case) for case in await data.desk.mine(agent_id)]

    @router.post("/cases/pull")
    async def pull_next(request: Request) -> CaseBriefOut:
        """Pull the case of the pool that is longest overdue."""
        return await _pulled(request, None)

    @router.post("/cases/{case_id}/pull")
    async def pull(case_id: str, request: Request) -> CaseBriefOut:
        """Pull this case, if nobody was quicker."""
        return await _pulled(request, case_id)

    async def _pulled(request: Request, case_id: str | None) -> CaseBriefOut:
        agent_id, account = agent_of(request)
        with readable(request):
            case = await data.desk.pull(agent_id, case_id)
        if case is None:
            raise HTTPException(409, _words(request)("pool.gone"))
        log.info("command", verb="pull", target=case.id, by_pii=account.username)
        return brief_out(case)

    @router.post("/cases/{case_id}/give-back")
    async def give_back(case_id: str, request: Request) -> DoneOut:
        """Put a case I pulled back into the pool."""
        agent_id, account = agent_of(request)
        if not await data.desk.give_back(agent_id, case_id):
            raise HTTPException(409, _words(request)("desk.not_yours"))
        log.info("command", verb="give back", target=case_id, by_pii=account.username)
        return DoneOut()

    @router.get("/cases/{case_id}/permission")
    async def permission(case_id: str, request: Request) -> PermissionOut:
        """May this debtor be rung now? Nothing is reserved."""
        agent_id, _ = agent_of(request)
        if not await data.desk.open_to(agent_id, case_id):
            raise HTTPException(409, _words(request)("desk.not_yours"))
        with readable(request):
            return permission_out(await data.desk.may_ring(case_id))

    @router.post("/cases/{case_id}/ring")
    async def ring(case_id: str, request: Request) -> RingOut:
        """Preview dial: my phone rings, then the debtor's. Refused with rule and next time where rules forbid it."""
        agent_id, account = agent_of(request)
        with readable(request):
            call_id = await data.desk.ring(agent_id, case_id, account.username)
        log.info("command", verb="ring", target=case_id, call_id=call_id, by_pii=account.username)
        await floor.refresh()
        return RingOut(call_id=call_id)


def _callback_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.get("/callbacks")
    async def callbacks(request: Request) -> list[CallbackOut]:
        """Mine, then those that nobody has taken."""
        agent_id, _ = agent_of(request)
        return [callback_out(callback) for callback in await data.desk.callbacks(agent_id)]

    @router.post("/callbacks/{callback_id}/take")
    async def take(callback_id: int, request: Request) -> DoneOut:
        """Make nobody's callback mine."""
        agent_id, _ = agent_of(request)
        return await _changed(request, data.desk.take_callback(agent_id, callback_id))

    @router.post("/callbacks/{callback_id}/done")
    async def done(callback_id: int, request: Request) -> DoneOut:
        """I called back."""
        agent_id, _ = agent_of(request)
        return await _changed(request, data.desk.callback_done(agent_id, callback_id))

    async def _changed(request: Request, doing: Awaitable[bool]) -> DoneOut:
        if not await doing:
            raise HTTPException(409, _words(request)("callback.gone"))
        return DoneOut()
