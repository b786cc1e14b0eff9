"""WeChat: template messages of an official account, by its public interface (cgi-bin/token, message/template/send).

Which template stands for which message, and what its fields say, is data: `wechat.yaml` of the operator.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from voicebot.domain.clock import Clock
from voicebot.messages.channel import GatewayAway, Letter, Undeliverable, Unsubscribed

API: Final = "https://api.weixin.qq.com"
TIMEOUT_S: Final = 10.0
EARLY: Final = dt.timedelta(minutes=5)
"""A token is renewed this long before it ends."""
_TOKEN_OVER: Final = frozenset({40001, 40014, 42001})
_AWAY: Final = frozenset({-1, 45009, 45011, 48004})
"""Busy, or out of today's allowance."""
_NOT_FOLLOWING: Final = frozenset({43004, 43101})


class WeChatError(ValueError):
    """The file of templates can't be used; the sentence names file, message and remedy."""


@dataclass(frozen=True, slots=True)
class WeChatTemplate:
    """`id` as the platform gives it; `data`: its fields, with {name}, {date} and so on in them."""

    id: str
    data: Mapping[str, str]


def load_wechat_templates(path: Path) -> dict[str, WeChatTemplate]:
    """Read `kind: {id: …, data: {field: wording}}`. WeChatError."""
    try:
        raw = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError, ValueError) as error:
        raise WeChatError(f"{path} can't be read: {error}") from error
    if not isinstance(raw, dict) or not raw:
        raise WeChatError(f"{path}: `message: {{id: …, data: {{field: wording}}}}` is expected")
    return {str(kind): _template(path, str(kind), value) for kind, value in raw.items()}


def _template(path: Path, kind: str, raw: object) -> WeChatTemplate:
    data = raw.get("data") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str) or not isinstance(data, dict) or not data:
        raise WeChatError(f"{path}: {kind}: id and data are needed")
    return WeChatTemplate(raw["id"], {str(field): str(wording) for field, wording in data.items()})


class WeChatChannel:
    """`to` of a message is the follower's OpenID. The access token is fetched when needed and kept until it ends."""

    def __init__(
        self,
        app_id: str,
        secret: str,
        templates: Mapping[str, WeChatTemplate],
        clock: Clock,
        api: str = API,
        client: Callable[[], httpx.AsyncClient] = lambda: httpx.AsyncClient(timeout=TIMEOUT_S),
    ) -> None:
        self._app_id, self._secret, self._templates, self._clock = app_id, secret, templates, clock
        self._api, self._client = api.rstrip("/"), client()
        self._token, self._until = "", clock.now()

    def wording(self, letter: Letter) -> str:
        return "；".join(self._data(letter).values())

    async def send(self, letter: Letter) -> str | None:
        data = {name: {"value": value} for name, value in self._data(letter).items()}
        message = {
            "touser": letter.to, "template_id": self._templates[letter.kind].id, "data": data,
            "client_msg_id": letter.key,
        }  # fmt: skip
        answer = await self._post(message, await self._access())
        if answer.get("errcode") in _TOKEN_OVER:  # somebody else asked for a newer one
            self._token = ""
            answer = await self._post(message, await self._access())
        return _taken(answer)

    async def close(self) -> None:
        await self._client.aclose()

    def _data(self, letter: Letter) -> dict[str, str]:
        template = self._templates.get(letter.kind)
        if template is None:
            raise Undeliverable(f"there is no WeChat template for {letter.kind}: add it to VOICEBOT_WECHAT_TEMPLATES")
        try:
            return {name: wording.format(**letter.values) for name, wording in template.data.items()}
        except (KeyError, IndexError, ValueError) as error:
            raise Undeliverable(f"the WeChat template for {letter.kind} can't be filled in: {error!r}") from error

    async def _access(self) -> str:
        if self._token and self._clock.now() < self._until:
            return self._token
        asked = {"grant_type": "client_credential", "appid": self._app_id, "secret": self._secret}
        answer = await self._ask("GET", "/cgi-bin/token", params=asked)
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not isinstance(seconds, int):
            raise GatewayAway(f"WeChat gives no token ({answer.get('errcode')}): check app id and secret")
        self._token = token
        self._until = self._clock.now() + max(dt.timedelta(seconds=seconds) - EARLY, dt.timedelta(0))
        return token

    async def _post(self, message: Mapping[str, object], token: str) -> dict[str, Any]:
        return await self._ask("POST", "/cgi-bin/message/template/send", params={"access_token": token}, json=message)

    async def _ask(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        try:
            answer = await self._client.request(method, self._api + path, **content)
            told = answer.json() if answer.is_success else None
        except (httpx.HTTPError, ValueError) as error:
            raise GatewayAway(f"WeChat does not answer: {type(error).__name__}") from error
        if not isinstance(told, dict):
            raise GatewayAway(f"WeChat answers {answer.status_code}")
        return told


def _taken(answer: Mapping[str, Any]) -> str | None:
    code = answer.get("errcode", 0)
    said = f"WeChat answers {code} {str(answer.get('errmsg', ''))[:120]}"
    if code == 0:
        return str(answer["msgid"]) if "msgid" in answer else None
    if code in _AWAY or code in _TOKEN_OVER:
        raise GatewayAway(said)
    if code in _NOT_FOLLOWING:
        raise Unsubscribed(said)
    raise Undeliverable(said)
