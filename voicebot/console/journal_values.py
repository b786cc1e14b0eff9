"""Journal values: the data of a fact as text, number or label, whatever was written there."""

from __future__ import annotations

from collections.abc import Mapping

Data = Mapping[str, object]


def text_of(data: Data, key: str) -> str:
    """The value under `key` as text, empty when it is absent."""
    value = data.get(key)
    return "" if value is None else str(value)


def whole(data: Data, key: str, default: int) -> int:
    """The value under `key` as an integer, `default` when it is absent or not a number."""
    value = data.get(key)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else default


def first_text(data: Data, *keys: str) -> str:
    """The first of `keys` that holds anything."""
    return next((text_of(data, key) for key in keys if data.get(key) not in (None, "")), "")


def label(value: object) -> str | None:
    """The id in a score: 'angry', {'label': 'angry', 'p': 1}, {'id': …} and ['angry', 1] all say angry."""
    if isinstance(value, Mapping):
        return first_text(value, "label", "id") or None
    if isinstance(value, list | tuple) and value:
        return str(value[0])
    return str(value) if value else None
