"""OpenID Connect: code flow with PKCE, state and nonce; and which claims make which role.

Sources: OpenID Connect Core 1.0 sections 3.1 and 5.1, Discovery 1.0 section 4, RFC 7636, RFC 9207.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from voicebot.domain.records import Role

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
AGAIN_S = 10.0
"""Whoever sends us wrong tokens must not make us ask the provider for its keys more often than this."""
_REFRESH_S = 3600.0
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_LEEWAY_S = 60


class SignOnFailed(Exception):
    """The provider refused, is away, or said something that cannot be believed; the message is for the log."""


@dataclass(frozen=True, slots=True)
class RoleRule:
    """Whoever has `value` in `claim` (a path with dots) gets `role`."""

    claim: str
    value: str
    role: Role


@dataclass(frozen=True, slots=True)
class SingleSignOn:
    """One provider. `url`: the console's own address as browsers know it. `ca`: whom its certificate may come from."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    roles: tuple[RoleRule, ...]
    url: str
    ca: Path | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.issuer)
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError("VOICEBOT_OIDC_ISSUER: expected an address with https://")
        if not self.roles:
            raise ValueError("VOICEBOT_OIDC_ROLES: without it nobody gets in; such as groups:voicebot-admins=admin")

    @property
    def back(self) -> str:
        return f"{self.url.rstrip('/')}/login/sso/back"


@dataclass(frozen=True, slots=True)
class Begun:
    """What must be remembered between sending somebody to the provider and their coming back."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom the provider vouches for. `identity`: issuer and subject, the only thing that never changes."""

    identity: str
    username: str
    display_name: str
    role: Role


def role_rules(lines: Sequence[str]) -> tuple[RoleRule, ...]:
    """claim:value=role, in order of rank. ValueError."""
    found = []
    for line in lines:
        where, equals, role = line.rpartition("=")
        claim, colon, value = where.partition(":")
        if not (equals and colon and claim and value) or role not in set(Role):
            raise ValueError(f"VOICEBOT_OIDC_ROLES: expected such as groups:qa=reviewer, got {line!r}")
        found.append(RoleRule(claim, value, Role(role)))
    return tuple(found)


