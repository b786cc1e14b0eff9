"""Policies: stages, scorecard, segments and strategies as they count now: ours, the installation's, the saved ones."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from pathlib import Path

from voicebot.domain.segment import Ladder, NamedSegment
from voicebot.domain.strategy import Strategy
from voicebot.store import Store
from voicebot.store.policies import SavedPolicy
from voicebot.strategy.policy_text import PolicyError
from voicebot.strategy.scorecard import ModelScorer, Scorecard, model_scorer, parse_scorecard
from voicebot.strategy.segments import parse_ladder, parse_segment
from voicebot.strategy.strategies import parse_strategy, texts_of

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class Kind(StrEnum):
    """What a policy is; the value is the folder of its files."""

    STAGES = "stages"
    SCORECARD = "scorecards"
    SEGMENT = "segments"
    STRATEGY = "strategies"


ONLY = {Kind.STAGES: "stages", Kind.SCORECARD: "standard"}
"""Of these kinds there is one, called so."""


@dataclass(frozen=True, slots=True)
class Policies:
    """`sources`: the YAML of each by kind and name. `versions`: those that were saved; a file has none."""

    ladder: Ladder
    scorecard: Scorecard
    segments: Mapping[str, NamedSegment]
    strategies: Mapping[str, Strategy]
    sources: Mapping[tuple[str, str], str]
    versions: Mapping[tuple[str, str], int]

    def scorer(self, model: str | None = None) -> Scorecard | ModelScorer:
        """The scorecard, or the model called `module:object` with the scorecard's tiers. PolicyError."""
        return self.scorecard if model is None else model_scorer(model, self.scorecard.floors)


def load_policies(home: Path | None, saved: Iterable[SavedPolicy] = ()) -> Policies:
    """All policies, each checked against the others. PolicyError for the first that is wrong."""
    sources = {(kind.value, name): text for kind in Kind for name, text in _files(kind, home).items()}
    versions = {}
    for policy in saved:
        versions[policy.kind, policy.name] = policy.version
        if policy.source:
            sources[policy.kind, policy.name] = policy.source
    return parse_policies(sources, versions)


def parse_policies(sources: Mapping[tuple[str, str], str], versions: Mapping[tuple[str, str], int]) -> Policies:
    """As load_policies, of texts. PolicyError."""
    return replace(_parsed(tuple(sorted(sources.items()))), versions=dict(versions))


@lru_cache(maxsize=8)
def _parsed(texts: tuple[tuple[tuple[str, str], str], ...]) -> Policies:
    """Everything is read anew only when a text has changed: reading takes a third of a second."""
    sources = dict(texts)
    ladder = parse_ladder(sources[Kind.STAGES, ONLY[Kind.STAGES]])
    scorecard = parse_scorecard(sources[Kind.SCORECARD, ONLY[Kind.SCORECARD]], "standard.yaml")
    named = {
        name: parse_segment(text, f"{name}.yaml", ladder, scorecard.tiers)
        for (kind, name), text in texts
        if kind == Kind.SEGMENT
    }
    strategies = {name: parse_strategy(text, f"{name}.yaml") for (kind, name), text in texts if kind == Kind.STRATEGY}
    return Policies(ladder, scorecard, named, strategies, sources, {})


def _files(kind: Kind, home: Path | None) -> Mapping[str, str]:
    if kind is not Kind.STAGES:
        return {file.removesuffix(".yaml"): text for file, text in texts_of(kind.value, home).items()}
    own = home / "stages.yaml" if home is not None else None
    try:
        if own is not None and own.is_file():
            return {"stages": own.read_text("utf-8")}
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{own} can't be read ({error}): save it as UTF-8") from error
    return {"stages": resources.files(__package__).joinpath("data", "stages.yaml").read_text("utf-8")}


class PolicyShelf:
    """Where everybody takes the policies from, and where the pages save them."""

    def __init__(self, store: Store, home: Path | None) -> None:
        self._store, self._home = store, home

    async def current(self) -> Policies:
        """As they count now. PolicyError."""
        saved = await self._store.policies.latest()
        return await asyncio.to_thread(load_policies, self._home, saved)

    async def strategies(self) -> Mapping[str, Strategy]:
        return (await self.current()).strategies

    async def save(
        self, kind: Kind, name: str, source: str, by: str, now: dt.datetime, based_on: int | None = None
    ) -> int:
        """Save a version that fits all the others; its number. PolicyError, VersionConflict."""
        if not _NAME.fullmatch(name) or ONLY.get(kind, name) != name:
            raise PolicyError(f"{name}: a policy is called by small letters, digits, _ and -, beginning with a letter")
        now_counting = await self.current()
        if not source.strip():
            raise PolicyError(f"{name}: nothing was written")
        parse_policies({**now_counting.sources, (kind.value, name): source}, now_counting.versions)
        return await self._store.policies.save(kind.value, name, source, by, now, based_on=based_on)
