"""AnswerWatch: is this a machine? By the words of announcements and greetings, and by the beep. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ANNOUNCEMENTS = (
    ("empty_number", re.compile(r"空号|号码不存在|号码有误|已过期")),
    ("power_off", re.compile(r"关机")),
    ("suspended", re.compile(r"停机|暂停服务|已停止")),
    ("out_of_service", re.compile(r"不在服务区|无法接通|暂时无法接|不能接通")),
    ("busy", re.compile(r"正在通话中|通话中请稍后|用户正忙")),
)
_GREETING = re.compile(
    r"(?:嘀|滴|哔|提示音|信号音)声?.{0,4}(?:后|之后).{0,4}(?:留|录)|请.{0,3}留言|语音信箱|留下.{0,6}(?:口信|姓名|电话)|留言信箱"
    r"|(?:主人|机主).{0,6}(?:不方便|不便|无法|没法|不能)|智能助理|电话助理|通话助理|代接"
)
WATCH_MS = 30_000
"""How long after the start of sound a machine may still reveal itself."""


@dataclass(frozen=True, slots=True)
class Machine:
    """`kind`: voicemail or announcement; `cue`: what gave it away; `beep`: the beep was heard."""

    kind: str
    cue: str
    beep: bool = False


class AnswerWatch:
    """Fed with partial and final texts and with beeps; tells at most once per kind of cue."""

    def __init__(self) -> None:
        self._found: Machine | None = None
        self._beeped = self._ruled_out = False

    def rule_out(self) -> None:
        """A person was recognised: nothing counts from now on, but what was found stays found."""
        self._ruled_out = True

    @property
    def found(self) -> Machine | None:
        return self._found

    def text(self, text: str, *, answered: bool, at_ms: int) -> Machine | None:
        """A transcript so far. Announcements count before the answer and just after it."""
        if self._found is not None or self._ruled_out or at_ms > WATCH_MS:
            return None
        for cue, pattern in _ANNOUNCEMENTS:
            if pattern.search(text) and (not answered or re.search(r"您拨打|您所拨|拨叫|用户", text)):
                return self._is(Machine("announcement", cue))
        if answered and _GREETING.search(text):
            return self._is(Machine("voicemail", "greeting"))
        return None

    def beep(self, at_ms: int) -> Machine | None:
        """The beep: alone it says voicemail, after a greeting it says that one may speak now."""
        if self._beeped or self._ruled_out or at_ms > WATCH_MS or (self._found and self._found.kind != "voicemail"):
            return None
        self._beeped = True
        return self._is(Machine("voicemail", "beep", beep=True))

    def _is(self, machine: Machine) -> Machine:
        self._found = machine
        return machine