class Provider:
    """The provider as the console talks to it; what it publishes is kept for an hour."""

    def __init__(self, settings: SingleSignOn) -> None:
        self.settings = settings
        self._about: Mapping[str, Any] = {}
        self._keys: KeySet | None = None
        self._read_at = self._keys_at = -1e9

    async def begin(self) -> tuple[str, Begun]:
        """The address to send somebody to, and what to remember meanwhile. SignOnFailed."""
        begun = Begun(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.settings.back,
            "scope": "openid profile email",
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        address = str((await self._known())["authorization_endpoint"])
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}", begun

    async def finish(self, answer: Mapping[str, str], begun: Begun) -> Vouched:
        """Who came back with this answer. SignOnFailed."""
        if not hmac.compare_digest(answer.get("state", "").encode(), begun.state.encode()):
            raise SignOnFailed("the answer belongs to another login (state)")
        if "error" in answer:
            raise SignOnFailed(f"the provider refused: {answer['error'][:100]}")
        if answer.get("iss", self.settings.issuer) != self.settings.issuer:
            raise SignOnFailed("the answer is from another provider (iss)")
        claims = await self._claims(answer.get("code", ""), begun)
        return vouched(claims, self.settings)

    async def _claims(self, code: str, begun: Begun) -> Mapping[str, Any]:
        about = await self._known()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.settings.back,
            "code_verifier": begun.verifier,
            "client_id": self.settings.client_id,
        }
        # RFC 6749 section 2.3.1: the secret as basic authentication, unless the provider wants it in the form.
        methods = about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        basic = "client_secret_basic" in methods and self.settings.client_secret
        if self.settings.client_secret and not basic:
            form["client_secret"] = self.settings.client_secret
        signed = httpx.BasicAuth(self.settings.client_id, self.settings.client_secret) if basic else None
        told = await self._ask("POST", str(about["token_endpoint"]), data=form, auth=signed)
        return await self._believed(str(told.get("id_token", "")), begun.nonce)

    async def _believed(self, id_token: str, nonce: str) -> Mapping[str, Any]:
        """The claims of a token that the provider signed for us, now, for this login."""
        registry = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self.settings.issuer},
            aud={"essential": True, "value": self.settings.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            token = await self._decoded(id_token)
            registry.validate(token.claims)
        except (JoseError, ValueError) as error:
            raise SignOnFailed(f"the provider's token is not to be believed: {error}") from error
        audience = token.claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and token.claims.get("azp") != self.settings.client_id:
            raise SignOnFailed("the provider's token is for somebody else (azp)")
        return token.claims

    async def _decoded(self, id_token: str) -> jwt.Token:
        try:
            return jwt.decode(id_token, await self._key_set(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):  # providers change their keys: they are asked for once more
            return jwt.decode(id_token, await self._key_set(fresh=True), algorithms=ALGORITHMS)

    async def _known(self) -> Mapping[str, Any]:
        if time.monotonic() - self._read_at > _REFRESH_S:
            address = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
            about = await self._ask("GET", address)
            if about.get("issuer") != self.settings.issuer:
                raise SignOnFailed(f"the provider calls itself {about.get('issuer')}: set VOICEBOT_OIDC_ISSUER so")
            if missing := {"authorization_endpoint", "token_endpoint", "jwks_uri"} - about.keys():
                raise SignOnFailed(f"the provider does not say its {', '.join(sorted(missing))}")
            self._about, self._read_at = about, time.monotonic()
        return self._about

    async def _key_set(self, fresh: bool = False) -> KeySet:
        age = time.monotonic() - self._keys_at
        if self._keys is None or age > _REFRESH_S or (fresh and age > AGAIN_S):
            told = await self._ask("GET", str((await self._known())["jwks_uri"]))
            try:
                self._keys = KeySet.import_key_set({"keys": told["keys"]})
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise SignOnFailed("the provider's keys are unreadable") from error
            self._keys_at = time.monotonic()
        return self._keys

    async def _ask(self, method: str, address: str, **more: Any) -> Mapping[str, Any]:
        trust = ssl.create_default_context(cafile=str(self.settings.ca)) if self.settings.ca else True
        try:
            async with httpx.AsyncClient(verify=trust, timeout=10, follow_redirects=False) as client:
                answer = await client.request(method, address, headers={"Accept": "application/json"}, **more)
            told = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise SignOnFailed(f"{urlsplit(address).netloc} does not answer as a provider: {error!r}") from error
        if answer.status_code != 200 or not isinstance(told, dict):
            reason = told.get("error", "") if isinstance(told, dict) else ""
            raise SignOnFailed(f"{urlsplit(address).netloc} answered {answer.status_code} {str(reason)[:100]}".strip())
        return told


def vouched(claims: Mapping[str, Any], settings: SingleSignOn) -> Vouched:
    """Name and role from claims; the first rule that fits decides. SignOnFailed when none does."""
    role = next((rule.role for rule in settings.roles if rule.value in _values(claims, rule.claim)), None)
    if role is None:
        raise SignOnFailed("no rule of VOICEBOT_OIDC_ROLES gives this person a role")
    subject = str(claims["sub"])
    named = str(claims.get("preferred_username") or claims.get("email") or subject).partition("@")[0]
    username = _ODD.sub("-", named).strip("-.")[:32]
    if len(username) < 2:
        username = f"sso-{hashlib.sha256(subject.encode()).hexdigest()[:12]}"
    return Vouched(f"{settings.issuer}|{subject}", username, str(claims.get("name") or username)[:60], role)


def _values(claims: Mapping[str, Any], path: str) -> Sequence[str]:
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, list):
        return [str(one) for one in found]
    return [] if found is None else [str(found)]
