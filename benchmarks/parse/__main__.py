"""`python -m benchmarks.parse`: microseconds of CPU per INVITE, 200 and BYE, ours and sipmessage's.

"read" also asks for the fields that every transaction needs: Via, From, To, CSeq, Call-ID and Contact.
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.parse.samples import KINDS
from sip.message import parse_message

MESSAGES = 5000
#: The best of so many rounds counts: the others say how busy the machine was.
ROUNDS = 7

Parse = Callable[[bytes], object]


def read(data: bytes) -> object:
    message = parse_message(data)
    return message.via, message.from_, message.to, message.cseq, message.call_id, message.contact


def foreign() -> dict[str, Parse]:
    """The parser of the sipmessage package, where it is installed."""
    try:
        parse: Parse = importlib.import_module("sipmessage").Message.parse
    except ImportError:
        return {}
    return {"sipmessage": parse}


def microseconds(parse: Parse, messages: list[bytes]) -> float:
    """CPU time per message."""
    start = time.process_time()
    for data in messages:
        parse(data)
    return (time.process_time() - start) / len(messages) * 1e6


def run() -> dict[str, dict[str, float]]:
    """Our parser and the others in turn, so that a busy moment meets all of them."""
    parsers: dict[str, Parse] = {"ours": parse_message, "ours, read": read, **foreign()}
    samples = {kind: [make(number) for number in range(MESSAGES)] for kind, make in KINDS.items()}
    best = {name: dict.fromkeys(samples, float("inf")) for name in parsers}
    for _ in range(ROUNDS):
        for name, parse in parsers.items():
            for kind, messages in samples.items():
                best[name][kind] = min(best[name][kind], microseconds(parse, messages))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parse", description=__doc__)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = run()
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    sizes = ", ".join(f"{kind} {len(make(7))} bytes" for kind, make in KINDS.items())
    print(f"microseconds of CPU per message ({sizes}), best of {ROUNDS} rounds of {MESSAGES}")
    for name, row in figures.items():
        print(f"{name:12}", *(f"{kind} {value:6.1f}" for kind, value in row.items()))


if __name__ == "__main__":
    main()
