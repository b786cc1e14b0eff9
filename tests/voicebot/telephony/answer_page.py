"""Writes docs/reference/answers.md from the table of answers: `python -m tests.voicebot.telephony.answer_page`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from voicebot.telephony.outcome import GENERIC, Answer, answers

PAGE = Path(__file__).parents[3] / "docs/reference/answers.md"
HEAD = """# What the network's answers mean

Made from `voicebot/telephony/data/answers.toml` by `python -m tests.voicebot.telephony.answer_page`; a test holds both
together. It decides the disposition of a call that nobody answered, and whether a trunk or the callee was the reason.

* An announcement heard before the answer (空号, 已关机, 已停机 …) beats everything: carriers in mainland China play one
  in early media and end it with whatever status is at hand.
* A Q.850 cause (header Reason, RFC 3326) beats the SIP status, save the weak causes {weak}, which say less.
* A SIP cause in Reason beats the statuses {generic}, behind which somebody else's answer may stand.
* An unlisted status is read as the x00 of its class (RFC 3261 8.1.3.2), an unlisted cause as the last of its class.
* No final answer at all: failed, the trunk's doing, another trunk is tried.

**Retry**: never: the number is dead; next_day: not again today; later: in hours; soon: in minutes; other_trunk: at
once over another trunk, when nobody was rung; fix: not before somebody has acted. When a number is really dialled again
is decided by `voicebot/campaign/redial.py` and the rulebook. **Blame**: callee, network (behind the trunk), trunk (it,
or the contract with it), us (this installation). Source "ours": a decision of this product.

"""


def answer_page() -> str:
    table = answers()
    weak = ", ".join(str(cause) for cause in sorted(table.weak))
    generic = ", ".join(str(status) for status in sorted(GENERIC))
    sip, q850 = _table("status", table.sip.values()), _table("cause", table.q850.values())
    announcements = _table("cue", table.announcements.values())
    tables = f"## SIP\n\n{sip}\n## Q.850\n\n{q850}\n## Announcements\n\n{announcements}"
    return HEAD.format(weak=weak, generic=generic) + tables


def _table(what: str, rows: Iterable[Answer]) -> str:
    lines = [f"| {what} | name | disposition | retry | blame | source |", "|---|---|---|---|---|---|"]
    lines += [f"| {r.code} | {r.name} | {r.disposition} | {r.retry} | {r.blame} | {r.source} |" for r in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(answer_page(), encoding="utf-8")
