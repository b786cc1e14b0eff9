"""WeChat's public interface for tests: tokens that end, followers who do not follow, one message for each key."""

from __future__ import annotations

import json

import httpx

from voicebot.domain.clock import Clock


class WeChatServer:
    """Answers as the platform does: HTTP 200 with an errcode. `errors` are given to the next sends."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.tokens: dict[str, float] = {}
        self.errors: list[int] = []
        self.sent: dict[str, dict[str, object]] = {}
        self.away = False

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("refused")
        asked = request.url.params
        if request.url.path == "/cgi-bin/token":
            return httpx.Response(200, json=self._token(asked.get("appid"), asked.get("secret")))
        assert request.url.path == "/cgi-bin/message/template/send"
        return httpx.Response(200, json=self._send(asked["access_token"], json.loads(request.content)))

    def _token(self, app_id: str | None, secret: str | None) -> dict[str, object]:
        if (app_id, secret) != ("wx1", "geheim"):
            return {"errcode": 40125, "errmsg": "invalid appsecret"}
        token = f"token-{len(self.tokens) + 1}"
        self.tokens[token] = self._clock.now().timestamp() + 7200
        return {"access_token": token, "expires_in": 7200}

    def _send(self, token: str, message: dict[str, object]) -> dict[str, object]:
        if self.tokens.get(token, 0) <= self._clock.now().timestamp():
            return {"errcode": 42001, "errmsg": "access_token expired"}
        if self.errors:
            code = self.errors.pop(0)
            return {"errcode": code, "errmsg": "said the test"}
        self.sent.setdefault(str(message["client_msg_id"]), message)
        return {"errcode": 0, "errmsg": "ok", "msgid": 200163836 + len(self.sent)}
