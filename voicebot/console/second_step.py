"""The second factor: asking for a code after the password, and setting one up with a picture to scan."""

from __future__ import annotations

import datetime as dt

import pyotp
import segno
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from voicebot.console.gate import account_of
from voicebot.console.login import PENDING, Doorman, retry_after, why
from voicebot.console.markup import tag
from voicebot.console.plain import error, field, form, form_fields, plain_page
from voicebot.console.queries import Account, ConsoleData
from voicebot.console.sessions import Sessions
from voicebot.console.settings import ConsoleSettings
from voicebot.console.theme import language_of
from voicebot.console.words import Words
from voicebot.domain.clock import Clock
from voicebot.domain.login import Way
from voicebot.store.users import LoginRefused

log = structlog.get_logger(__name__)


def second_step_routes(data: ConsoleData, settings: ConsoleSettings, sessions: Sessions, clock: Clock) -> APIRouter:
    """The routes /login/code and /second-factor."""
    router = APIRouter(include_in_schema=False)
    doorman = Doorman(data, settings, sessions)

    @router.get("/login/code")
    async def ask(request: Request) -> Response:
        if sessions.pending(request.cookies.get(PENDING)) is None:
            return RedirectResponse("/login", status_code=303)
        return _code_page(request)

    @router.post("/login/code")
    async def answer(request: Request) -> Response:
        username = sessions.pending(request.cookies.get(PENDING))
        if username is None:
            return RedirectResponse("/login", status_code=303)
        try:
            account = await data.logins.by_code(username, (await form_fields(request)).get("code", "")[:64])
        except LoginRefused as refused:
            log.warning("second factor refused", username_pii=username)
            wait = refused.locked_until - clock.now() if refused.locked_until else None
            return _code_page(request, why(request, wait, "factor.wrong"), wait)
        return await doorman.let_in(request, account, Way.FACTOR)

    @router.get("/second-factor")
    async def show(request: Request) -> Response:
        who = account_of(request.scope)
        if await data.accounts.factor(who.username) is not None:
            return RedirectResponse("/account", status_code=303)
        return _setup_page(request, who, await data.accounts.begin_factor(who.username))

    @router.post("/second-factor")
    async def confirm(request: Request) -> Response:
        who, told = account_of(request.scope), "factor.wrong"
        try:
            codes = await data.accounts.confirm_factor(who.username, (await form_fields(request)).get("code", "")[:64])
        except ValueError:
            codes, told = None, "factor.wait"
        if codes is None:
            if await data.accounts.factor(who.username) is not None:
                return RedirectResponse("/account", status_code=303)
            return _setup_page(request, who, await data.accounts.begin_factor(who.username), told)
        log.info("second factor set up", username_pii=who.username)
        return await _with_codes(request, who, codes)

    async def _with_codes(request: Request, who: Account, codes: list[str]) -> Response:
        """The recovery codes; whoever had to enrol gets a whole session now, under another cookie."""
        page = _codes_page(request, codes)
        if who.enrolling:
            await sessions.end(who)
            again = await doorman.let_in(request, who, Way.FACTOR, "/")
            page.headers.append("set-cookie", again.headers["set-cookie"])
        return page

    return router


def _code_page(request: Request, told: str = "", wait: dt.timedelta | None = None) -> HTMLResponse:
    words = Words(language_of(request))
    entry = field(words("factor.code"), "code", autocomplete="one-time-code", autofocus=True, spellcheck="false")
    content = form(words, "factor.submit", error(told), entry)
    back = tag("a", words("factor.back"), href="/login", cls="link")
    title, lead = words("factor.title"), words("factor.lead")
    status = 429 if wait else 401 if told else 200
    return plain_page(words, title, lead, content, back, status=status, headers=retry_after(wait))


def _setup_page(request: Request, who: Account, secret: str, told: str = "") -> HTMLResponse:
    words = Words(language_of(request))
    address = pyotp.TOTP(secret).provisioning_uri(name=who.username, issuer_name="voicebot")
    picture = Markup(segno.make(address, error="m").svg_inline(scale=4, border=3, dark="#000", light="#fff"))
    by_hand = tag("details", tag("summary", words("factor.by_hand")), tag("code", _grouped(secret), cls="secret"))
    attributes = {"inputmode": "numeric", "pattern": "[0-9 ]{6,7}", "autocomplete": "one-time-code"}
    entry = field(words("factor.first"), "code", autofocus=True, **attributes)
    content = form(words, "factor.confirm", error(words(told) if told else ""), entry)
    lead = words("factor.setup.demanded" if who.enrolling else "factor.setup.lead")
    qr = tag("div", picture, cls="qr", role="img", aria_label=words("factor.picture"))
    return plain_page(words, words("factor.setup"), lead, qr, by_hand, content, status=400 if told else 200)


def _codes_page(request: Request, codes: list[str]) -> HTMLResponse:
    words = Words(language_of(request))
    shown = tag("ol", *(tag("li", tag("code", code)) for code in codes), cls="recovery-codes")
    on = tag("a", words("factor.kept"), href="/account", cls="btn primary wide")
    return plain_page(words, words("factor.codes"), words("factor.codes.lead"), shown, on)


def _grouped(secret: str) -> str:
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
