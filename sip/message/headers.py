"""Header fields of a message: ordered, case-insensitive, compact forms expanded; immutable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from sip.errors import SipParseError
from sip.message.grammar import is_token, split_outside_quotes

_COMPACT = {
    "a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition",
    "e": "Content-Encoding", "f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported",
    "l": "Content-Length", "m": "Contact", "n": "Identity-Info", "o": "Event", "r": "Refer-To",
    "s": "Subject", "t": "To", "u": "Allow-Events", "v": "Via", "x": "Session-Expires", "y": "Identity",
}  # fmt: skip
#: Spellings of names that are remembered, and how long they may be.
MOST_NAMES = 512
LONGEST_NAME = 40
_IRREGULAR = {
    "call-id": "Call-ID", "cseq": "CSeq", "mime-version": "MIME-Version",
    "www-authenticate": "WWW-Authenticate", "min-se": "Min-SE", "rack": "RAck", "rseq": "RSeq",
    "sip-etag": "SIP-ETag", "sip-if-match": "SIP-If-Match",
}  # fmt: skip


@lru_cache(maxsize=512)
def canonical(name: str) -> str:
    """`v` -> `Via`, `call-id` -> `Call-ID`, `x-case` -> `X-Case`."""
    lower = name.lower()
    return _COMPACT.get(lower) or _IRREGULAR.get(lower) or "-".join(part.capitalize() for part in lower.split("-"))


def field_name(text: str) -> str:
    """The canonical name before the colon of a header line; SipParseError where it is none."""
    name = text.rstrip()
    if not is_token(name):
        raise SipParseError(f"not the name of a header field: {text[:80]!r}")
    return canonical(name)


class FieldNames(dict[str, str]):
    """What stands before the colon -> its canonical name, remembered as long as there is room for it.

    `canonical`: those that are spelt so already.
    """

    def __init__(self) -> None:
        super().__init__()
        self.canonical: set[str] = set()

    def __missing__(self, text: str) -> str:
        name = field_name(text)
        if len(self) < MOST_NAMES and len(text) < LONGEST_NAME:
            self[text] = name
            if name == text:
                self.canonical.add(text)
        return name


FIELD_NAMES = FieldNames()


class Headers:
    """An immutable list of (name, value) with the look-ups that SIP needs."""

    __slots__ = ("_items", "_values")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items = tuple((canonical(name), value) for name, value in items)
        self._values: dict[str, tuple[str, ...]] | None = None

    @classmethod
    def of_canonical(cls, items: Iterable[tuple[str, str]]) -> Headers:
        """From items whose names are canonical already."""
        headers = cls.__new__(cls)
        headers._items = tuple(items)
        headers._values = None
        return headers

    def _by_name(self, name: str) -> tuple[str, ...]:
        values = self._values
        if values is None:
            values = self._values = {}
            for key, value in self._items:
                values[key] = (*values[key], value) if key in values else (value,)
        return values.get(name) or values.get(canonical(name), ())

    def get(self, name: str) -> str | None:
        """Value of the first field of that name."""
        found = self._by_name(name)
        return found[0] if found else None

    def all(self, name: str) -> list[str]:
        """Values of all fields of that name, as they stand."""
        return list(self._by_name(name))

    def elements(self, name: str) -> list[str]:
        """All comma-separated elements of all fields of that name, in order (Via, Route, Contact …)."""
        values = self.all(name)
        if any("," in value for value in values):
            return [part for value in values for part in split_outside_quotes(value, ",")]
        return values

    def with_(self, name: str, *values: str) -> Headers:
        """Replace all fields of that name by `values`, in the place of the first of them, else at the end."""
        wanted = canonical(name)
        rest = [item for item in self._items if item[0] != wanted]
        at = next((i for i, item in enumerate(self._items) if item[0] == wanted), len(rest))
        return self.of_canonical([*rest[:at], *((wanted, value) for value in values), *rest[at:]])

    def adding(self, items: Iterable[tuple[str, str]]) -> Headers:
        return self.of_canonical((*self._items, *((canonical(name), value) for name, value in items)))

    def on_top(self, name: str, value: str) -> Headers:
        return self.of_canonical(((canonical(name), value), *self._items))

    def without(self, name: str) -> Headers:
        wanted = canonical(name)
        return self.of_canonical(item for item in self._items if item[0] != wanted)

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._items == other._items

    def __hash__(self) -> int:
        return hash(self._items)

    def __repr__(self) -> str:
        return f"Headers({list(self._items)!r})"
