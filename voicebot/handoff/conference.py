"""Conference: the people of one call, mixed once per 20 ms for each of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from voicebot.audio.frames import cut
from voicebot.handoff.audibility import Floor, Part, hears
from voicebot.handoff.levels import LevelControl, Mixer

_DEPTH = 3
"""Frames kept per pair; more means that one leg's clock runs ahead, and the oldest is dropped."""
Music = Callable[[], bytes]


class Party:
    """One person's place; an AudioPort for their leg. `part` may change while they talk."""

    def __init__(self, conference: Conference, part: Part, name: str) -> None:
        self.part = part
        self.name = name
        self.said: bytes | None = None
        """Their last frame, as the others hear it; taken by `take_said`."""
        self.heard_ms = 0
        """How much of what was played to them alone they were sent."""
        self.played = asyncio.Event()
        self.played.set()
        self.music: Music | None = None
        self._conference = conference
        self._level = LevelControl()
        self._mixer = Mixer()
        self._private: deque[bytes] = deque()
        self._inbox: dict[Party | None, deque[bytes]] = {}

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        """Their leg's 20 ms: what they say goes in, what they hear comes out."""
        self.said = self._level(received)
        self._conference.spread(self, self.said)
        return self.listen()

    def listen(self) -> bytes | None:
        """What they hear now: what is played to them alone, else the others, else music where there is any."""
        if self._private:
            self.heard_ms += 20
            frame = self._private.popleft()
            if not self._private:
                self.played.set()
            return frame
        frames = self._others()
        return self._mixer(frames) if frames or self.music is None else self.music()

    def play(self, pcm: bytes) -> None:
        """Play s16le, 8 kHz, to them alone; nobody else is heard meanwhile. `played` is set at its end."""
        self._private.extend(cut(pcm))
        self.heard_ms = 0
        if self._private:
            self.played.clear()

    def stop_playing(self) -> None:
        self._private.clear()
        self.played.set()

    def take_said(self) -> bytes | None:
        said, self.said = self.said, None
        return said

    def hear(self, speaker: Party | None, frame: bytes) -> None:
        """Something to hear next time; None speaks for the bot."""
        self._inbox.setdefault(speaker, deque(maxlen=_DEPTH)).append(frame)

    def has_from(self, speaker: Party) -> bool:
        """Whether they are about to hear `speaker`."""
        return bool(self._inbox.get(speaker))

    def forget(self, speaker: Party) -> None:
        self._inbox.pop(speaker, None)

    def _others(self) -> list[bytes]:
        frames = []
        for speaker, waiting in self._inbox.items():
            if not self._conference.audible(self, speaker):
                waiting.clear()  # what was said before they parted is heard by nobody
            elif waiting:
                frames.append(waiting.popleft())
        return frames


class Conference:
    """Who is in the call, and on what floor. The debtor is here from the beginning."""

    def __init__(self) -> None:
        self.floor = Floor()
        self.debtor = Party(self, Part.DEBTOR, "debtor")
        self.parties: list[Party] = [self.debtor]

    def join(self, part: Part, name: str) -> Party:
        party = Party(self, part, name)
        self.parties.append(party)
        return party

    def leave(self, party: Party) -> None:
        """Gone; one who is not here is no error."""
        if party in self.parties:
            self.parties.remove(party)
        for other in self.parties:
            other.forget(party)

    def with_part(self, part: Part) -> Party | None:
        return next((party for party in self.parties if party.part is part), None)

    def audible(self, listener: Party, speaker: Party | None) -> bool:
        return hears(listener.part, speaker.part if speaker else Part.BOT, self.floor)

    def spread(self, speaker: Party | None, frame: bytes) -> None:
        """Everybody who may hear `speaker` gets the frame; None speaks for the bot."""
        for listener in self.parties:
            if listener is not speaker and self.audible(listener, speaker):
                listener.hear(speaker, frame)
