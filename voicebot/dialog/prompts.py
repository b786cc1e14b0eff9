"""Prompts: from a sentence of the script to the words spoken in this call, never more than may be said."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from voicebot.dialog.discretion import gives_away
from voicebot.dialog.rendering import speakable
from voicebot.dialog.script import Prompt, Script
from voicebot.dialog.state import DialogState
from voicebot.dialog.values import DebtValues, OpenValues
from voicebot.dialog.vocabulary import DEBT_VARIABLES

VARIABLE = re.compile(r"\{([^{}]*)\}")
LONGEST = 50
"""Hanzi in one Say: about twelve seconds of speech."""
_SENTENCE = re.compile(r"[^。？！；]*[。？！；]?")
_CLAUSE = re.compile(r"[^，]*，?")


@functools.lru_cache(maxsize=4096)
def variables_of(text: str) -> tuple[str, ...]:
    return tuple(VARIABLE.findall(text))


@functools.lru_cache(maxsize=4096)
def discloses(text: str, own: frozenset[str] = frozenset()) -> str | None:
    """What in a sentence of a script may only be said to the verified debtor; None when it is harmless.

    `own`: the script's own variables that tell of the debt.
    """
    named = next((name for name in variables_of(text) if name in DEBT_VARIABLES or name in own), None)
    return f"{{{named}}}" if named else gives_away(VARIABLE.sub("", text))


def render(
    text: str,
    values: OpenValues | DebtValues,
    neutral: str,
    secrets: tuple[str, ...],
    own: frozenset[str] = frozenset(),
) -> str | None:
    """The spoken sentence; None when a figure it needs is unknown; `neutral` when it may not be said (yet).

    What names the debt is said with DebtValues alone, and those are not to be had without proof of identity.
    """
    verified = isinstance(values, DebtValues)
    if not verified and discloses(text, own):
        return neutral
    names = variables_of(text)
    if not names:
        return text if verified or gives_away(text, secrets) is None else neutral
    words = {name: values.get(name) for name in names}
    if not all(words.values()):
        return None
    spoken = VARIABLE.sub(lambda found: words[found.group(1)], text)
    return spoken if verified or gives_away(spoken, secrets) is None else neutral


@functools.lru_cache(maxsize=4096)
def split(text: str, longest: int = LONGEST) -> tuple[str, ...]:
    """Cut at sentence ends (then at commas) so that no piece is longer than one breath."""
    return (text,) if text and len(text) <= longest else tuple(_pieces(text, longest))


def _pieces(text: str, longest: int) -> Iterator[str]:
    piece = ""
    for sentence in _SENTENCE.findall(text):
        parts = [sentence] if len(sentence) <= longest else _CLAUSE.findall(sentence)
        for part in parts:
            if piece and len(piece) + len(part) > longest:
                yield piece.rstrip("，")
                piece = ""
            piece += part
    if piece:
        yield piece


@functools.lru_cache(maxsize=256)
def _secrets(product: str) -> tuple[str, ...]:
    return tuple(s for s in (speakable(product),) if s)


def secrets_of(state: DialogState) -> tuple[str, ...]:
    case = state.facts.case
    return () if case is None else _secrets(case.product)


def all_prompts(script: Script) -> Iterator[Prompt]:
    """Every prompt of a script, wherever it stands."""
    yield from script.silence
    yield from script.softeners.values()
    for handler in script.handlers:
        yield from handler.say
    for node in script.nodes.values():
        yield from (*node.say, *node.again, *node.short, *node.no_input, *node.otherwise)
        for branch in node.branches:
            yield from branch.say


def static_prompts(script: Script) -> list[str]:
    """The texts without variables exactly as a Say carries them, each once: they can be rendered ahead."""
    texts = [text for prompt in all_prompts(script) for text in prompt.texts] + [script.neutral]
    texts += [node.hold for node in script.nodes.values() if node.hold]
    return list(dict.fromkeys(piece for text in texts if not variables_of(text) for piece in split(text)))
