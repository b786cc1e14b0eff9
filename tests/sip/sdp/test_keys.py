"""RFC 4568: which keys are offered, taken, echoed and refused."""

from __future__ import annotations

import base64
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip import SdpError
from sip.sdp import OfferAnswer, Srtp, parse_sdp
from sip.sdp.crypto import read_crypto

KEY = base64.b64encode(bytes(range(30))).decode()
HEAD = "v=0\r\no=- 1 1 IN IP4 203.0.113.1\r\ns=-\r\nc=IN IP4 203.0.113.1\r\nt=0 0\r\n"


def half(srtp: Srtp = "off", host: str = "192.0.2.1") -> OfferAnswer:
    numbers = itertools.count(1)
    return OfferAnswer((host, 30000), 42, srtp=srtp, new_key=lambda: bytes([next(numbers), len(host)]) * 15)


def offer(*crypto: str, protocol: str = "RTP/SAVP") -> bytes:
    lines = "".join(f"a=crypto:{line}\r\n" for line in crypto)
    return f"{HEAD}m=audio 4000 {protocol} 8 101\r\na=rtpmap:101 telephone-event/8000\r\n{lines}".encode()


@pytest.mark.parametrize("asking", ["offer", "require"])
def test_each_side_encrypts_with_its_own_key(asking: Srtp) -> None:
    caller, callee = half(asking), half("offer", "192.0.2.22")
    answer, there = callee.answer(caller.offer())
    here = caller.accept(answer)
    assert here.keys and there.keys
    assert here.keys.ours == there.keys.theirs != here.keys.theirs == there.keys.ours
    assert here.keys.suite == there.keys.suite == "AES_CM_128_HMAC_SHA1_80"


def test_the_answer_echoes_tag_and_suite_of_the_first_usable_line() -> None:
    answer, agreed = half().answer(offer(
        f"1 AES_256_CM_HMAC_SHA1_80 inline:{KEY}", f"2 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^31|1:4",
        f"3 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP", "4 AES_CM_128_HMAC_SHA1_80 inline:AAAA",
        f"77 AES_CM_128_HMAC_SHA1_32 inline:{KEY}|2^20", f"78 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"))
    media = parse_sdp(answer).media[0]
    assert media.protocol == "RTP/SAVP"
    assert [(line.tag, line.suite) for line in read_crypto(media)] == [(77, "AES_CM_128_HMAC_SHA1_32")]
    assert agreed.keys is not None and agreed.keys.theirs == bytes(range(30))


def test_a_secure_stream_without_a_usable_key_is_refused() -> None:
    for lines in ([], ["1 AES_CM_128_HMAC_SHA1_80 inline:AAAA"], [f"1 F8_128_HMAC_SHA1_80 inline:{KEY}"]):
        with pytest.raises(SdpError):
            half().answer(offer(*lines))


def test_who_requires_keys_takes_no_plain_stream() -> None:
    with pytest.raises(SdpError, match="keys"):
        half("require").answer(offer(protocol="RTP/AVP"))
    caller = half("require")
    assert b"RTP/SAVP" in caller.offer()
    with pytest.raises(SdpError, match="keys"):
        caller.accept(offer(protocol="RTP/AVP"))


def test_who_only_offers_keys_talks_plainly_with_a_peer_without() -> None:
    caller = half("offer")
    assert b"RTP/AVP " in caller.offer() and b"a=crypto:1 AES_CM_128_HMAC_SHA1_80" in caller.offer()
    answer, there = half("off", "192.0.2.22").answer(caller.offer())
    assert b"crypto" not in answer and there.keys is None
    assert caller.accept(answer).keys is None


def test_an_answer_must_take_a_line_that_was_offered() -> None:
    caller = half("require")
    caller.offer()
    with pytest.raises(SdpError, match="keys"):
        caller.accept(offer(f"9 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"))


def test_hold_changes_neither_our_key_nor_the_protocol() -> None:
    caller, callee = half("require"), half("off", "192.0.2.22")
    first = caller.accept(callee.answer(caller.offer())[0])
    caller.direction = "sendonly"
    again = caller.accept(callee.answer(caller.offer())[0])
    assert again.keys == first.keys and again.direction == "sendonly"
    assert b"RTP/SAVP" in callee.offer(), "inside an encrypted call we never offer less"


def test_encrypted_outranks_plain_where_both_are_offered() -> None:
    secure = f"m=audio 4002 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\n"
    both = offer(protocol="RTP/AVP") + secure.encode()
    answer, agreed = half().answer(both)
    assert [media.port for media in parse_sdp(answer).media] == [0, 30000]
    assert agreed.keys is not None and agreed.remote[1] == 4002


def test_the_answer_of_another_fork_brings_its_own_key_and_place() -> None:
    caller = half("require")
    early = caller.accept(half("off", "192.0.2.22").answer(caller.offer())[0])
    final = caller.accept(half("off", "192.0.2.221").answer(caller.offer())[0])
    assert early.keys and final.keys
    assert early.keys.ours == final.keys.ours and early.keys.theirs != final.keys.theirs
    assert final.remote[0] == "192.0.2.221"


def test_keys_are_not_shown_in_logs() -> None:
    _, agreed = half().answer(offer(f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"))
    assert "x01" not in repr(agreed) and "theirs" not in repr(agreed)


@given(st.text(max_size=120))
def test_any_crypto_line_is_read_or_passed_over(line: str) -> None:
    media = parse_sdp(HEAD.encode() + b"m=audio 4000 RTP/SAVP 8\r\n").media[0]
    strange = type(media)("audio", 4000, "RTP/SAVP", ("8",), (("crypto", line),))
    assert all(len(each.key) == 30 for each in read_crypto(strange))
