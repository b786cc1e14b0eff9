"""Simulated calls as telephone calls: the personas ring with voices over SIP, the rows are read from the journals."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console

from voicebot.app import AlreadyRunning
from voicebot.config import SettingsError
from voicebot.demo.casting import cast, write_cast
from voicebot.demo.persona import Persona
from voicebot.demo.results import DemoCall
from voicebot.demo.run import NotReady, on_stage, places_in, settle_in
from voicebot.domain.clock import SHANGHAI
from voicebot.domain.journal import Fact, FactKind
from voicebot.evidence.reading import read_journal
from voicebot.store.embedded import PostgresError


class NoCalls(RuntimeError):
    """The telephone calls could not be made; the message says why."""


def ring(script: Path, personas: Sequence[Mapping[str, Any]], seed: int = 0) -> list[dict[str, Any]]:
    """Ring every persona with this script and give rows as the simulator does, in the same order.

    Takes as long as the calls take, eight at a time. NoCalls when the installation does not come up.
    """
    people = cast(personas, seed)
    os.environ["VOICEBOT_SCRIPTS"] = str(script.resolve().parent)
    places = places_in(Path(tempfile.mkdtemp(prefix="voicebot-simulate-")), people)
    settle_in(places)
    file = places.home / "personas.json"
    write_cast(people, file)

    async def calls() -> list[DemoCall]:
        console = Console(stderr=True)
        async with on_stage(places, console, people, script=script.stem, cast=file) as stage:
            return await stage.watch(people, console)

    try:
        made: list[DemoCall] = uvloop.run(calls())
    except (NotReady, AlreadyRunning, SettingsError, PostgresError) as error:
        raise NoCalls(str(error)) from error
    return _in_order(people, personas, made)


def _in_order(
    people: Sequence[Persona], personas: Sequence[Mapping[str, Any]], made: Iterable[DemoCall]
) -> list[dict[str, Any]]:
    by_person = {call.persona.id: call for call in made}
    return [
        row_of(persona["id"], by_person[person.id])
        if person.id in by_person
        else {"id": persona["id"], "error": "cannot simulate: the call did not end in time"}
        for person, persona in zip(people, personas, strict=True)
    ]


def row_of(persona_id: object, call: DemoCall) -> dict[str, Any]:
    """A row of the simulator from one telephone call; `law` holds what the live gate kept from being said."""
    facts = read_journal(call.bundle)
    path = [[str(f.data[key]) for key in ("from_node", "to_node", "branch")] for f in _of(facts, FactKind.DECIDED)]
    said = [str(fact.data["node"]) for fact in _of(facts, FactKind.SAYING)]
    return {
        "id": persona_id,
        "call_date": call.record.started_at.astimezone(SHANGHAI).date().isoformat(),
        "disposition": call.disposition,
        "handoff": call.handoff,
        "promise": call.promise,
        "disclosed_before_verified": call.leaked,
        "verified": bool(_of(facts, FactKind.VERIFIED)),
        "ending": said[-1] if said else "",
        "law": [_held_back(fact) for fact in _of(facts, FactKind.NOTE) if fact.data.get("text") == "speech gate"],
        "duration_s": call.duration_s,
        "bundle": str(call.bundle),
        "path": path,
        "turns": _turns(facts),
    }


def _held_back(note: Fact) -> dict[str, Any]:
    return {"node": "", "text": note.data["blocked"], "rules": note.data["rules"]}


def _of(facts: Sequence[Fact], kind: FactKind) -> list[Fact]:
    return [fact for fact in facts if fact.kind is kind]


def _turns(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    node = ""
    for fact in facts:
        if fact.kind is FactKind.SAYING:
            node = str(fact.data["node"])
            turns.append({"speaker": "bot", "text": fact.data["text"], "node": node, "intents": []})
        elif fact.kind is FactKind.UNDERSTOOD:
            found = fact.data["intents"]
            intents = [score["id"] for score in found] if isinstance(found, list) else []
            turns.append({"speaker": "callee", "text": fact.data["text"], "node": node, "intents": intents})
    return turns
