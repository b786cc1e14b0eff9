"""Request: a row of `voicebot rules judge` becomes the question to the rulebook."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from voicebot.domain.permission import Agreement, DialRequest, PastAttempt, Reached, Stop, jurisdictions

Row = Mapping[str, object]
_WITHDRAWN = ("cleared", "cleared_at", "revoked")


class RequestError(ValueError):
    """The question is incomplete or malformed; the message names the field."""


def parse_request(row: Row) -> DialRequest:
    """Read a row of `voicebot rules judge`; unknown fields are ignored."""
    case, target = _object(row, "case"), _object(row, "target")
    jurisdiction = case.get("jurisdiction")
    return DialRequest(
        now=_moment(row, "now"),
        jurisdictions=jurisdictions(None if jurisdiction is None else str(jurisdiction)),
        target_kind=_text(target, "kind"),
        number=_text(target, "number"),
        history=tuple(_attempt(item) for item in _list(row, "history")),
        stops=tuple(_stop(item) for item in _list(row, "stops") if not _lifted(item)),
        consents=tuple(_consent(item) for item in _list(row, "consents") if not _withdrawn(item)),
        debtor_unreachable=case.get("debtor_unreachable") is True,
    )


def _attempt(item: object) -> PastAttempt:
    if not isinstance(item, Mapping):
        raise RequestError("history: an entry is not an object")
    outcome = _text(item, "outcome")
    try:
        reached = Reached(outcome)
    except ValueError as error:
        raise RequestError(f"history: unknown outcome {outcome!r}") from error
    return PastAttempt(_moment(item, "at"), _text(item, "number"), reached)


def _stop(item: object) -> Stop:
    if isinstance(item, str):
        return Stop(item)
    if not isinstance(item, Mapping):
        raise RequestError("stops: an entry is neither text nor an object")
    number = item.get("number")
    if item.get("scope") in ("voice", "all") or not str(number or "").strip():
        number = None
    return Stop(
        kind=_kind(item),
        number=None if number is None else str(number),
        at=_optional_moment(item, "at", "since"),
        until=_optional_moment(item, "until"),
        band=_band(item),
    )


def _consent(item: object) -> Agreement:
    if isinstance(item, str):
        return Agreement(item)
    if not isinstance(item, Mapping):
        raise RequestError("consents: an entry is neither text nor an object")
    return Agreement(_kind(item), _band(item), _optional_moment(item, "until", "expires_at"))


def _withdrawn(item: object) -> bool:
    return isinstance(item, Mapping) and any(item.get(word) for word in _WITHDRAWN)


def _lifted(item: object) -> bool:
    """A stop is gone only where true or a date says so; 'false' in quotes does not."""
    return isinstance(item, Mapping) and any(
        value is True or (isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value) is not None)
        for value in map(item.get, _WITHDRAWN)
    )


def _kind(item: Row) -> str:
    for name in ("kind", "type", "reason"):
        if isinstance(item.get(name), str):
            return str(item[name])
    raise RequestError("a stop or consent has no kind")


def _band(item: Row) -> tuple[dt.time, dt.time] | None:
    """Hours of the day from from/to, start/end, or window/hours: [from, to]; may run over midnight."""
    pair = item.get("window", item.get("hours", item.get("band")))
    if pair is None:
        pair = [item.get("from", item.get("start")), item.get("to", item.get("end"))]
    if not isinstance(pair, list) or len(pair) != 2:
        raise RequestError(f"not a pair of times: {pair!r}")
    if pair == [None, None]:
        return None
    try:
        start, end = (dt.time.fromisoformat(str(text)) for text in pair)
    except ValueError as error:
        raise RequestError(f"not a pair of times: {pair!r}") from error
    return start, end


def _object(row: Row, name: str) -> Row:
    value = row.get(name)
    if not isinstance(value, Mapping):
        raise RequestError(f"{name}: an object is needed")
    return value


def _list(row: Row, name: str) -> list[object]:
    value = row.get(name, [])
    if not isinstance(value, list):
        raise RequestError(f"{name}: a list is needed")
    return value


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise RequestError(f"{name}: text is needed")
    return value


def _moment(row: Row, name: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(_text(row, name))
    except ValueError as error:
        raise RequestError(f"{name}: a time in ISO 8601 is needed") from error
    if moment.tzinfo is None:
        raise RequestError(f"{name}: a time with its offset is needed")
    return moment


def _optional_moment(row: Row, *names: str) -> dt.datetime | None:
    name = next((name for name in names if row.get(name) is not None), None)
    return None if name is None else _moment(row, name)
