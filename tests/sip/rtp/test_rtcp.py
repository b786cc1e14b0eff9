"""RTCP compound packets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.rtp import ReceptionReport, RtpError, SenderInfo, build_rtcp, parse_rtcp

HEARD = ReceptionReport(99, 12, 345, 70_000, 8)


@pytest.mark.parametrize("cname", ["", "a", "abc", "abcd", "x" * 200])
@pytest.mark.parametrize("goodbye", [False, True])
def test_reports_are_read_back(cname, goodbye):
    sender = SenderInfo(1_764_000_000.25, 4711, 500, 80_000)
    data = build_rtcp(7, cname, sender, HEARD, goodbye=goodbye)
    told = parse_rtcp(data)
    assert len(data) % 4 == 0
    assert (told.ssrc, told.sender, told.reports, told.goodbye) == (7, sender, (HEARD,), goodbye)


def test_who_only_listens_sends_a_receiver_report():
    data = build_rtcp(7, "me", None, HEARD)
    assert data[1] == 201
    assert parse_rtcp(data).reports == (HEARD,)
    assert parse_rtcp(build_rtcp(7, "me", None, None)).reports == ()


@given(st.binary(max_size=120))
def test_any_bytes_give_a_report_or_the_one_documented_error(data):
    try:
        parse_rtcp(data)
    except RtpError:
        return
    assert data[1] in (200, 201)


@given(st.binary(max_size=60), st.integers(0, 31), st.sampled_from([200, 201, 202, 203, 206]))
def test_a_wrong_count_or_length_is_refused_not_obeyed(body, count, kind):
    words = len(body) // 4
    data = bytes([0x80 | count, kind]) + words.to_bytes(2) + body
    try:
        told = parse_rtcp(data)
    except RtpError:
        return
    assert len(told.reports) == count or kind != 201
