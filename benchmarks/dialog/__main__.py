"""How many steps of the dialog engine, and how many sentences of the speech gate, one core does.

    python -m benchmarks.dialog [--calls N] [--script NAME] [--seed N] [--json]

A step is one event: an answer, a silence, the report that a sentence was spoken to its end, a hang-up. Answers alone
are counted beside. Time is CPU time of this process, the best of three rounds; nothing else is measured with it.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import time
from collections.abc import Callable

from benchmarks.dialog.calls import NOW, calls
from voicebot.dialog.actions import Say
from voicebot.dialog.engine import initial, step
from voicebot.dialog.events import Heard
from voicebot.dialog.loader import find_script, load_script
from voicebot.domain.case import CallFacts
from voicebot.pipeline.live_gate import LiveGate

_ROUNDS = 3


def measure(script_name: str, count: int, seed: int) -> dict[str, object]:
    """Steps, answers and gate checks per second of CPU time, with the 99th percentile of a gate check in ms."""
    script = load_script(find_script(script_name))
    played = list(calls(script, count, seed))
    sentences: list[tuple[CallFacts, bool, str]] = []

    def play() -> None:
        for facts, events in played:
            state = initial(script, facts)
            for event in events:
                state, _ = step(script, state, event)

    for facts, events in played[:400]:
        state = initial(script, facts)
        for event in events:
            state, actions = step(script, state, event)
            sentences += [(facts, state.verified, action.text) for action in actions if isinstance(action, Say)]
    steps = sum(len(events) for _, events in played)
    answers = [[event for event in events if isinstance(event, Heard)] for _, events in played]
    seconds = _best(play)
    checks, slowest = _gate(sentences)
    return {
        "script": script_name,
        "calls": count,
        "steps": steps,
        "answers": sum(map(len, answers)),
        "steps_per_s": round(steps / seconds),
        "steps_per_min": round(steps / seconds * 60),
        "us_per_step": round(seconds / steps * 1e6, 1),
        "us_per_answer": round(_answer_us(script_name, count, seed), 1),
        "gate_checks_per_s": round(checks),
        "gate_p99_ms": round(slowest, 3),
        "cpu": platform.processor() or platform.machine(),
        "python": platform.python_version(),
    }


def _answer_us(script_name: str, count: int, seed: int) -> float:
    """CPU time of a step that answers somebody, in microseconds: the dearest kind of step."""
    script = load_script(find_script(script_name))
    before = []
    for facts, events in calls(script, count, seed):
        state = initial(script, facts)
        for event in events:
            if isinstance(event, Heard) and state.phase == "listening":
                before.append((state, event))
            state, _ = step(script, state, event)

    def play() -> None:
        for state, event in before:
            step(script, state, event)

    return _best(play) / len(before) * 1e6


def _gate(sentences: list[tuple[CallFacts, bool, str]]) -> tuple[float, float]:
    gates = []
    for facts, verified, text in sentences:
        gate = LiveGate(CallFacts(facts.call_id, NOW, facts.case))
        gate.verified = verified
        gates.append((gate, text))
    gates[0][0].pass_on(gates[0][1])
    times = []
    for gate, text in gates:
        began = time.process_time_ns()
        gate.pass_on(text)
        times.append(time.process_time_ns() - began)
    return len(times) / (sum(times) / 1e9), sorted(times)[len(times) * 99 // 100] / 1e6


def _best(work: Callable[[], None]) -> float:
    """CPU seconds of the best of some rounds."""
    rounds = []
    for _ in range(_ROUNDS):
        gc.collect()
        began = time.process_time()
        work()
        rounds.append(time.process_time() - began)
    return min(rounds)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dialog")
    parser.add_argument("--calls", type=int, default=1200)
    parser.add_argument("--script", default="reminder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    row = measure(given.script, given.calls, given.seed)
    if given.json:
        print(json.dumps(row))
        return
    for name, figure in row.items():
        print(f"{name:20} {figure:,}" if isinstance(figure, (int, float)) else f"{name:20} {figure}")


if __name__ == "__main__":
    main()
