"""Digest authentication against the published vectors, and client and server against each other."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip import Credentials, DigestServer, SipParseError
from sip.auth import Challenge, DigestClient, Verdict, digest_response, parse_digest
from sip.message import Headers, Request, Response, Uri


def test_rfc_2617_section_3_5() -> None:
    challenge = Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093")
    found = digest_response(challenge, "Mufasa", "Circle Of Life", "GET", "/dir/index.html", "0a4f113b", 1)
    assert found == "6629fae49393a05397450978507c4ef1"


NONCE_7616 = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE_7616 = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_section_3_9_1(algorithm: str, response: str) -> None:
    challenge = Challenge("http-auth@example.org", NONCE_7616, algorithm)
    found = digest_response(challenge, "Mufasa", "Circle of Life", "GET", "/dir/index.html", CNONCE_7616, 1)
    assert found == response


def test_without_qop_the_form_of_rfc_2069() -> None:
    challenge = Challenge("biloxi.com", "n1", qop="")
    a1 = hashlib.md5(b"bob:biloxi.com:zanzibar").hexdigest()
    a2 = hashlib.md5(b"INVITE:sip:bob@biloxi.com").hexdigest()
    expected = hashlib.md5(f"{a1}:n1:{a2}".encode()).hexdigest()
    assert digest_response(challenge, "bob", "zanzibar", "INVITE", "sip:bob@biloxi.com", "", 1) == expected


def invite() -> Request:
    fields = [("Via", "SIP/2.0/UDP a;branch=z9hG4bK1"), ("From", "<sip:a@b>;tag=1"), ("To", "<sip:c@d>")]
    return Request("INVITE", Uri.parse("sip:c@d"), Headers([*fields, ("Call-ID", "x"), ("CSeq", "1 INVITE")]))


def challenged(status: int, *values: str) -> Response:
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    return invite().reply(status, headers=[(name, value) for value in values])


def client(realm: str | None = None) -> DigestClient:
    return DigestClient(Credentials("bob", "zanzibar", realm), lambda: "cafe")


def test_client_answers_407_in_its_own_field_and_counts() -> None:
    ours = client()
    assert ours.learn(challenged(407, 'Digest realm="r", nonce="n", qop="auth,auth-int", opaque="o"'))
    first = parse_digest(ours.authorize(invite()).headers.get("Proxy-Authorization") or "")
    second = parse_digest(ours.authorize(invite()).headers.get("Proxy-Authorization") or "")
    assert (first["nc"], second["nc"]) == ("00000001", "00000002")
    assert first["qop"] == "auth" and first["opaque"] == "o" and first["uri"] == "sip:c@d"
    assert "Authorization" not in ours.authorize(invite()).headers


def test_proxy_and_server_of_one_realm_are_answered_side_by_side() -> None:
    ours = client()
    assert ours.learn(challenged(407, 'Digest realm="r", nonce="n1", qop="auth"'))
    assert ours.learn(challenged(401, 'Digest realm="r", nonce="n2", qop="auth"'))
    request = ours.authorize(invite())
    assert parse_digest(request.headers.get("Authorization") or "")["nonce"] == "n2"
    assert parse_digest(request.headers.get("Proxy-Authorization") or "")["nonce"] == "n1"


def test_rfc_8760_the_first_algorithm_we_know_is_taken() -> None:
    ours = client()
    offers = ['Digest realm="r", nonce="n", algorithm=SHA-512-256, qop="auth"']
    offers += [
        'Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"',
        'Digest realm="r", nonce="n", qop="auth"',
    ]
    assert ours.learn(challenged(401, *offers))
    assert parse_digest(ours.authorize(invite()).headers.get("Authorization") or "")["algorithm"] == "SHA-256"


def test_a_second_refusal_is_final_unless_the_nonce_was_stale() -> None:
    ours = client()
    assert ours.learn(challenged(401, 'Digest realm="r", nonce="n", qop="auth"'))
    assert not ours.learn(challenged(401, 'Digest realm="r", nonce="n2", qop="auth"'))
    assert ours.learn(challenged(401, 'Digest realm="r", nonce="n3", qop="auth", stale=TRUE'))


@pytest.mark.parametrize(
    "value", ['Basic realm="r"', 'Digest realm="r"', 'Digest realm="r", nonce="n", qop="x"', "", "Digest"]
)
def test_challenges_we_cannot_answer(value: str) -> None:
    assert not client().learn(challenged(401, value))


def test_no_credentials_or_a_foreign_realm() -> None:
    assert not DigestClient(None, lambda: "").learn(challenged(401, 'Digest realm="r", nonce="n"'))
    assert not client("other").learn(challenged(401, 'Digest realm="r", nonce="n"'))


def server() -> DigestServer:
    return DigestServer("bot", {"bob": "zanzibar"}.get, b"secret", lifetime_s=60)


def answered(ours: DigestClient, *, now: float = 100.0) -> Request:
    response = invite().reply(401, headers=server().challenges(now))
    assert ours.learn(response)
    return ours.authorize(invite())


def test_server_believes_the_right_password_once() -> None:
    guard, request = server(), answered(client())
    assert guard.verify(request, 101).username == "bob"
    replayed = guard.verify(request, 102)
    assert replayed.username is None and replayed.stale


def test_server_refuses_wrong_password_stranger_and_other_request() -> None:
    wrong = DigestClient(Credentials("bob", "nope"), lambda: "1")
    stranger = DigestClient(Credentials("eve", "zanzibar"), lambda: "1")
    assert server().verify(answered(wrong), 101).username is None
    assert server().verify(answered(stranger), 101).username is None
    good = answered(client())
    bye = Request("BYE", good.uri, good.headers)
    assert server().verify(bye, 101).username is None
    assert server().verify(invite(), 101) == Verdict(None)


def test_old_and_forged_nonces_are_stale() -> None:
    old = server().verify(answered(client()), 200)
    assert old.username is None and old.stale
    foreign = DigestServer("bot", {"bob": "zanzibar"}.get, b"other secret")
    forged = foreign.verify(answered(client()), 101)
    assert forged.username is None and forged.stale


def proof(algorithm: str, nonce: str, count: int, *, said: str | None = None) -> Request:
    """An INVITE with the right answer for the use no. `count` of a nonce; `said` is the nc that it names."""
    uri = str(invite().uri)
    challenge = Challenge("bot", nonce, algorithm)
    response = digest_response(challenge, "bob", "zanzibar", "INVITE", uri, "c0", count)
    text = f'Digest username="bob", realm="bot", nonce="{nonce}", uri="{uri}", response="{response}", cnonce="c0"'
    text += f", qop=auth, algorithm={algorithm}, nc={said or format(count, '08x')}"
    return invite().with_headers(invite().headers.adding([("Authorization", text)]))


@given(st.sampled_from(["MD5", "SHA-256"]), st.lists(st.integers(1, 6), max_size=12))
def test_a_nonce_serves_each_count_once_and_only_upwards(algorithm: str, counts: list[int]) -> None:
    guard = server()
    nonce = Challenge.parse(guard.challenges(100)[0][1]).nonce
    highest = 0
    for count in counts:
        verdict = guard.verify(proof(algorithm, nonce, count), 101)
        assert (verdict.username == "bob") == (count > highest)
        assert verdict.stale == (count <= highest)
        highest = max(highest, count)


@pytest.mark.parametrize("said", ["00000002", "", "0", "zzzzzzzz", "-0000001", "000000001"])
def test_a_count_that_was_not_signed_proves_nothing(said: str) -> None:
    nonce = Challenge.parse(server().challenges(100)[0][1]).nonce
    assert server().verify(proof("SHA-256", nonce, 1, said=said or "x"), 101) == Verdict(None)


def test_an_algorithm_that_was_not_offered_proves_nothing() -> None:
    strict = DigestServer("bot", {"bob": "zanzibar"}.get, b"secret", algorithms=("SHA-256",))
    nonce = Challenge.parse(strict.challenges(100)[0][1]).nonce
    assert strict.verify(proof("MD5", nonce, 1), 101) == Verdict(None)
    assert strict.verify(proof("SHA-256", nonce, 1), 101).username == "bob"


def test_a_nonce_that_worked_may_run_out_without_saying_stale_but_a_fresh_one_refused_is_the_end() -> None:
    ours = client()
    assert ours.learn(challenged(401, 'Digest realm="r", nonce="n1", qop="auth"'))
    ours.authorize(invite())
    assert not ours.learn(challenged(401, 'Digest realm="r", nonce="n2", qop="auth"'))
    ours.authorize(invite())
    assert ours.learn(challenged(401, 'Digest realm="r", nonce="n3", qop="auth"'))


@given(st.text(max_size=60))
def test_any_text_is_a_digest_field_or_a_parse_error(text: str) -> None:
    request = invite()
    request = request.with_headers(request.headers.adding([("Authorization", "Digest " + text)]))
    assert server().verify(request, 100).username is None
    try:
        parse_digest("Digest " + text)
    except SipParseError as error:
        assert error.reason
