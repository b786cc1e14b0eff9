"""`python -m benchmarks.quality [--phrases N]`: how soon after forbidden words of an agent the alarm is there.

Agents talk on after the words, as people do. Rows: milliseconds of sound from the last sound of the forbidden phrase to
the alert, phrases without one, alarms in lawful talk, and from the alert to the wall through a database.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from loguru import logger as pipecat_logger

from voicebot.asr.recognizer import load_recognizer
from voicebot.audio.frames import SILENCE, cut
from voicebot.audio.vad import VoiceActivity
from voicebot.config import scripts_dir
from voicebot.domain.case import CallFacts, Case, Creditor, Debtor, Salutation
from voicebot.domain.clock import SystemClock
from voicebot.domain.journal import FactKind
from voicebot.domain.records import AlertKind
from voicebot.domain.talk import AGENT_SIDE, Gone, Note, Opened, PickedUp
from voicebot.intent.is_complete import is_complete_answer
from voicebot.intent.understander import Understander
from voicebot.pipeline.hearing import Hearing
from voicebot.pipeline.live_gate import LiveGate
from voicebot.store import EmbeddedPostgres, Store, migrate
from voicebot.tts.cache import PromptCache
from voicebot.tts.synthesizer import load_synthesizer
from voicebot.worker.brain import Brain
from voicebot.worker.ticks import Tick

HANDS = Path(__file__).resolve().parents[2] / "voicebot/compliance/data/gate-hands.jsonl.gz"
TALKS_ON = "我跟你说这个事情你自己好好想一想到底应该怎么处理我们都在等你的消息呢"
DAY = dt.date(2026, 11, 24)
CASE = Case(
    "C1", Debtor("d1", "李振海", Salutation.MR, "4321", "0815"),
    Creditor("b1", "示范消费金融有限公司", "示范服务中心", "4008001234"), "消费分期", 860000, 35, DAY,
)  # fmt: skip
BEGAN = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)


class Line:
    """A call in which an agent talks; the brain hears it tick by tick."""

    def __init__(self) -> None:
        understander = Understander()
        self._voice = load_synthesizer()
        hearing = Hearing(
            load_recognizer(), VoiceActivity(), lambda text, topic: is_complete_answer(text, topic, understander)
        )
        self._brain = Brain(hearing, understander, PromptCache(self._voice), SystemClock(), scripts_dir())
        self._tick = 0

    async def said(self, call: int, texts: Sequence[str]) -> tuple[list[int], int, str]:
        """When alarms came (milliseconds), the end of the first text, and what was heard of one agent's talk."""
        self._brain.take(Opened(call, CallFacts(f"c{call}", BEGAN, CASE), "reminder", answered=True, silent=True))
        self._brain.take(PickedUp(call))
        for _ in range(20):
            await asyncio.sleep(0)
        spoken = [self._voice.synthesize(text, "m3").strip(b"\0") for text in texts]
        spoken = [pcm[: len(pcm) // 2 * 2] for pcm in spoken]
        alarms, heard = list[int](), ""
        for number, frame in enumerate([*cut(b"".join(spoken)), *[SILENCE] * 80]):
            self._tick += 1
            self._brain.take(Tick(self._tick, ((call, SILENCE), (call | AGENT_SIDE, frame))))
            await asyncio.sleep(0)
            for message in self._brain.outgoing():
                if isinstance(message, Note) and message.kind is FactKind.GATE_ALERT:
                    alarms.append((number + 1) * 20)
                if isinstance(message, Note) and message.kind is FactKind.AGENT_HEARD:
                    heard += str(message.data["text"])
        self._brain.take(Gone(call))
        await self._brain.forget_all()
        return alarms, len(spoken[0]) // 16, heard


async def _phrases(line: Line, gate: LiveGate, unlawful: Sequence[str], lawful: Sequence[str]) -> None:
    waits, missed, worked = [], 0, time.process_time()
    for call, text in enumerate(unlawful, 1):
        alarms, end_ms, _ = await line.said(call, [text, TALKS_ON])
        if alarms:
            waits.append(alarms[0] - end_ms)
        missed += not alarms
    waits.sort()
    soon = sum(wait <= 1500 for wait in waits)
    _row("forbidden phrase to alert, agent talks on", phrases=len(unlawful), alarmed=len(waits), missed=missed,
         median_ms=statistics.median(waits), p95_ms=waits[int(0.95 * (len(waits) - 1))], worst_ms=waits[-1],
         within_1500_ms=soon, cpu_s=round(time.process_time() - worked, 1))  # fmt: skip
    misheard = on_the_way = 0
    for call, text in enumerate(lawful, 10_000):
        alarms, _, heard = await line.said(call, [text])
        misheard += bool(alarms and gate.alerts(heard))
        on_the_way += bool(alarms and not gate.alerts(heard))
    _row("alarms in lawful talk", sentences=len(lawful), misheard=misheard, before_the_sentence_was_whole=on_the_way)


async def _wall(rings: int) -> None:
    with tempfile.TemporaryDirectory(prefix="vbquality") as folder:
        server = EmbeddedPostgres(Path(folder) / "pg")
        url = server.start()
        try:
            migrate(url)
            async with Store.from_url(url) as store:
                await _rung(store, rings)
        finally:
            server.stop()


async def _rung(store: Store, rings: int) -> None:
    news = store.alerts.listen()
    await anext(news)  # "": read afresh
    took = []
    for _ in range(rings):
        began = time.perf_counter()
        await store.alerts.ring(AlertKind.GATE, "不还钱就要坐牢", dt.datetime.now(dt.UTC), call_id="c1")
        while not await anext(news):
            pass
        assert await store.alerts.open()
        took.append(1000 * (time.perf_counter() - began))
    await news.aclose()  # type: ignore[attr-defined]
    _row("alert to the wall, through the database", rings=rings, median_ms=round(statistics.median(took), 1),
         worst_ms=round(max(took), 1))  # fmt: skip


def _row(name: str, **figures: object) -> None:
    print(json.dumps({"what": name, **figures}, ensure_ascii=False), flush=True)


def main() -> None:
    """Print one JSON row per figure."""
    pipecat_logger.remove()  # pipecat tells of every step
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--phrases", type=int, default=60)
    chosen = options.parse_args()
    gate = LiveGate(CallFacts("c", BEGAN, CASE))
    with gzip.open(HANDS, "rt", encoding="utf-8") as lines:
        told = [json.loads(line) for line in lines]
    told = [row for row in told if row["speaker"] == "agent" and 8 <= len(row["text"]) <= 30]
    unlawful = [row["text"] for row in told if row["violations"] and gate.alerts(row["text"])]
    lawful = [row["text"] for row in told if not row["violations"] and not gate.alerts(row["text"])]
    asyncio.run(_phrases(Line(), gate, unlawful[:: max(1, len(unlawful) // chosen.phrases)], lawful[: chosen.phrases]))
    asyncio.run(_wall(50))


if __name__ == "__main__":
    main()
