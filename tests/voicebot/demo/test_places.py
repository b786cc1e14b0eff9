"""Each persona on a foreign phone has a phone and a port of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from voicebot.demo import foreign_phone
from voicebot.demo.persona import Persona, load_personas
from voicebot.demo.run import _places, _start_foreign_phones
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
    places = _places(tmp_path, personas)
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
    places = _places(tmp_path, personas)
    assert {places.phones.of(persona) for persona in personas} == {places.phones.far_end}
