"""`python -m benchmarks.replay [--calls N]`: sealed calls played through a script per second, one core, by variant.

One JSON row per variant: the journal's understanding believed, understood anew, and heard anew as well.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import tempfile
import time
from pathlib import Path

from voicebot.asr.recognizer import load_recognizer
from voicebot.config import scripts_dir
from voicebot.dialog import actions
from voicebot.dialog.engine import initial, step
from voicebot.dialog.events import Event, Heard, HungUp, Spoken, Started
from voicebot.dialog.loader import load_script
from voicebot.dialog.script import Script
from voicebot.domain.case import CallFacts, Case, Creditor, Debtor, Salutation
from voicebot.domain.clock import FixedClock
from voicebot.domain.journal import FactKind
from voicebot.domain.understanding import Topic
from voicebot.evidence.bundle import bundle_folder
from voicebot.evidence.recorder import Recorder
from voicebot.evidence.signer import Signer
from voicebot.intent.understander import Understander
from voicebot.pipeline.understand import as_fact
from voicebot.quality.calls_again import Candidate, ReplayError, again
from voicebot.quality.compare import Comparison, summary
from voicebot.tts.synthesizer import Synthesizer, load_synthesizer

BEGAN = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)
CASE = Case(
    "C1", Debtor("d1", "李振海", Salutation.MR, "4321", "0815"),
    Creditor("b1", "示范消费金融有限公司", "示范服务中心", "4008001234"), "消费分期", 126800, 3, BEGAN.date(),
)  # fmt: skip
TALKS = (
    ("我是", "四三二一", "我明天还", "对，没问题"),
    ("我是", "四三二一", "我失业了，没有钱", "不行"),
    ("你打错了，我不认识这个人",),
    ("我是", "四三二一", "我要转人工"),
)


class Call:
    """One call recorded as the line does it: sound, facts, and the engine's decisions."""

    def __init__(self, root: Path, name: str, script: Script, ears: Understander, voice: Synthesizer) -> None:
        self._clock, self._ears, self._voice, self._script = FixedClock(BEGAN), ears, voice, script
        self._state, self._topic = initial(script, CallFacts(name, BEGAN, CASE)), Topic.ANY
        folder = bundle_folder(root, name, BEGAN)
        self._recorder = Recorder(folder, name, clock=self._clock, environment={"host": "bench"})
        started = {"call_id": name, "case_id": "C1", "direction": "outbound", "amount_fen": 126800,
                   "overdue_days": 3, "as_of": "2026-11-24"}  # fmt: skip
        self._recorder.append(FactKind.STARTED, started)
        self._recorder.append(FactKind.ANSWERED, {})

    def talk(self, answers: tuple[str, ...], signer: Signer) -> Path:
        self._feed(Started(self._clock.now()))
        for answer in answers:
            pcm = self._voice.synthesize(answer, "m3")
            begin = self._recorder.ms
            self._sound(pcm)
            told = {"text": answer, "start_ms": begin, "end_ms": self._recorder.ms}
            self._sound(bytes(16_000))
            meant = self._ears.understand(answer, self._topic, self._clock.now())
            self._recorder.append(FactKind.HEARD, told)
            self._recorder.append(FactKind.UNDERSTOOD, as_fact(meant, self._topic))
            self._feed(Heard(self._clock.now(), meant))
        self._recorder.append(FactKind.ENDED, {"by": "remote"})
        self._feed(HungUp(self._clock.now()))
        return self._recorder.seal(signer)

    def _sound(self, pcm: bytes) -> None:
        for at in range(0, len(pcm) - 319, 320):
            self._recorder.tick(bytes(320), pcm[at : at + 320], False)
            self._clock.advance(dt.timedelta(milliseconds=20))

    def _feed(self, event: Event) -> None:
        self._state, todo = step(self._script, self._state, event)
        for action in todo:
            match action:
                case actions.Say(text=text, node=node):
                    self._recorder.append(FactKind.SAYING, {"text": text, "node": node})
                    self._sound(bytes(320 * 10 * len(text)))
                case actions.Verified(by=by):
                    self._recorder.append(FactKind.VERIFIED, {"by": by})
                case actions.RecordPromise(promise=promise):
                    date, fen = promise.date.isoformat(), promise.amount_fen
                    made = {"date": date, "amount_fen": fen, "confirmed": promise.confirmed, "channel": promise.channel}
                    self._recorder.append(FactKind.PROMISED, made)
                case actions.Transfer(reason=reason, hold_text=hold, node=node):
                    if hold:
                        self._recorder.append(FactKind.SAYING, {"text": hold, "node": node})
                    self._recorder.append(FactKind.TRANSFER_STARTED, {"reason": reason})
                case actions.Listen(topic=topic):
                    self._topic = topic
                case actions.Explain():
                    told = {"from_node": action.from_node, "to_node": action.to_node, "branch": action.branch}
                    self._recorder.append(FactKind.DECIDED, {**told, "why": action.why})
                case actions.SetDisposition(disposition=disposition, why=why):
                    self._recorder.append(FactKind.DISPOSITION, {"disposition": disposition.value, "why": why})
        for action in todo:
            if isinstance(action, actions.Say) and action.utterance_id in self._state.owed:
                spoken = Spoken(self._clock.now(), action.utterance_id, 1000, 1000, interrupted=False)
                self._state, _ = step(self._script, self._state, spoken)


def main() -> None:
    """Record some calls, then play each many times."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=1000, help="how many are played")
    options.add_argument("--sealed", type=int, default=40, help="how many are recorded")
    chosen = options.parse_args()
    script, ears = load_script(scripts_dir() / "reminder.yaml"), Understander()
    other = load_script(scripts_dir() / "m1.yaml")
    with tempfile.TemporaryDirectory(prefix="vbreplay") as folder:
        signer, voice = Signer.load_or_create(Path(folder) / "keys"), load_synthesizer()
        bundles = [
            Call(Path(folder), f"call-{n}", script, ears, voice).talk(TALKS[n % len(TALKS)], signer)
            for n in range(chosen.sealed)
        ]
        _row("as understood then, same script", bundles, Candidate(script), chosen.calls)
        _row("as understood then, another script", bundles, Candidate(other), chosen.calls)
        _row("understood anew", bundles, Candidate(script, ears.understand), chosen.calls)
        anew = Candidate(script, ears.understand, load_recognizer())
        _row("heard and understood anew", bundles, anew, max(20, chosen.calls // 20))


def _row(name: str, bundles: list[Path], candidate: Candidate, calls: int) -> None:
    began, found = time.process_time(), list[Comparison]()
    for number in range(calls):
        try:
            found.append(again(bundles[number % len(bundles)], candidate, CASE)[0])
        except ReplayError as error:
            raise SystemExit(str(error)) from error
    cpu_s, told = time.process_time() - began, summary(found)
    row = {"variant": name, "calls": calls, "cpu_s": round(cpu_s, 2), "ms_per_call": round(1000 * cpu_s / calls, 2)}
    row |= {"calls_per_cpu_s": round(calls / cpu_s, 1), "same": told["same"], "other_way": told["other_way"]}
    print(json.dumps(row, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
