"""Digest authentication (RFC 3261 section 22, RFC 7616, RFC 8760): answering challenges and posing them."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sip.errors import SipParseError
from sip.message import Request, Response
from sip.message.grammar import is_token, quote, split_outside_quotes, unquote

ALGORITHMS: dict[str, Callable[[bytes], str]] = {
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
}
#: (field that challenges, field that answers) by status.
CHALLENGE_FIELDS = {
    401: ("WWW-Authenticate", "Authorization"),
    407: ("Proxy-Authenticate", "Proxy-Authorization"),
}
_FIRST_WORD = re.compile(r"\s*Digest\s+(.*)", re.IGNORECASE | re.DOTALL)
_BARE = ("algorithm", "qop", "nc", "stale")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are towards a trunk. `realm` None answers whatever realm asks."""

    username: str
    password: str = field(repr=False)
    realm: str | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """One `Digest …` challenge. `qop` is what we shall use: "auth", or "" for the form of RFC 2069."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: str = "auth"
    opaque: str | None = None
    stale: bool = False

    @classmethod
    def parse(cls, text: str) -> Challenge:
        """Raises SipParseError for another scheme, an unknown algorithm or qop, a missing realm or nonce."""
        values = parse_digest(text)
        algorithm = values.get("algorithm", "MD5").upper()
        offered = [word.strip() for word in values.get("qop", "").lower().split(",") if word.strip()]
        if "realm" not in values or "nonce" not in values:
            raise SipParseError("a Digest challenge needs realm and nonce")
        if algorithm.removesuffix("-SESS") not in ALGORITHMS or (offered and "auth" not in offered):
            raise SipParseError(f"cannot answer algorithm {algorithm[:20]!r} with qop {offered[:3]!r}")
        stale = values.get("stale", "").lower() == "true"
        return cls(
            values["realm"],
            values["nonce"],
            algorithm,
            "auth" if offered else "",
            values.get("opaque"),
            stale,
        )

    def __str__(self) -> str:
        values = {
            "realm": self.realm,
            "nonce": self.nonce,
            "algorithm": self.algorithm,
            "qop": quote(self.qop),
        }
        if self.opaque is not None:
            values["opaque"] = self.opaque
        if self.stale:
            values["stale"] = "true"
        return _write(values)


def parse_digest(text: str) -> dict[str, str]:
    """`Digest realm="a", qop="auth", …` -> {"realm": "a", "qop": "auth", …}; SipParseError."""
    match = _FIRST_WORD.fullmatch(text)
    if match is None:
        raise SipParseError(f"not a Digest field: {text[:20]!r}")
    values: dict[str, str] = {}
    for part in split_outside_quotes(match.group(1), ","):
        name, equals, value = part.partition("=")
        if not equals or not is_token(name.strip()):
            raise SipParseError(f"bad Digest parameter: {part[:40]!r}")
        values.setdefault(name.strip().lower(), unquote(value.strip()))
    return values


def digest_response(
    challenge: Challenge, username: str, password: str, method: str, uri: str, cnonce: str, nc: int
) -> str:
    """The `response` value of RFC 7616 section 3.4.1, or of RFC 2069 where the challenge has no qop."""
    digest = ALGORITHMS[challenge.algorithm.removesuffix("-SESS")]
    secret = digest(f"{username}:{challenge.realm}:{password}".encode())
    if challenge.algorithm.endswith("-SESS"):
        secret = digest(f"{secret}:{challenge.nonce}:{cnonce}".encode())
    what = digest(f"{method}:{uri}".encode())
    middle = f"{challenge.nonce}:{nc:08x}:{cnonce}:{challenge.qop}" if challenge.qop else challenge.nonce
    return digest(f"{secret}:{middle}:{what}".encode())


class DigestClient:
    """Answers the challenges of one call: remembers the nonce of each realm and counts its uses."""

    def __init__(self, credentials: Credentials | None, cnonce: Callable[[], str]) -> None:
        self._credentials = credentials
        self._cnonce = cnonce
        self._known: dict[tuple[str, str], tuple[Challenge, int]] = {}

    def learn(self, response: Response) -> bool:
        """Take in a 401 or 407. True: try once more. False: no credentials, or they were refused."""
        challenge_field, answer_field = CHALLENGE_FIELDS[response.status]
        learned = False
        for challenge in _challenges(response, challenge_field):
            key = (answer_field, challenge.realm)
            wanted = self._credentials is not None and self._credentials.realm in (None, challenge.realm)
            # A nonce that worked before has run out, stale or not; refused at its first use it means a wrong password.
            refused = key in self._known and self._known[key][1] <= 1 and not challenge.stale
            if wanted and not refused and not (learned and key in self._known):
                self._known[key] = (challenge, 0)
                learned = True
        return learned

    def authorize(self, request: Request) -> Request:
        """The request with an answer to every challenge known so far."""
        headers = request.headers.without("Authorization").without("Proxy-Authorization")
        for key, (challenge, used) in self._known.items():
            self._known[key] = (challenge, used + 1)
            headers = headers.adding([(key[0], self._answer(challenge, used + 1, request.method, str(request.uri)))])
        return request.with_headers(headers)

    def _answer(self, challenge: Challenge, nc: int, method: str, uri: str) -> str:
        assert self._credentials is not None  # nothing is known without credentials
        name, cnonce = self._credentials.username, self._cnonce()
        values = {"username": name, "realm": challenge.realm, "nonce": challenge.nonce, "uri": uri}
        values["response"] = digest_response(challenge, name, self._credentials.password, method, uri, cnonce, nc)
        values["algorithm"] = challenge.algorithm
        if challenge.qop or challenge.algorithm.endswith("-SESS"):
            values["cnonce"] = cnonce
        if challenge.qop:
            values |= {"qop": challenge.qop, "nc": f"{nc:08x}"}
        if challenge.opaque is not None:
            values["opaque"] = challenge.opaque
        return _write(values)


def _challenges(response: Response, name: str) -> list[Challenge]:
    """The challenges we can answer, in the server's order of preference (RFC 8760 section 2.3)."""
    found = []
    for text in response.headers.all(name):
        try:
            found.append(Challenge.parse(text))
        except SipParseError:
            continue
    return found


