"""The pyVoIP process: one registered extension in a process of its own, which may hang or die without the line.

pyVoIP is GPL-3, an extra, and only ever loaded here. It speaks UDP and PCMU, sends no CANCEL, no hold, no REFER.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from typing import Any

import numpy as np

from voicebot.telephony.pyvoip_wire import Kind, Message, WireError, message, read_from

LOOK_EVERY_S = 0.02
REGISTERED_WITHIN_S = 10.0
FRAME = 160


def to_linear(unsigned: bytes) -> bytes:
    """pyVoIP's 8-bit samples around 128 -> s16le."""
    return bytes(((np.frombuffer(unsigned, np.uint8).astype(np.int16) - 128) << 8).astype("<i2"))


def to_unsigned(pcm: bytes) -> bytes:
    """s16le -> pyVoIP's 8-bit samples around 128, rounded."""
    samples = np.frombuffer(pcm, "<i2").astype(np.int32)
    return bytes(np.clip(((samples + 128) >> 8) + 128, 0, 255).astype(np.uint8))


def mend_pcma() -> None:
    """pyVoIP 1.6.8 sends mu-law bytes as PCMA, which is noise to the peer; its later sources send A-law."""
    from pyVoIP.RTP import PayloadType, RTPClient

    as_shipped = RTPClient.encode_packet

    def encode_packet(self: Any, payload: bytes) -> bytes:
        encoded = self.encode_pcma(payload) if self.preference == PayloadType.PCMA else as_shipped(self, payload)
        return bytes(encoded)

    RTPClient.encode_packet = encode_packet


class Extension:
    """Runs pyVoIP and says over `wire` what happens."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self._lock = threading.Lock()
        self._calls: dict[int, Any] = {}
        self._next = 1 << 16  # incoming calls; outgoing ones are numbered by the line
        self._phone: Any = None

    def say(self, said: Message) -> None:
        with self._lock:
            self._wire.sendall(said.encode())

    def start(self, settings: dict[str, str]) -> None:
        """Register. What is wrong is said as FAILED."""
        from pyVoIP.VoIP.VoIP import VoIPPhone

        mend_pcma()
        low, high = int(settings["rtp_low"]), int(settings["rtp_high"])
        self._phone = VoIPPhone(
            settings["server"], int(settings["port"]), settings["user"], settings["password"], settings["host"],
            self._on_incoming, int(settings["sip_port"]), low, high,
        )  # fmt: skip
        threading.Thread(target=self._register, daemon=True).start()

    def _register(self) -> None:
        """`start` blocks until the registrar has answered, or for half a minute."""
        try:
            self._phone.start()
        except Exception as error:
            self.say(message(Kind.FAILED, why=f"pyVoIP can't register: {error!r}"[:300]))
            return
        self._watch_registration()

    def _watch_registration(self) -> None:
        from pyVoIP.VoIP.status import PhoneStatus

        until = time.monotonic() + REGISTERED_WITHIN_S
        while time.monotonic() < until:
            status = self._phone.get_status()
            if status is PhoneStatus.REGISTERED:
                self.say(message(Kind.READY))
                return
            if status is PhoneStatus.FAILED:
                break
            time.sleep(LOOK_EVERY_S)
        self.say(message(Kind.FAILED, why="the registrar does not take us: see user and password of the trunk"))

    # --- what the line says --------------------------------------------------------------------------------

    def obey(self, order: Message) -> None:
        if order.kind is Kind.SOUND:
            self._exchange(order.call, order.body)
        elif order.kind is Kind.PING:
            self.say(Message(Kind.PONG, 0))
        elif order.kind is Kind.DIAL:
            threading.Thread(target=self._dial, args=(order.call, str(order.data["number"])), daemon=True).start()
        elif order.kind is Kind.ANSWER:
            self._do(order.call, "answer")
        elif order.kind is Kind.REJECT:
            self._do(order.call, "deny")
        elif order.kind is Kind.HANG_UP:
            self._do(order.call, "hangup")

    def _do(self, number: int, verb: str) -> None:
        call = self._calls.get(number)
        if call is None:
            return
        try:
            getattr(call, verb)()
        except Exception as error:  # pyVoIP's own, and whatever its state makes of it
            print(f"{verb}: {error!r}", file=sys.stderr)

    def _dial(self, number: int, target: str) -> None:
        """`call` may never come back, for 407, 183 or 486 as first answer: the line watches over that."""
        try:
            call = self._phone.call(target)
        except Exception as error:
            self.say(message(Kind.ENDED, number, by="error", status=None, reason=f"pyVoIP: {error!r}"[:200]))
            return
        self._calls[number] = call
        self.say(message(Kind.DIALLED, number, id=str(call.call_id)))
        self._follow(number, call)

    def _on_incoming(self, call: Any) -> None:
        number, self._next = self._next, self._next + 1
        self._calls[number] = call
        headers = call.request.headers
        self.say(
            message(
                Kind.INCOMING,
                number,
                id=str(headers["Call-ID"]),
                remote=f"sip:{headers['From']['number']}@{headers['From']['host']}",
                called=str(headers["To"]["number"]),
            )
        )
        self._follow(number, call)

    def _follow(self, number: int, call: Any) -> None:
        """Tell changes of state until the end; pyVoIP has no events."""
        from pyVoIP.VoIP.VoIP import CallState

        before = None
        while call.state is not CallState.ENDED:
            if call.state is not before and call.state is CallState.ANSWERED:
                self.say(message(Kind.ANSWERED, number))
            before = call.state
            digit = call.get_dtmf()
            if digit:
                self.say(message(Kind.KEY, number, digit=digit))
            time.sleep(LOOK_EVERY_S)
        self._calls.pop(number, None)
        answered = before is CallState.ANSWERED
        status, reason = (None, "the peer hung up") if answered else (480, "not available")
        self.say(message(Kind.ENDED, number, by="remote", status=status, reason=reason))

    def _exchange(self, number: int, pcm: bytes) -> None:
        """20 ms each way, in step with the line's clock."""
        from pyVoIP.VoIP.VoIP import CallState

        call = self._calls.get(number)
        if call is None or call.state is not CallState.ANSWERED or not call.RTPClients:
            return
        call.write_audio(to_unsigned(pcm))
        heard = call.read_audio(FRAME, blocking=False)
        self.say(Message(Kind.HEARD, number, to_linear(heard)))

    def stop(self) -> None:
        for number in list(self._calls):
            self._do(number, "hangup")
        if self._phone is not None:
            self._phone.stop()


def main() -> int:
    """`python -m voicebot.telephony.pyvoip_process FD`; settings in PYVOIP_… variables, never in arguments."""
    wire = socket.socket(fileno=int(sys.argv[1]))
    names = ("server", "port", "user", "password", "host", "sip_port", "rtp_low", "rtp_high")
    settings = {name: os.environ.pop(f"PYVOIP_{name.upper()}") for name in names}
    extension = Extension(wire)
    try:
        extension.start(settings)
    except Exception as error:
        extension.say(message(Kind.FAILED, why=f"pyVoIP can't start: {error!r}"[:300]))
        return 1
    stream = wire.makefile("rb")
    try:
        while (order := read_from(stream)) is not None and order.kind is not Kind.STOP:
            extension.obey(order)
    except (WireError, OSError) as error:
        print(f"the line's connection broke: {error!r}", file=sys.stderr)
    threading.Thread(target=extension.stop, daemon=True).start()
    time.sleep(0.5)  # BYE and un-REGISTER go out; pyVoIP waits for answers that may never come
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
