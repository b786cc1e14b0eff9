"""The command line. Each command imports what it needs when it runs, so that all of them start fast."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from voicebot.cli.access import people
from voicebot.cli.backup import backup
from voicebot.cli.campaigns import campaigns
from voicebot.cli.casework import cases, payments
from voicebot.cli.database import database
from voicebot.cli.doctor import doctor
from voicebot.cli.evidence import evidence
from voicebot.cli.fleet import control_run, worker, workers
from voicebot.cli.follow import messages, tickets, webhooks
from voicebot.cli.kamailio import kamailio
from voicebot.cli.models import models
from voicebot.cli.people import agents, users
from voicebot.cli.replay import replay
from voicebot.cli.reports import reports
from voicebot.cli.rules import rules
from voicebot.cli.running import run_until_signal
from voicebot.cli.segments import segments
from voicebot.cli.settings import settings
from voicebot.cli.terminal import AsJson, Config, fail, print_row
from voicebot.cli.trunks import trunks

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help="催收提醒电话智能体 · voicebot"
)
asr = typer.Typer(no_args_is_help=True, help="Speech recognition")
tts = typer.Typer(no_args_is_help=True, help="Speech synthesis")
intent = typer.Typer(no_args_is_help=True, help="What was meant")
slots = typer.Typer(no_args_is_help=True, help="Dates, amounts, digits")
speech = typer.Typer(no_args_is_help=True, help="What may be said")
script = typer.Typer(no_args_is_help=True, help="Call scripts")
for name, group in {
    "asr": asr,
    "tts": tts,
    "intent": intent,
    "slots": slots,
    "speech": speech,
    "script": script,
    "rules": rules,
    "cases": cases,
    "campaigns": campaigns,
    "payments": payments,
    "segments": segments,
    "settings": settings,
    "agents": agents,
    "users": users,
    "people": people,
    "evidence": evidence,
    "backup": backup,
    "database": database,
    "messages": messages,
    "models": models,
    "tickets": tickets,
    "webhooks": webhooks,
    "reports": reports,
    "trunks": trunks,
    "worker": worker,
    "workers": workers,
    "kamailio": kamailio,
}.items():
    app.add_typer(group, name=name)

app.command("replay")(replay)
app.command("control")(control_run)
app.command("doctor")(doctor)

_LOG_NOTHING = {"intent", "slots", "speech"}
"""Groups of commands that only think, and start sooner without a log."""
Row = Mapping[str, object]
RowsFile = Annotated[str, typer.Argument(metavar="FILE", help="JSON Lines, UTF-8; - for standard input")]


def main() -> None:
    """Entry point of the `voicebot` command. Standard output is the answer's: what is logged goes to standard error."""
    if not set(sys.argv[1:2]) & _LOG_NOTHING:
        from voicebot.telemetry.logs import setup_logs

        setup_logs("WARNING")
    app()


# --- rows ------------------------------------------------------------------------------------------------------


def _lines(file: str) -> Iterator[str]:
    if file == "-":
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="replace")  # type: ignore[union-attr]
        yield from sys.stdin
        return
    try:
        with open(file, encoding="utf-8-sig", errors="replace") as stream:  # Windows begins its files with a mark
            yield from stream
    except OSError as error:
        fail(f"{file}: {error.strerror}; give the path of a JSON Lines file, or - for standard input")


def _map_rows(file: str, work: Callable[[dict[str, Any]], Row]) -> None:
    """Run `work` on every row and print its answer; bad rows become error rows and exit code 1 at the end."""
    failed = False
    for number, line in enumerate(_lines(file), 1):
        if not line.strip():
            continue
        answer = _one_row(number, line, work)
        failed = failed or "error" in answer
        print_row(answer)
    raise typer.Exit(1 if failed else 0)


def _one_row(number: int, line: str, work: Callable[[dict[str, Any]], Row]) -> Row:
    try:
        row = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        return {"id": None, "line": number, "error": f"line {number} is not JSON: {error}"}
    if not isinstance(row, dict):
        return {"id": None, "line": number, "error": f"line {number} is not a JSON object"}
    try:
        return work(row)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        return {"id": row.get("id"), "line": number, "error": f"line {number}: {error!r}"}


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


# --- running ---------------------------------------------------------------------------------------------------


@app.command()
def serve(config: Config = None) -> None:
    """Run the server until SIGTERM, which drains: no new calls, running ones finish."""
    from voicebot.app import serve as run

    run_until_signal(run, config)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the calls; else the console stays up")] = False,
    calls: Annotated[int, typer.Option("--calls", min=1, max=200, help="How many calls to place")] = 8,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the results to this file")] = None,
    home: Annotated[Path | None, typer.Option("--home", help="Where to keep state; a fresh folder if left out")] = None,
) -> None:
    """Ring simulated debtors over real SIP on loopback and show what came of it."""
    from voicebot.demo.run import run_demo
    from voicebot.telemetry.logs import setup_logs

    setup_logs("WARNING")  # the screen belongs to the calls; its processes log into the folder it names
    raise typer.Exit(run_demo(once=once, calls=calls, json_file=json_file, home=home))


