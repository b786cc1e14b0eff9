"""A telephone on pyVoIP, in a process of its own because its threads can hang.

    python simple_phone.py call|answer SERVER_PORT OWN_PORT SECONDS LOUD

It hangs up when it has heard LOUD bytes that were not silence, or after SECONDS.
Prints one JSON object: whether the call stood, and how many such bytes there were. pyVoIP sends
everything to its one server and always registers first; here the server is the line itself, which is no registrar.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import warnings

warnings.simplefilter("ignore")
from pyVoIP.VoIP import CallState, VoIPCall, VoIPPhone  # noqa: E402

IP = "127.0.0.1"
SILENCE = 128
"""pyVoIP gives 8-bit unsigned linear sound."""


def listen(call: VoIPCall, seconds: float, enough: int) -> dict[str, object]:
    """Hear the call until enough of it was loud, saying nothing but silence."""
    heard = loud = 0
    until = time.monotonic() + seconds
    while loud <= enough and time.monotonic() < until and call.state is CallState.ANSWERED:
        sound = call.read_audio(160, blocking=False)
        heard += len(sound)
        loud += sum(abs(sample - SILENCE) > 4 for sample in sound)
        call.write_audio(bytes([SILENCE]) * 160)
        time.sleep(0.02)
    return {"answered": heard > 0, "heard": heard, "loud": loud, "state": call.state.name}


def main() -> None:
    role, server_port, own_port, seconds, enough = sys.argv[1], *map(int, sys.argv[2:6])
    rung: list[VoIPCall] = []
    phone = VoIPPhone(
        IP, server_port, "simple", "", myIP=IP, callCallback=rung.append, sipPort=own_port,
        rtpPortLow=48000, rtpPortHigh=48100,
    )  # fmt: skip
    phone.sip.register = lambda: True
    phone.start()
    print(json.dumps({"ready": True}), flush=True)
    threading.Timer(seconds + 25, lambda: os._exit(3)).start()
    call = phone.call("reception") if role == "call" else _rung(rung)
    if role == "answer":
        call.answer()
    until = time.monotonic() + 10
    while call.state is not CallState.ANSWERED and time.monotonic() < until:
        time.sleep(0.02)
    result = listen(call, seconds, enough)
    if call.state is CallState.ANSWERED:
        call.hangup()
    print(json.dumps(result), flush=True)
    time.sleep(0.5)
    os._exit(0)  # its receiver threads would wait for ever


def _rung(rung: list[VoIPCall]) -> VoIPCall:
    until = time.monotonic() + 15
    while not rung and time.monotonic() < until:
        time.sleep(0.02)
    return rung[0]


if __name__ == "__main__":
    main()
