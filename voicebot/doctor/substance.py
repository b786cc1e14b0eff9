"""Substance: models, call scripts, rules and their calendar: what a call is made of."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path

from voicebot.compliance.packs import load_packs
from voicebot.config import Settings, SettingsError, models_dir, scripts_dir
from voicebot.dialog.loader import ScriptError, load_script
from voicebot.doctor.finding import Finding, ill, well, worth_a_look
from voicebot.worker.preflight import check_engines

SUMS = "SHA256SUMS"
_SOON_DAYS = 45


def models(folder: Path | None = None) -> Finding:
    """Whether the shipped models are there and what they were when they were shipped."""
    place = folder or models_dir()
    sums = place / SUMS
    try:
        pairs = [line.split(maxsplit=1) for line in sums.read_text("ascii").splitlines() if line]
        wanted = {name: sha256 for sha256, name in pairs}
    except (OSError, ValueError) as error:
        return ill("models", f"{sums} can't be read: {error}", "install the package again, or correct VOICEBOT_MODELS")
    wrong = [name for name, sha256 in wanted.items() if _sha256(place / name) != sha256]
    if wrong:
        told = ", ".join(sorted(wrong))
        return ill("models", f"missing or changed in {place}: {told}", "install the package again")
    return well("models", f"{len(wanted)} files in {place} are as shipped")


def engines(settings: Settings) -> Finding:
    """Whether the recogniser and the voice that are set can be loaded; takes seconds for models of others."""
    chosen = f"{settings.recognizer} hears, {settings.synthesizer} speaks"
    try:
        check_engines(settings)
        _voice_is_there(settings)
    except SettingsError as error:
        return ill("engines", str(error), "see docs/how-to/other-models.md")
    return well("engines", chosen)


def _voice_is_there(settings: Settings) -> None:
    if settings.synthesizer != "embedded":
        return
    from voicebot.tts.synthesizer import load_synthesizer

    try:
        load_synthesizer()
    except (ImportError, ValueError, OSError, RuntimeError) as error:
        raise SettingsError(f"the embedded voice can't be loaded: {error}; pip install 'voicebot[espeak]'") from error


def call_scripts() -> Finding:
    folder = scripts_dir()
    files = sorted(folder.glob("*.yaml"))
    if not files:
        return ill("scripts", f"no call scripts in {folder}", "install the package again, or correct VOICEBOT_SCRIPTS")
    broken = []
    for file in files:
        try:
            load_script(file)
        except ScriptError as error:
            broken.append(f"{file.name}: {error}")
    if broken:
        return ill("scripts", broken[0], "voicebot script check says where")
    return well("scripts", f"{len(files)} call scripts in {folder}")


def rules(settings: Settings, today: dt.date) -> Iterator[Finding]:
    """What keeps us from dialling, and for how long the calendar of holidays reaches."""
    packs = load_packs(settings.home / "rules")
    for problem in packs.problems:
        yield ill("rules", problem, f"mend the file in {settings.home / 'rules'}: nobody is dialled until then")
    calendars = [pack.calendar.last_day(today) for pack in packs.laws.values() if pack.rules_for("quiet")]
    if not calendars:
        return
    if any(day is None for day in calendars):
        yield ill("calendar", "there is no holiday data for today: nobody is dialled", _CALENDAR)
        return
    last = min(day for day in calendars if day is not None)
    left = (last - today).days
    said = f"holiday data reaches to {last}, {left} days from now"
    yield well("calendar", said) if left > _SOON_DAYS else worth_a_look("calendar", said, _CALENDAR)


_CALENDAR = "pip install --upgrade chinesecalendar, once the State Council has announced the next year (November)"


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
