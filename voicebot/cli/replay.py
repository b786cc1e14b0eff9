"""`voicebot replay`: sealed calls played through another script, classifier or recogniser, turn by turn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicebot.cli.terminal import AsJson, Config, fail, in_store, print_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from voicebot.domain.case import Case
    from voicebot.quality.calls_again import Candidate
    from voicebot.quality.compare import Comparison
    from voicebot.store.store import Store


def replay(
    calls: Annotated[list[str] | None, typer.Argument(metavar="CALL...", help="Bundles, or ids of calls")] = None,
    script: Annotated[Path | None, typer.Option("--script", metavar="FILE", help="The call script to try")] = None,
    of: Annotated[str, typer.Option("--of", help="All calls of this script, newest first; needs the database")] = "",
    most: Annotated[int, typer.Option("--most", min=1, max=10000, help="At most so many calls")] = 1000,
    classifier: Annotated[
        str, typer.Option("--classifier", help="journal (as understood then), shipped, or a folder with a model")
    ] = "journal",
    recogniser: Annotated[str, typer.Option("--recogniser", help="Hear the callee's channel anew by this engine")] = "",
    journal: Annotated[Path | None, typer.Option("--journal", help="Write the journal of one replay here")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the report; the quality page shows it")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Play recorded calls again: what would differ, where first, and whether it would have violated or handed over.

    Exit code 1 when a call could not be played.
    """
    if not calls and not of:
        fail("name bundles or ids of calls, or --of SCRIPT for all calls of a script")
    if script is None:
        fail("--script FILE: the call script to play the calls through")
    candidate = _candidate(script, classifier, recogniser)
    if calls and not of and not keep and all(Path(call).exists() for call in calls):
        _report(_played([(Path(call), None) for call in calls], candidate, journal), as_json)
        return
    names, recordings = list(calls or ()), _recordings(config)

    async def work(store: Store) -> list[tuple[Path, Case | None]]:
        return await _found(store, names, of, most, recordings)

    comparisons = list(_played(in_store(config, work), candidate, journal))
    if keep:
        _keep(config, script, classifier, comparisons)
    _report(comparisons, as_json)


def _candidate(script: Path, classifier: str, recogniser: str) -> Candidate:
    from voicebot.dialog.loader import ScriptError, load_script
    from voicebot.quality.calls_again import Candidate

    understand, engine = None, None
    try:
        loaded = load_script(script)
        if classifier != "journal" or recogniser:
            from voicebot.intent.understander import Understander

            understand = Understander(None if classifier in ("journal", "shipped") else Path(classifier)).understand
        if recogniser:
            from voicebot.asr.recognizer import load_recognizer

            engine = load_recognizer(recogniser)
    except (ScriptError, OSError, ValueError) as error:
        fail(str(error))
    return Candidate(loaded, understand, engine)


def _recordings(config: Path | None) -> Path:
    from voicebot.config import SettingsError, load_settings

    try:
        return load_settings(config).recordings
    except (SettingsError, ValueError) as error:
        fail(str(error))


async def _found(
    store: Store, names: Sequence[str], of: str, most: int, recordings: Path
) -> list[tuple[Path, Case | None]]:
    known = [(id_, bundle, case_id) for id_, bundle, case_id in await store.replays.calls_of(of, most)] if of else []
    for name in names:
        record = await store.calls.find(name)
        if record is None or record.bundle is None:
            fail(f"{name}: no bundle of this name, and no call of this id that is sealed")
        known.append((record.id, record.bundle, record.case_id))
    found: list[tuple[Path, Case | None]] = []
    for _, bundle, case_id in known:
        case = await store.cases.record(case_id) if case_id else None
        found.append((recordings / (bundle or ""), case.case if case else None))
    return found


def _played(
    calls: Sequence[tuple[Path, Case | None]], candidate: Candidate, journal: Path | None
) -> Iterator[Comparison | Exception]:
    from voicebot.quality.calls_again import ReplayError, again

    for bundle, case in calls:
        try:
            comparison, replayed = again(bundle, candidate, case)
        except ReplayError as error:
            yield error
            continue
        if journal is not None:
            journal.write_bytes(replayed.journal)
        yield comparison


def _report(played: Iterator[Comparison | Exception] | list[Comparison | Exception], as_json: bool) -> None:
    from voicebot.quality.compare import as_row, summary

    comparisons: list[Any] = []
    failed = False
    for item in played:
        if isinstance(item, Exception):
            failed = True
            print_row({"error": str(item)}) if as_json else typer.echo(str(item), err=True)
            continue
        comparisons.append(item)
        print_row(as_row(item)) if as_json else typer.echo(_line(item))
    told = summary(comparisons)
    print_row({"summary": told}) if as_json else typer.echo(_told(told))
    raise typer.Exit(1 if failed else 0)


def _line(comparison: Comparison) -> str:
    before, after = comparison.disposition
    first = next(iter(comparison.differences), None)
    where = "一致"
    if first is not None:
        where = f"第 {first.turn + 1} 轮（{first.what}）“{first.heard}”：{first.before} → {first.after}"
    rules = "、".join(comparison.violations[1])
    return f"{comparison.call_id}\t{before} → {after}\t{where}" + (f"\t违规 {rules}" if rules else "")


def _told(summary: dict[str, Any]) -> str:
    pairs = {"promises": "承诺", "handoffs": "转人工", "violating": "违规"}
    changed = "；".join(f"{name} {summary[key][0]} → {summary[key][1]}" for key, name in pairs.items())
    ways = f"一致 {summary['same']}，仅措辞 {summary['other_words']}，走向不同 {summary['other_way']}"
    return f"共 {summary['calls']} 通：{ways}；{changed}"


def _keep(config: Path | None, script: Path, classifier: str, comparisons: Sequence[object]) -> None:
    import getpass
    import hashlib

    from voicebot.domain.clock import SystemClock
    from voicebot.quality.compare import Comparison, as_row, summary

    done = [item for item in comparisons if isinstance(item, Comparison)]
    sha256 = hashlib.sha256(script.read_bytes()).hexdigest()

    async def work(store: Store) -> None:
        rows = [as_row(item) for item in done]
        name = f"{script.name} · {classifier}"
        now = SystemClock().now()
        await store.replays.keep(script.stem, name, sha256, getpass.getuser(), now, summary(done), rows)

    in_store(config, work)
