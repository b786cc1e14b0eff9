"""The rulebook, rule by rule, and what must hold for any history at all."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.compliance.pack import RulePackError, parse_pack
from voicebot.compliance.packs import shipped_packs
from voicebot.compliance.rows import judge_row
from voicebot.compliance.rulebook import Verdict, judge
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.permission import Agreement, DialRequest, PastAttempt, Reached, Stop

PACK = shipped_packs().laws["CN"]
NUMBER, OTHER = "13800000001", "13800000002"
MINUTE = dt.timedelta(minutes=1)


def at(text: str) -> dt.datetime:
    """A time in November 2026 unless the month is given: '24 10:00', '10-01 10:00'."""
    day, clock = text.split()
    date = day if "-" in day else f"11-{day}"
    return dt.datetime.fromisoformat(f"2026-{date}T{clock}").replace(tzinfo=SHANGHAI)


def past(text: str, result: str, number: str = NUMBER) -> PastAttempt:
    return PastAttempt(at(text), number, Reached(result))


def ask(now: str, **changes: Any) -> Verdict:
    request = DialRequest(at(now), ("CN",), "debtor", NUMBER)
    return judge(dataclasses.replace(request, **changes), PACK)


def test_an_ordinary_morning_is_allowed() -> None:
    assert ask("24 10:00") == Verdict(True, None, "允许拨打", None, PACK.sha256, close_by=at("24 20:02"))


@pytest.mark.parametrize(
    ("now", "rule", "not_before"),
    [
        ("24 08:59", "CN-T1", "24 09:00"),
        ("24 09:00", None, None),
        ("24 19:54", None, None),
        ("24 19:55", "CN-T1", "25 09:00"),
        ("24 23:30", "CN-T1", "25 09:00"),
        ("24 11:59", None, None),
        ("24 12:00", "CN-T3", "24 14:00"),
        ("24 14:00", None, None),
        ("10-01 10:00", "CN-T3", "10-08 09:00"),
        ("02-17 10:00", "CN-T3", "02-24 09:00"),
        ("22 10:00", None, None),  # an ordinary Sunday
    ],
)
def test_hours_and_quiet_days(now: str, rule: str | None, not_before: str | None) -> None:
    verdict = ask(now)
    assert (verdict.allowed, verdict.rule) == (rule is None, rule)
    assert verdict.not_before == (at(not_before) if not_before else None)


def test_hours_agreed_within_noon_open_before_noon_is_over_and_only_while_the_consent_stands() -> None:
    band = (dt.time(12, 30), dt.time(13, 0))
    verdict = ask("24 12:00", consents=(Agreement("other_hours", band),))
    assert (verdict.rule, verdict.not_before) == ("CN-T3", at("24 12:30"))
    assert ask("24 12:40", consents=(Agreement("other_hours", band),)).allowed
    assert not ask("24 12:40", consents=(Agreement("other_hours", band, until=at("24 12:35")),)).allowed
    assert not ask("10-01 10:00", consents=(Agreement("holiday", until=at("09-30 10:00")),)).allowed


def test_a_year_without_calendar_is_closed() -> None:
    verdict = judge(DialRequest(dt.datetime(2031, 3, 4, 10, tzinfo=SHANGHAI), ("CN",), "debtor", NUMBER), PACK)
    assert (verdict.rule, verdict.not_before) == ("CN-T3", None)


@pytest.mark.parametrize(
    ("history", "now", "rule", "not_before"),
    [
        ([past("24 09:10", "conversation", OTHER)], "24 16:00", "CN-F1", "25 09:00"),
        ([past("23 09:10", "conversation")], "24 16:00", None, None),
        ([past(f"24 {h}", "no_answer") for h in ("09:00", "09:20", "12:00")], "24 16:00", "CN-F2", "25 09:00"),
        ([past(f"24 {h}", "no_answer", OTHER) for h in ("09:00", "09:20", "12:00")], "24 16:00", None, None),
        ([past("24 14:30", "busy")], "24 16:00", "CN-F3", "24 17:30"),
        ([past("24 14:30", "busy", OTHER)], "24 17:29", "CN-F3", "24 17:30"),
        ([past("24 14:30", "busy")], "24 17:30", None, None),
        ([past("24 09:30", "rejected")], "24 16:00", "CN-F3", "25 09:00"),
        ([past("24 10:00", "busy")], "24 11:00", "CN-F3", "24 14:00"),  # not 13:00: noon is quiet
        ([past(f"{d} 10:00", "conversation") for d in (19, 20, 23)], "24 16:00", "CN-F4", "26 10:00"),
        ([past(f"{d} 10:00", "no_answer") for d in range(17, 24)], "24 09:59", "CN-F4", "24 10:00"),
        ([past(f"{d} 10:00", "no_answer") for d in range(17, 24)], "24 10:00", None, None),
    ],
)
def test_frequency(history: list[PastAttempt], now: str, rule: str | None, not_before: str | None) -> None:
    verdict = ask(now, history=tuple(history))
    assert verdict.rule == rule
    assert verdict.not_before == (at(not_before) if not_before else None)


SILENT = tuple(past(f"{day} 10:00", "no_answer", OTHER) for day in (16, 18, 20))


@pytest.mark.parametrize(
    ("kind", "history", "allowed"),
    [
        ("guarantor", (), True),
        ("contact", (), False),
        ("contact", SILENT[:2], False),
        ("contact", (*SILENT[:2], past("18 14:00", "no_answer", OTHER)), False),  # three times, two days
        ("contact", SILENT, True),
        ("contact", (*SILENT, past("21 10:00", "conversation", OTHER)), False),
        ("contact", (*SILENT, past("21 10:00", "no_answer")), False),  # this contact was tried before
        ("neighbour", SILENT, False),
    ],
)
def test_whom_we_may_call(kind: str, history: tuple[PastAttempt, ...], allowed: bool) -> None:
    verdict = ask("24 10:00", target_kind=kind, history=history)
    assert verdict.allowed is allowed and (allowed or (verdict.rule, verdict.not_before) == ("CN-C1", None))


@pytest.mark.parametrize(
    ("stop", "rule", "not_before"),
    [
        (Stop("deceased"), "CN-D1", None),
        (Stop("something nobody has heard of"), "CN-D1", None),
        (Stop("complaint", at=at("02 10:00")), "CN-D1", "12-02 10:00"),
        (Stop("complaint", until=at("24 15:00")), "CN-D1", "24 15:00"),
        (Stop("complaint", until=at("24 10:00")), None, None),
        (Stop("do_not_call"), "CN-D2", None),
        (Stop("do_not_call", number=OTHER), None, None),
        (Stop("do_not_call", number=NUMBER), "CN-D2", None),
        (Stop("do_not_call", band=(dt.time(9), dt.time(11))), "CN-D2", "24 11:00"),
        (Stop("do_not_call", band=(dt.time(18), dt.time(20))), None, None),
        (Stop("contact_refused", number=NUMBER), "CN-C2", None),
        (Stop("contact_refused", number=OTHER), None, None),
    ],
)
def test_stops(stop: Stop, rule: str | None, not_before: str | None) -> None:
    verdict = ask("24 10:00", stops=(stop,))
    assert verdict.rule == rule
    assert verdict.not_before == (at(not_before) if not_before else None)


@pytest.mark.parametrize(
    ("consent", "now", "allowed"),
    [
        (Agreement("other_hours"), "24 21:00", True),
        (Agreement("other_hours"), "24 22:30", False),  # a general consent does not lift the legal ban
        (Agreement("other_hours", (dt.time(22), dt.time(23))), "24 22:30", True),
        (Agreement("other_hours", (dt.time(22), dt.time(23))), "24 23:00", False),
        (Agreement("other_hours", (dt.time(22), dt.time(1))), "24 00:30", True),
        (Agreement("other_hours", (dt.time(22), dt.time(1))), "24 00:55", False),
        (Agreement("other_hours", (dt.time(12), dt.time(13))), "24 12:30", True),
        (Agreement("other_hours", None, at("24 20:00")), "24 21:00", False),  # expired
        (Agreement("noon"), "24 12:30", True),
        (Agreement("holiday"), "10-01 10:00", True),
        (Agreement("whatever"), "24 21:00", False),
    ],
)
def test_consents(consent: Agreement, now: str, allowed: bool) -> None:
    assert ask(now, consents=(consent,)).allowed is allowed


@pytest.mark.parametrize("known", [(), ("HK",), ("cn",), ("CN", "HK")])
def test_no_pack_no_call(known: tuple[str, ...]) -> None:
    assert ask("24 10:00", jurisdictions=known).rule == "CN-V1"


def test_the_hour_is_the_callees_not_the_servers() -> None:
    request = DialRequest(dt.datetime(2026, 11, 24, 13, 0, tzinfo=dt.UTC), ("CN",), "debtor", NUMBER)
    assert judge(request, PACK).not_before == at("25 09:00")


MOMENTS = st.datetimes(dt.datetime(2026, 9, 20), dt.datetime(2026, 12, 20)).map(
    lambda moment: moment.replace(tzinfo=SHANGHAI)
)


@st.composite
def requests(draw: st.DrawFn) -> DialRequest:
    now = draw(MOMENTS)
    back = st.timedeltas(dt.timedelta(hours=-3), dt.timedelta(days=9))
    numbers, results = st.sampled_from([NUMBER, OTHER]), st.sampled_from(Reached)
    history = draw(st.lists(st.tuples(back, numbers, results), max_size=12))
    kinds = st.sampled_from(["complaint", "do_not_call", "hospital"])
    stops = draw(st.lists(st.builds(Stop, kinds, st.none() | numbers, MOMENTS, st.none() | MOMENTS), max_size=1))
    attempts = tuple(PastAttempt(now - ago, number, result) for ago, number, result in history)
    return DialRequest(now, ("CN",), "debtor", NUMBER, attempts, tuple(stops))


@settings(max_examples=120, deadline=None)
@given(requests())
def test_nothing_is_ever_allowed_against_the_law(request: DialRequest) -> None:
    """An oracle of its own: the hard limits, counted naively."""
    if judge(request, PACK).allowed:
        today = [a for a in request.history if a.at.astimezone(SHANGHAI).date() == request.now.date()]
        assert dt.time(9) <= request.now.time() <= dt.time(19, 54)
        assert not dt.time(12) <= request.now.time() < dt.time(14)
        assert sum(a.reached == "conversation" for a in today) == 0
        assert sum(a.reached != "conversation" and a.number == NUMBER for a in today) < 3
        assert not any(a.reached == "rejected" for a in today)
        assert all(request.now - a.at >= dt.timedelta(hours=3) for a in request.history)
        assert sum(request.now - a.at < dt.timedelta(days=7) for a in request.history) < 7
        assert not any(s.kind == "do_not_call" and s.number in (None, NUMBER) and not s.until for s in request.stops)


@settings(max_examples=120, deadline=None)
@given(requests())
def test_not_before_is_the_earliest_minute_that_is_allowed(request: DialRequest) -> None:
    verdict = judge(request, PACK)
    if verdict.allowed or verdict.not_before is None:
        return
    moment = verdict.not_before
    assert moment > request.now
    assert judge(dataclasses.replace(request, now=moment), PACK).allowed
    for before in (moment - dt.timedelta(microseconds=1), moment - MINUTE, moment - 37 * MINUTE):
        if before >= request.now:
            assert not judge(dataclasses.replace(request, now=before), PACK).allowed


@settings(max_examples=80, deadline=None)
@given(requests(), st.timedeltas(dt.timedelta(0), dt.timedelta(days=3)))
def test_more_history_never_allows_more(request: DialRequest, ago: dt.timedelta) -> None:
    more = (*request.history, PastAttempt(request.now - ago, NUMBER, Reached.BUSY))
    if not judge(request, PACK).allowed:
        assert not judge(dataclasses.replace(request, history=more), PACK).allowed


def test_rows() -> None:
    good: dict[str, Any] = {
        "id": 1,
        "now": "2026-11-24T10:00:00+08:00",
        "case": {"overdue_days": 35, "amount_fen": 1, "jurisdiction": "CN"},
        "target": {"kind": "debtor", "number": NUMBER},
        "history": [{"at": "2026-11-24T09:00:00+08:00", "number": NUMBER, "outcome": "busy"}],
        "stops": [],
        "consents": [],
    }
    bad = [
        {**good, "now": "2026-11-24T10:00:00"},
        {**good, "now": "soon"},
        {**good, "target": None},
        {**good, "history": [{"at": good["now"], "number": NUMBER, "outcome": "eaten by a dog"}]},
        {**good, "consents": [{"kind": "other_hours", "from": "25:00", "to": "26:00"}]},
        {"id": 9},
    ]
    cleared = {**good, "history": [], "stops": [{"kind": "do_not_call", "cleared": True}]}
    worded = {**good, "history": [], "stops": ["deceased"]}
    rows = [judge_row(row) for row in (good, cleared, worded, *bad)]
    assert rows[0] == {
        "id": 1,
        "allowed": False,
        "rule": "CN-F3",
        "reason": rows[0]["reason"],
        "not_before": "2026-11-24T14:00:00+08:00",
        "pack": PACK.sha256,
    }
    assert "民法典" in str(rows[0]["reason"])
    assert rows[1]["allowed"] is True and rows[1]["rule"] is rows[1]["not_before"] is None
    assert rows[2]["rule"] == "CN-D1"
    assert all("error" in row and row["allowed"] is False for row in rows[3:]) and len(rows) == 9


@pytest.mark.parametrize(
    "spelling",
    [
        "+86 138-0000-0001",
        "008613800000001",
        "8613800000001",
        "013800000001",
        "１３８００００ ０００１",
        "tel:+8613800000001;phone-context=cn",
        "sip:13800000001@gateway.example:5060",
        "",
    ],
)
def test_a_stop_holds_however_its_number_is_spelt(spelling: str) -> None:
    stopped = ask("24 10:00", stops=(Stop("do_not_call", spelling or None),))
    assert stopped.rule == "CN-D2"
    case, target = {"jurisdiction": "CN"}, {"kind": "debtor", "number": NUMBER}
    stop = {"kind": "do_not_call", "number": spelling}
    row = judge_row({"id": 1, "now": at("24 10:00").isoformat(), "case": case, "target": target, "stops": [stop]})
    assert row["rule"] == "CN-D2"


def test_hours_that_are_not_wanted_end_with_the_day_until_which_they_are_not() -> None:
    """The random histories found it: nearly the whole day unwanted, until a morning; the next evening was named."""
    stop = Stop("do_not_call", band=(dt.time(23, 30), dt.time(22, 0)), until=at("26 10:54"))
    verdict = ask("24 10:00", stops=(stop,))
    assert (verdict.rule, verdict.not_before) == ("CN-D2", at("26 10:54"))


def test_no_date_ends_a_contacts_refusal() -> None:
    """The random histories found it: a refusal with an end was named for ever, and yet ended."""
    stop = Stop("contact_refused", NUMBER, until=at("23 10:00"))
    assert ask("24 10:00", stops=(stop,)).rule == "CN-C2"
    assert ask("24 10:00", number=OTHER, stops=(stop,)).allowed


def test_spellings_count_together_and_strangers_apart() -> None:
    spellings = (NUMBER, "+86" + NUMBER, "0" + NUMBER)
    rung = tuple(past("24 09:00", "no_answer", spelling) for spelling in spellings)
    apart = tuple(dataclasses.replace(attempt, number=OTHER) for attempt in rung)
    assert ask("24 19:00", history=rung).rule == "CN-F2"
    assert ask("24 19:00", history=apart).allowed
    assert ask("24 10:00", stops=(Stop("do_not_call", OTHER),)).allowed
    assert ask("24 10:00", number="sip:anna@desk", stops=(Stop("do_not_call", "sip:bert@desk"),)).allowed


def test_a_stop_is_cleared_by_true_alone() -> None:
    case, target = {"jurisdiction": "CN"}, {"kind": "debtor", "number": NUMBER}
    for word in ("false", "no", 0):
        stop = {"kind": "do_not_call", "cleared": word}
        row = judge_row({"id": 1, "now": at("24 10:00").isoformat(), "case": case, "target": target, "stops": [stop]})
        assert row["allowed"] is False


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"jurisdiction":"CN","timezone":"Mars/Base"}'])
def test_a_broken_pack_is_refused(data: bytes) -> None:
    with pytest.raises(RulePackError, match="restore"):
        parse_pack(data)
