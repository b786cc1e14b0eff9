"""Gate: nothing is answered to strangers. Login, permissions, foreign sites, body sizes and security headers."""

from __future__ import annotations

import ipaddress
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voicebot.console.access import Open, Rule, rule_for
from voicebot.console.queries import Account
from voicebot.console.sessions import COOKIE, Sessions

log = structlog.get_logger(__name__)

PUBLIC_BODY_LIMIT = 16 * 1024
BODY_LIMIT = 24 * 1024 * 1024
ACCOUNT = "voicebot.account"

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


_UNABLE = JSONResponse(
    {"detail": "the database does not answer; try again, and look at the log of voicebot serve"}, status_code=503
)


class Gate:
    """ASGI middleware around everything, websockets included."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        guarded = _with_security_headers(scope, send)
        refusal = await self._refusal(scope)
        if refusal is None:
            await self._answered(scope, receive, guarded)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4403, "reason": "not allowed"})
        else:
            await refusal(scope, receive, guarded)

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
        if rule is Open.EVERYBODY or (rule is Open.THIS_MACHINE and _from_this_machine(scope, headers)):
            return None
        try:
            account = await self._sessions.account(_cookie(headers), _bearer(headers))
        except Exception:
            log.exception("nobody can be recognised", path=scope["path"])
            return _UNABLE
        scope[ACCOUNT] = account
        return _stranger(scope) if account is None else _forbidden(scope, account, rule)


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


def _from_this_machine(scope: Scope, headers: Headers) -> bool:
    # Behind a reverse proxy everybody seems local, so a forwarded request never counts as such.
    client = scope.get("client")
    if client is None or "x-forwarded-for" in headers or "forwarded" in headers:
        return False
    try:
        return ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


def _cookie(headers: Headers) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None


def _bearer(headers: Headers) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _with_security_headers(scope: Scope, send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS:
                headers.setdefault(name, value)
            if not scope["path"].startswith(("/_nicegui/", "/assets/")):
                headers["Cache-Control"] = "no-store"
        await send(message)

    return guarded
