"""A debtor on somebody else's telephone: SIPp answers, speaks one sentence after the opening, and waits.

    python -m voicebot.demo.foreign_phone HOST:PORT FOLDER PERSONA_ID

Proof that the line talks to a stack we did not write; used where `sipp` is installed (Debian: sip-tester).
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from sip.codec import PCMA
from voicebot.config import host_port
from voicebot.demo.persona import Persona, load_personas
from voicebot.domain.understanding import Topic
from voicebot.tts.synthesizer import load_synthesizer
from voicebot.worker.lifeline import end_with_parent

PROGRAM = "sipp"
OPENING_MS = 10_500
"""How long the bot's opening lasts, with a little to spare: SIPp speaks without listening."""

_SCENARIO = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="debtor">
  <recv request="INVITE"/>
  <send><![CDATA[
SIP/2.0 180 Ringing
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Length: 0

]]></send>
  <pause milliseconds="800"/>
  <send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
a=ptime:20
]]></send>
  <recv request="ACK"/>
  <pause milliseconds="{opening_ms}"/>
  <nop><action><exec rtp_stream="{sound},1,8"/></action></nop>
  <recv request="BYE"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""


def installed() -> bool:
    """Is SIPp there?"""
    return shutil.which(PROGRAM) is not None


def prepare(persona: Persona, folder: Path) -> Path:
    """Write the sentence as A-law and the scenario that plays it; the scenario's path."""
    folder.mkdir(parents=True, exist_ok=True)
    pcm = load_synthesizer().synthesize(persona.answer(Topic.OPEN, 0), persona.voice)
    sound = folder / f"{persona.id}.alaw"
    sound.write_bytes(PCMA.encode(pcm))
    scenario = folder / f"{persona.id}.xml"
    scenario.write_text(_SCENARIO.format(opening_ms=OPENING_MS, sound=sound))
    return scenario


def main() -> None:
    """Prepare, then become SIPp."""
    end_with_parent()
    listen, folder, name = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    persona = next(one for one in load_personas() if one.id == name)
    scenario = prepare(persona, folder)
    host, port = host_port(listen)
    os.chdir(folder)  # SIPp leaves its logs where it stands
    media = str(port + 2 if port < 60000 else port - 200)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # SIPp draws statistics all the time
    os.execvp(
        PROGRAM,
        [PROGRAM, "-sf", str(scenario), "-i", host, "-p", str(port), "-mi", host, "-mp", media, "-nostdin"],
    )


if __name__ == "__main__":
    main()
