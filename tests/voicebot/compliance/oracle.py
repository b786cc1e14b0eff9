"""A second rulebook, naive on purpose: asks one moment at a time and reads the rows as they come from outside.

Written from the text of the rules, not from voicebot/compliance/rulebook.py, and it shares nothing with it: not the
parsing, not the figures, not the calendar. Where the two differ one of them is wrong.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

ZONE = dt.timezone(dt.timedelta(hours=8))
HOLIDAYS = [  # State Council's notice for 2026: first and last free day
    ("2026-01-01", "2026-01-03"),
    ("2026-02-15", "2026-02-23"),
    ("2026-04-04", "2026-04-06"),
    ("2026-05-01", "2026-05-05"),
    ("2026-06-19", "2026-06-21"),
    ("2026-09-25", "2026-09-27"),
    ("2026-10-01", "2026-10-07"),
]
FOR_EVER = {"deceased", "incapacity", "in_custody", "litigation", "arbitration", "self_harm", "minor"}
THIRTY_DAYS = {"identity_theft", "complaint", "dispute", "negotiated", "hospital", "vulnerable"}
NOT_WANTED = {"do_not_call", "dnc", "do_not_call_voice"}
CONTACT_SAID_NO = {"contact_refused", "refused"}


def may_dial(row: dict[str, Any], now: dt.datetime) -> bool:
    """Would every rule let this number be dialled at `now` (whatever the row's own `now` says)?"""
    return not list(objections(row, now.astimezone(ZONE)))


def objections(row: dict[str, Any], now: dt.datetime) -> Iterator[str]:
    if row["case"].get("jurisdiction") != "CN":
        yield "no rules for this place"
    number, kind = digits(row["target"]["number"]), row["target"]["kind"]
    history = [(when(past["at"]), digits(past["number"]), past["outcome"]) for past in row["history"]]
    yield from stopped(row["stops"], number, kind, now)
    yield from wrong_person(kind, number, history)
    yield from wrong_hour(row["consents"], now)
    yield from too_often(history, number, now)


def stopped(stops: list[Any], number: str, kind: str, now: dt.datetime) -> Iterator[str]:
    for stop in stops:
        name = stop["kind"]
        about = digits(stop["number"]) if stop.get("number") else None
        if about not in (None, number):
            continue
        if name in CONTACT_SAID_NO:
            if about or kind == "contact":
                yield name
            continue
        if stop.get("until") and when(stop["until"]) <= now:
            continue
        if name in NOT_WANTED and stop.get("from"):
            if inside(now, stop["from"], stop["to"]):
                yield name
        elif name in THIRTY_DAYS and not stop.get("until") and stop.get("at"):
            if now < when(stop["at"]) + dt.timedelta(days=30):
                yield name
        else:
            yield name


def wrong_person(kind: str, number: str, history: list[tuple[dt.datetime, str, str]]) -> Iterator[str]:
    if kind in ("debtor", "guarantor"):
        return
    if kind != "contact":
        yield "a stranger"
        return
    if any(dialled == number for _, dialled, _ in history):
        yield "this contact was rung before"
    elsewhere = [(at, result) for at, dialled, result in history if dialled != number]
    silent_days = {at.date() for at, result in elsewhere if result in ("no_answer", "unreachable")}
    if any(result == "conversation" for _, result in elsewhere) or len(silent_days) < 3:
        yield "the debtor can be reached"


def wrong_hour(consents: list[Any], now: dt.datetime) -> Iterator[str]:
    consents = [consent for consent in consents if not consent.get("until") or now < when(consent["until"])]
    bands = [("09:00", "20:00")]
    explicit = []
    for consent in consents:
        if consent["kind"] == "other_hours":
            bands.append((consent.get("from", "08:00"), consent.get("to", "22:00")))
        if consent["kind"] == "other_hours" and consent.get("from"):
            explicit.append((consent["from"], consent["to"]))
    if not any(whole_call_inside(now, *band) for band in bands):
        yield "hour"
    kinds = {consent["kind"] for consent in consents}
    if inside(now, "12:00", "14:00") and "noon" not in kinds and not any(inside(now, *band) for band in explicit):
        yield "noon"
    if "holiday" not in kinds:
        if now.year != 2026:
            yield "unknown year"
        if any(first <= now.date().isoformat() <= last for first, last in HOLIDAYS):
            yield "holiday"


def too_often(history: list[tuple[dt.datetime, str, str]], number: str, now: dt.datetime) -> Iterator[str]:
    today = [past for past in history if past[0].date() == now.date()]
    week = [past for past in history if past[0] > now - dt.timedelta(days=7)]
    if any(result == "conversation" for _, _, result in today):
        yield "talked today"
    if sum(dialled == number and result != "conversation" for _, dialled, result in today) >= 3:
        yield "three times in vain"
    if any(result == "rejected" for _, _, result in today):
        yield "rejected today"
    if any(now - at < dt.timedelta(hours=3) for at, _, _ in history):
        yield "just now"
    if sum(result == "conversation" for _, _, result in week) >= 3 or len(week) >= 7:
        yield "a full week"


def inside(now: dt.datetime, start: str, end: str) -> bool:
    """From `start` on, before `end`; over midnight where the end is the earlier."""
    clock = now.strftime("%H:%M:%S.%f")
    return start <= clock < end if start < end else clock >= start or clock < end


def whole_call_inside(now: dt.datetime, start: str, end: str) -> bool:
    """A call of six minutes that begins now ends in the same band, at its last moment at the latest."""
    for day in (-1, 0, 1):
        opens = at_clock(now + dt.timedelta(days=day), start)
        closes = at_clock(opens if end > start else opens + dt.timedelta(days=1), end)
        if opens <= now and now + dt.timedelta(minutes=6) <= closes:
            return True
    return False


def at_clock(day: dt.datetime, clock: str) -> dt.datetime:
    hour, minute = clock.split(":")
    return day.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)


def when(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(ZONE)


def digits(number: str) -> str:
    return "".join(sign for sign in number if sign.isdigit())[-11:]