def _write(values: dict[str, str]) -> str:
    return "Digest " + ", ".join(f"{k}={v if k in _BARE else quote(v)}" for k, v in values.items())


@dataclass(frozen=True, slots=True)
class Verdict:
    """`username` is who proved to be there; None: challenge again, `stale` where only the nonce is old."""

    username: str | None
    stale: bool = False


class DigestServer:
    """Challenges requests and checks the answers. Nonces carry date and seal, so none is stored unasked.

    Each of `algorithms` makes a challenge of its own. Some phones (libre, SIPp without TLS) give up at the sight of
    one they do not know, even beside one they do: name "MD5" alone for those.
    """

    def __init__(
        self,
        realm: str,
        password_of: Callable[[str], str | None],
        secret: bytes,
        *,
        algorithms: Sequence[str] = ("SHA-256", "MD5"),
        lifetime_s: float = 300.0,
    ) -> None:
        self._realm, self._password_of, self._secret = realm, password_of, secret
        self._algorithms, self._lifetime_s = tuple(algorithms), lifetime_s
        self._counts: OrderedDict[str, int] = OrderedDict()

    def challenges(self, now: float, stale: bool = False) -> list[tuple[str, str]]:
        """WWW-Authenticate fields for a 401, the preferred algorithm first. `now` in seconds."""
        nonce = self._nonce(int(now * 1000))
        return [
            ("WWW-Authenticate", str(Challenge(self._realm, nonce, algorithm, stale=stale)))
            for algorithm in self._algorithms
        ]

    def verify(self, request: Request, now: float) -> Verdict:
        for text in request.headers.all("Authorization"):
            try:
                values = parse_digest(text)
            except SipParseError:
                continue
            if values.get("realm") == self._realm:
                return self._check(values, request.method, now)
        return Verdict(None)

    def _check(self, values: dict[str, str], method: str, now: float) -> Verdict:
        username, nonce, nc = values.get("username", ""), values.get("nonce", ""), values.get("nc", "")
        algorithm = values.get("algorithm", "MD5").upper()
        password = self._password_of(username)
        if password is None or algorithm not in self._algorithms or not re.fullmatch(r"[0-9A-Fa-f]{8}", nc):
            return Verdict(None)
        expected = digest_response(
            Challenge(self._realm, nonce, algorithm),
            username,
            password,
            method,
            values.get("uri", ""),
            values.get("cnonce", ""),
            int(nc, 16),
        )
        if not hmac.compare_digest(expected.encode(), values.get("response", "").lower().encode()):
            return Verdict(None)
        fresh = self._is_ours(nonce, now) and self._counts.get(nonce, 0) < int(nc, 16)
        if not fresh:
            return Verdict(None, stale=True)
        self._count(nonce, int(nc, 16))
        return Verdict(username)

    def _count(self, nonce: str, nc: int) -> None:
        """Remember how far a nonce was used, so that a recorded answer is not taken twice. Bounded."""
        self._counts[nonce] = nc
        self._counts.move_to_end(nonce)
        if len(self._counts) > 10_000:
            self._counts.popitem(last=False)

    def _nonce(self, stamp_ms: int) -> str:
        seal = hmac.new(self._secret, str(stamp_ms).encode(), hashlib.sha256).hexdigest()[:32]
        return f"{stamp_ms}-{seal}"

    def _is_ours(self, nonce: str, now: float) -> bool:
        stamp, _, _ = nonce.partition("-")
        if not (stamp.isascii() and stamp.isdigit()) or not hmac.compare_digest(
            self._nonce(int(stamp[:15])).encode(), nonce.encode()
        ):
            return False
        return 0 <= now - int(stamp) / 1000 <= self._lifetime_s
