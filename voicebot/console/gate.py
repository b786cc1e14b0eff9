"""Gate: nothing is answered to strangers. Login, permissions, foreign sites, sizes, rates and security headers."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voicebot.console.access import EXPORTS, Open, Rule, rule_for
from voicebot.console.door import client_address, from_this_machine
from voicebot.console.limits import Limits
from voicebot.console.masking import viewer
from voicebot.console.queries import Account
from voicebot.console.sessions import COOKIE, Sessions
from voicebot.console.watch import Watch

log = structlog.get_logger(__name__)

PUBLIC_BODY_LIMIT = 16 * 1024
BODY_LIMIT = 24 * 1024 * 1024
ACCOUNT = "voicebot.account"
_LOGINS = ("/login", "/setup", "/password")

# NiceGUI compiles its templates in the browser, which needs eval and inline scripts; nothing comes from elsewhere.
_CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS = (
    ("Content-Security-Policy", _CONTENT_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(self)"),
)
HTTPS_HEADERS = (("Strict-Transport-Security", "max-age=31536000"),)


_UNABLE = JSONResponse(
    {"detail": "the database does not answer; try again, and look at the log of voicebot serve"}, status_code=503
)


class Gate:
    """ASGI middleware around everything, websockets included."""

    def __init__(
        self,
        app: ASGIApp,
        sessions: Sessions,
        limits: Limits | None = None,
        *,
        https: bool = False,
        behind_proxy: bool = False,
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._limits = limits or Limits()
        self._headers = (*SECURITY_HEADERS, *(HTTPS_HEADERS if https else ()))
        self._behind_proxy = behind_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        guarded = _with_headers(scope, send, self._headers)
        refusal = await self._refusal(scope)
        if refusal is None and scope["type"] == "websocket":
            await self._app(scope, Watch(self._still_in(scope), receive, send).receive, send)
        elif refusal is None:
            await self._answered(scope, receive, guarded)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4403, "reason": "not allowed"})
        else:
            await refusal(scope, receive, guarded)

    def _still_in(self, scope: Scope) -> Callable[[], Awaitable[bool]]:
        """Whether the session that a websocket began with goes on, and may still do what it did."""
        headers, before = Headers(scope=scope), scope.get(ACCOUNT)

        async def still_in() -> bool:
            try:
                now = await self._sessions.account(_cookie(headers), _bearer(headers), touch=False)
            except Exception:  # while the database is away nobody is thrown out
                return True
            return now == before

        return still_in

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; what fails before its answer began is answered here, with our headers."""
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception:
            if begun or scope["type"] == "websocket":
                raise
            log.exception("request failed", method=scope["method"], path=scope["path"])
            await _UNABLE(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that may not pass; None lets it pass, with its account in the scope."""
        headers = Headers(scope=scope)
        rule = rule_for(scope.get("method", "WEBSOCKET"), scope["path"])
        if not _same_origin(scope, headers):
            return JSONResponse({"detail": "request from a foreign site"}, status_code=403)
        if refused := _oversize(scope, headers, rule is Open.EVERYBODY):
            return refused
        if rule is Open.EVERYBODY:
            return self._too_often(scope)
        if rule is Open.THIS_MACHINE and from_this_machine(scope, headers):
            return None
        try:
            account = await self._sessions.account(_cookie(headers), _bearer(headers))
        except Exception:
            log.exception("nobody can be recognised", path=scope["path"])
            return _UNABLE
        scope[ACCOUNT] = account
        viewer.set(account)
        if account is None:
            return self._too_often(scope) or _stranger(scope)
        return _forbidden(scope, account, rule) or self._too_often(scope, account)

    def _too_often(self, scope: Scope, account: Account | None = None) -> Response | None:
        """429 for who asks too often: what is posted to log in, the API of somebody, and exports."""
        path, wait = scope["path"], 0.0
        if account is None:
            if path.startswith(_LOGINS) and (scope["method"] == "POST" or path.startswith("/login/sso")):
                wait = self._limits.login.take(client_address(scope, self._behind_proxy))
        elif path.startswith("/api/"):
            wait = self._limits.api.take(account.token_id or account.session_id or account.username)
            if not wait and EXPORTS.fullmatch(path):
                wait = self._limits.exports.take(account.username)
        if not wait:
            return None
        told = {"detail": "请求过于频繁，请稍后再试 / too many requests: try again later"}
        return JSONResponse(told, status_code=429, headers={"Retry-After": str(max(1, math.ceil(wait)))})


def account_of(scope: Scope) -> Account:
    """Who sent this request; LookupError on a route that is open to everybody."""
    account = scope.get(ACCOUNT)
    if not isinstance(account, Account):
        raise LookupError("nobody is logged in")
    return account


def _stranger(scope: Scope) -> Response:
    path: str = scope["path"]
    if scope["type"] == "websocket" or path.startswith("/api/") or path == "/metrics":
        answer = {"detail": "log in, or send an API token as 'Authorization: Bearer …'"}
        return JSONResponse(answer, status_code=401, headers={"WWW-Authenticate": "Bearer"})
    query = scope.get("query_string", b"").decode("latin-1")
    wanted = quote(path + (f"?{query}" if query else ""), safe="")
    return RedirectResponse(f"/login?next={wanted}" if path != "/" else "/login", status_code=303)


def _forbidden(scope: Scope, account: Account, rule: Rule | None) -> Response | None:
    if rule is None:
        return JSONResponse({"detail": "there is nothing at this address"}, status_code=404)
    if rule in (Open.PERSON, Open.ENROLLING) and account.session_id is None:
        return JSONResponse({"detail": "only a person who is logged in may do this, no token"}, status_code=403)
    if rule is Open.ENROLLING:
        return None
    if account.enrolling and scope["path"].startswith("/api/"):
        return JSONResponse({"detail": "set up the second factor first: /second-factor"}, status_code=403)
    if account.enrolling:
        return RedirectResponse("/second-factor", status_code=303)
    if isinstance(rule, Open) or account.may(rule):
        return None
    text = f"the role {account.role} lacks the permission '{rule}'; ask an administrator"
    if scope["path"].startswith("/api/"):
        return JSONResponse({"detail": text}, status_code=403)
    return PlainTextResponse(text, status_code=403)


def _same_origin(scope: Scope, headers: Headers) -> bool:
    """Cross-site posts and websockets are refused: browsers name their origin in all of them (RFC 6454)."""
    if scope["type"] == "http" and scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return True
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
    return urlsplit(origin).netloc == headers.get("host", "")


def _oversize(scope: Scope, headers: Headers, public: bool) -> Response | None:
    if scope["type"] == "websocket" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return None
    # Where both stand, the chunks count and the length means nothing (RFC 9112 section 6.3).
    length = "" if "transfer-encoding" in headers else headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        return JSONResponse({"detail": "Content-Length is required"}, status_code=411)
    if int(length) > (PUBLIC_BODY_LIMIT if public else BODY_LIMIT):
        return JSONResponse({"detail": "the request is too large"}, status_code=413)
    return None


def _cookie(headers: Headers) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None


def _bearer(headers: Headers) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _with_headers(scope: Scope, send: Send, given: tuple[tuple[str, str], ...]) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in given:
                headers.setdefault(name, value)
            if not scope["path"].startswith(("/_nicegui/", "/assets/")):
                headers["Cache-Control"] = "no-store"
        await send(message)

    return guarded