# --- speech ----------------------------------------------------------------------------------------------------


@asr.command("transcribe")
def asr_transcribe(
    wavs: Annotated[list[Path], typer.Argument(help="8 or 16 kHz mono WAV files")],
    engine: Annotated[
        str, typer.Option("--engine", help="embedded, sherpa:NAME, whisper:NAME or remote:ws://HOST:PORT")
    ] = "embedded",
    as_json: AsJson = False,
) -> None:
    """Transcribe WAV files as the bot would hear them, with partials."""
    from voicebot.asr.transcribe import AudioFileError, transcribe_file

    failed = False
    for wav in wavs:
        row: dict[str, Any]
        try:
            row = transcribe_file(wav, engine)
        except AudioFileError as error:
            failed, row = True, {"path": str(wav), "error": str(error)}
        except (ValueError, FileNotFoundError) as error:
            fail(str(error))
        print_row(row) if as_json else typer.echo(f"{row['path']}: {row.get('text', row.get('error'))}")
    raise typer.Exit(1 if failed else 0)


@tts.command("say")
def tts_say(
    text: str,
    out: Annotated[Path, typer.Option("--out", help="WAV file to write, 8 kHz mono")],
    voice: Annotated[str | None, typer.Option("--voice", help="For example f3 or m4:rate=150,pitch=40")] = None,
    engine: Annotated[str, typer.Option("--engine", help="embedded, piper:NAME or recorded:FOLDER")] = "embedded",
) -> None:
    """Speak a text into a WAV file."""
    import wave

    from voicebot.audio.frames import RATE
    from voicebot.tts.synthesizer import load_synthesizer

    try:
        pcm = load_synthesizer(engine).synthesize(text, voice)
        with out.open("wb") as file, wave.open(file, "wb") as wav:
            wav.setnchannels(1)
            wav.setsampwidth(2)
            wav.setframerate(RATE)
            wav.writeframes(pcm)
    except (ValueError, OSError, RuntimeError) as error:
        fail(str(error))


# --- understanding ---------------------------------------------------------------------------------------------


@intent.command("predict")
def intent_predict(file: RowsFile) -> None:
    """Intents, emotion and slots of each utterance."""
    from voicebot.intent.rows import predict_row
    from voicebot.intent.understander import Understander

    understander = Understander()
    _map_rows(file, lambda row: predict_row(row, understander))


@slots.command("parse")
def slots_parse(file: RowsFile) -> None:
    """Dates, times, amounts and digits of each utterance."""
    from voicebot.intent.rows import slots_row

    _map_rows(file, slots_row)


@speech.command("check")
def speech_check(file: RowsFile) -> None:
    """Which sentences may not be said, and why."""
    from voicebot.compliance.rows import check_row

    _map_rows(file, check_row)


@rules.command("judge")
def rules_judge(file: RowsFile) -> None:
    """May we dial? With rule, reason and the time from which it is allowed."""
    from voicebot.compliance.rows import judge_row

    _map_rows(file, judge_row)


# --- call scripts ----------------------------------------------------------------------------------------------


@script.command("check")
def script_check(files: list[Path], as_json: AsJson = False) -> None:
    """Check call scripts: schema, graph, law, and every sentence by the speech gate."""
    from voicebot.pipeline.script_review import review_files

    findings = review_files(files)
    if as_json:
        print_row(findings)
    else:
        for found in findings:
            place = f"{found['file']}:{found['line']}:{found['column']}"
            typer.echo(f"{place}: {found['severity']} {found['code']}: {found['message']}")
    raise typer.Exit(1 if any(found["severity"] == "error" for found in findings) else 0)


@script.command("schema")
def script_schema() -> None:
    """Print the JSON Schema of script files, for editors."""
    from voicebot.dialog.json_schema import schema_text

    typer.echo(schema_text(), nl=False)


@script.command("simulate")
def script_simulate(
    script_file: Annotated[Path, typer.Argument(metavar="SCRIPT")],
    personas: Annotated[
        str | None, typer.Option("--personas", help="JSON Lines; - for standard input; the shipped ones if left out")
    ] = None,
    as_json: AsJson = False,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    count: Annotated[
        int | None, typer.Option("--count", min=1, max=100_000, help="So many calls; beyond the personas, varied ones")
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", help="Baseline to compare with; exit code 1 when worse")
    ] = None,
    save: Annotated[Path | None, typer.Option("--save", help="Write the baseline of these calls")] = None,
    audio: Annotated[bool, typer.Option("--audio", help="Ring them over real SIP, with voices")] = False,
) -> None:
    """Run a call script against simulated debtors, in text or, with --audio, as telephone calls."""
    from voicebot.cli.simulation import Simulation, run

    lines = None if personas is None else _lines(personas)
    raise typer.Exit(run(Simulation(script_file, lines, seed, count, as_json, against, save, audio), _one_row))
