"""Each persona on a foreign phone has a phone and a port of their own."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from voicebot.config import load_settings
from voicebot.demo import foreign_phone, run
from voicebot.demo.persona import Persona, load_personas
from voicebot.demo.run import _start_foreign_phones, places_in
from voicebot.worker.supervisor import Child, Supervisor


class Watched(Supervisor):
    """Notes what would be started."""

    def __init__(self) -> None:
        super().__init__({})
        self.started: list[Child] = []

    def start(self, child: Child) -> None:
        self.started.append(child)


def cast() -> list[Persona]:
    shipped = load_personas()
    return [replace(one, foreign_phone=index < 2) for index, one in enumerate(shipped)] + [
        replace(shipped[0], foreign_phone=True)
    ]


def test_two_personas_get_two_phones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_phone, "installed", lambda: True)
    personas = cast()
    places = places_in(tmp_path, personas)
    supervisor = Watched()
    _start_foreign_phones(supervisor, places)
    assert len({child.name for child in supervisor.started}) == len(supervisor.started) == 2
    addresses = [places.phones.of(persona) for persona in personas]
    assert addresses[0] != addresses[1] and addresses[0] == addresses[-1]
    assert set(addresses[2:-1]) == {places.phones.far_end}
    assert len({places.sip, places.phones.far_end, *addresses[:2]}) == 4


def test_without_sipp_all_are_on_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_phone, "installed", lambda: False)
    personas = cast()
    places = places_in(tmp_path, personas)
    assert {places.phones.of(persona) for persona in personas} == {places.phones.far_end}


def test_a_demonstration_never_touches_the_operators_database_or_trunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "voicebot.toml"
    file.write_text('trunk = "203.0.113.9:5060"', encoding="utf-8")
    with monkeypatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("VOICEBOT_")]:
            patch.delenv(name)
        patch.setattr(os, "environ", {
            **os.environ,
            "VOICEBOT_DATABASE_URL": "postgresql://bot@db.bank.example/voicebot",
            "voicebot_trunk": "203.0.113.9:5060",
            "VOICEBOT_CONFIG": str(file),
            "VOICEBOT_MAX_CALLS": "many",
            "VOICEBOT_SYNTHESIZER": "espeak",
        })  # fmt: skip
        run.settle_in(run.places_in(tmp_path, run._cast(2)))
        settings = load_settings()
    assert settings.database_url is None and settings.trunk is None
    assert settings.home == tmp_path and settings.synthesizer == "espeak"
