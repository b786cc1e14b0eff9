"""What one call sends: speech and digits, numbered, encrypted where agreed."""

import secrets
import socket
from typing import Final

from sip.codec import Speech
from sip.media.nat import Address
from sip.media.port import SILENCE
from sip.media.shield import Shield
from sip.rtp import EventSender, Sequencer
from sip.sdp import Negotiated


class Sender:
    """Life: start (again on every re-INVITE), then speak once per tick."""

    def __init__(self) -> None:
        self.sequencer: Final = Sequencer(secrets.randbits(32), secrets.randbits(16), secrets.randbits(32))
        self.digits: Final = EventSender()
        self.unsent = 0
        self._speech: Speech | None = None
        self._shield: Shield | None = None
        self._payload_type = 0
        self._event_type: int | None = None
        self._sends = False
        self._silence: bytes | None = None

    def start(self, agreed: Negotiated, speech: Speech, shield: Shield | None) -> None:
        self._speech, self._shield = speech, shield
        self._payload_type, self._event_type = agreed.payload_type, agreed.telephone_event
        self._sends = agreed.direction in ("sendrecv", "sendonly")
        self.digits.units = agreed.event_clock // 50
        self.sequencer.count_in(speech.units)
        self._silence = getattr(speech, "silent_frame", None)

    def speak(self, sock: socket.socket, pcm: bytes | None, tick: int, remote: Address) -> None:
        """Send this tick's 20 ms (None: silence), or the key that is being pressed."""
        speech = self._speech
        if not self._sends or speech is None:
            return
        data = self._key_press(tick) if self.digits.busy else None
        if data is None:
            payload = self._silence if pcm is None and self._silence else speech.encode(pcm or SILENCE)
            data = self.sequencer.audio(payload, self._payload_type, tick)
        if self._shield is not None:
            data = self._shield.protect(data)
        try:
            sock.sendto(data, remote)
        except (OSError, OverflowError):
            self.unsent += 1  # to the peer it is one lost packet, whatever the reason

    def _key_press(self, tick: int) -> bytes | None:
        pressed = None if self._event_type is None else self.digits.tick(tick)
        if pressed is None or self._event_type is None:
            return None
        return self.sequencer.event(pressed.payload, self._event_type, tick, pressed.started)
