"""Policy text: YAML that people write, read key by key; every mistake is one error with file, line and remedy."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from voicebot.domain.campaign import Hours

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,39}")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
LONGEST = 200_000
"""Characters of a policy; more is no policy."""


class PolicyError(ValueError):
    """A policy can't be used; the sentence names the file, the place in it and the remedy."""


class Section:
    """One mapping of a file, with the place of each key; what is asked for and wrong raises PolicyError."""

    def __init__(self, file: str, raw: Any, where: str = "", line: int = 1) -> None:
        self.file, self.where, self._line = file, where, line
        if not isinstance(raw, CommentedMap):
            self.fail("", "a mapping of keys is expected here, such as `title: …`")
        self._raw = raw

    def fail(self, key: object, message: str) -> NoReturn:
        """Raise about `key` of this section."""
        place = f", {self.where}" if self.where else ""
        name = f"{key}: " if key != "" else ""
        raise PolicyError(f"{self.file}, line {self.line_of(key)}{place}: {name}{message}")

    def line_of(self, key: object) -> int:
        raw = getattr(self, "_raw", None)
        if raw is None or key not in raw:
            return self._line
        return int(raw.lc.key(key)[0]) + 1

    def only(self, *keys: str) -> None:
        """No keys but these."""
        for key in self._raw:
            if key not in keys:
                self.fail(key, f"unknown key {key}; there are {', '.join(keys)}")

    def __contains__(self, key: str) -> bool:
        return key in self._raw and self._raw[key] is not None

    def raw(self, key: str) -> Any:
        return self._raw.get(key)

    def text(self, key: str, remedy: str, most: int = 200) -> str:
        found = self._raw.get(key)
        if not isinstance(found, str) or not found.strip() or len(found) > most:
            self.fail(key, f"{remedy} (a text of at most {most} characters)")
        return found.strip()

    def name(self, key: str, remedy: str) -> str:
        found = self._raw.get(key)
        if not isinstance(found, str) or not _NAME.fullmatch(found):
            self.fail(key, f"{remedy}; a name of letters, digits, _ and -")
        return found

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int | None:
        found = self._raw.get(key)
        if found is None:
            return default
        if isinstance(found, bool) or not isinstance(found, int) or not low <= found <= high:
            self.fail(key, f"a whole number from {low} to {high} is expected")
        return int(found)

    def share(self, key: str, default: float, most: float) -> float:
        found = self._raw.get(key, default)
        if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= most:
            self.fail(key, f"{key} is a share from 0 to {most}")
        return float(found)

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        found = self._raw.get(key, default)
        if not isinstance(found, str) or found not in choices:
            self.fail(key, f"one of {', '.join(choices)} is expected")
        return found

    def names(self, key: str, choices: Sequence[str] | None = None) -> tuple[str, ...] | None:
        """A list of texts, or one; None where the key is absent. Each of `choices`, if those are known."""
        found = self._raw.get(key)
        if found is None:
            return None
        listed = [found] if isinstance(found, str) else found
        if not isinstance(listed, list) or not listed or not all(isinstance(item, str) and item for item in listed):
            self.fail(key, "a list of names is expected, such as [a, b]")
        for item in listed:
            if choices is not None and item not in choices:
                self.fail(key, f"{item} is not one of {', '.join(choices)}")
        return tuple(dict.fromkeys(listed))

    def span(self, key: str, low: float, high: float, whole: bool = True) -> tuple[Any, Any] | None:
        """[from, to], both included; null on a side does not restrict."""
        found = self._raw.get(key)
        if found is None:
            return None
        kinds = int if whole else int | float
        numbers = isinstance(found, list) and len(found) == 2 and all(_within(end, low, high, kinds) for end in found)
        if not numbers or found == [None, None]:
            what = "whole numbers " if whole else ""
            self.fail(key, f"[from, to] is expected, {what}from {low:g} to {high:g} or null")
        if None not in found and found[0] > found[1]:
            self.fail(key, "the lower bound is above the upper one")
        return found[0], found[1]

    def hours(self, key: str) -> Hours | None:
        found = self._raw.get(key)
        if found is None:
            return None
        if not isinstance(found, list) or len(found) != 2 or not all(_CLOCK.fullmatch(str(end)) for end in found):
            self.fail(key, 'hours are ["15:00", "18:00"], each in quotes')
        first, last = (dt.time.fromisoformat(end) for end in found)
        if first >= last:
            self.fail(key, "the hours end before they begin")
        return first, last

    def inner(self, key: str) -> Section:
        return Section(self.file, self._raw.get(key), f"{self.where}{self._sep()}{key}", self.line_of(key))

    def sections(self, key: str, what: str, word: str) -> Iterator[Section]:
        """The mappings of a list that must not be empty; each is called `word` and its number."""
        found = self._raw.get(key)
        if not isinstance(found, CommentedSeq) or not found:
            self.fail(key, f"a list of `{key}:` is expected: {what}")
        for number, item in enumerate(found):
            line = int(found.lc.item(number)[0]) + 1
            yield Section(self.file, item, f"{self.where}{self._sep()}{word} {number + 1}", line)

    @property
    def keys(self) -> tuple[Any, ...]:
        return tuple(self._raw)

    def _sep(self) -> str:
        return ", " if self.where else ""


def read(source: str, file: str) -> Section:
    """The top of a file. PolicyError for whatever is no YAML mapping."""
    if len(source) > LONGEST:
        raise PolicyError(f"{file}: a policy is at most {LONGEST} characters long")
    try:
        raw = YAML(typ="rt", pure=True).load(source)
    except YAMLError as error:
        raise PolicyError(f"{file} is no YAML: {error}") from error
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, AssertionError) as error:
        raise PolicyError(f"{file} is no YAML that can be read: {error!r}") from error
    return Section(file, raw)


def _within(end: Any, low: float, high: float, kinds: Any) -> bool:
    if end is None:
        return True
    return not isinstance(end, bool) and isinstance(end, kinds) and bool(low <= end <= high)
