"""Strategies: read from YAML, those that ship and those of the installation; mistakes are named by file and step."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from voicebot.domain.outcome import Disposition
from voicebot.domain.stage import FIRMEST, Tone, stage_of
from voicebot.domain.strategy import AfterCall, Hand, Means, Order, Step, Strategy, Then
from voicebot.strategy.policy_text import PolicyError, Section, read

FOLDER = "strategies"
"""In VOICEBOT_HOME: the installation's own; one of the same id takes the place of ours."""

CHANNELS = ("sms", "wechat", "email", "push", "letter")
MOST_DAYS_ON = 60
StrategyError = PolicyError
"""A strategy can't be used; the sentence names the file, the place in it and the remedy."""

_TONES = {tone.word: tone for tone in Tone}
_RISKS = {"up": 1, "same": 0, "down": -1}
_ENDS = frozenset(
    {
        Disposition.DO_NOT_CALL,
        Disposition.WRONG_NUMBER,
        Disposition.THIRD_PARTY,
        Disposition.COMPLAINT,
        Disposition.VULNERABLE,
        Disposition.DISPUTE,
    }
)
"""After these nothing but a person may follow."""


def load_strategies(home: Path | None) -> Mapping[str, Strategy]:
    """Every strategy of files, by id. StrategyError for the first that is wrong."""
    return {file.removesuffix(".yaml"): parse_strategy(text, file) for file, text in texts_of(FOLDER, home).items()}


def texts_of(folder: str, home: Path | None) -> dict[str, str]:
    """The YAML files of a folder by name, ours and the installation's. PolicyError where one can't be read."""
    shipped = resources.files(__package__).joinpath("data", folder)
    texts = {entry.name: entry.read_text("utf-8") for entry in shipped.iterdir() if entry.name.endswith(".yaml")}
    own = sorted((home / folder).glob("*.yaml")) if home is not None else []
    for file in own:
        try:
            texts[file.name] = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyError(f"{file} can't be read ({error}): save it as UTF-8") from error
    return dict(sorted(texts.items()))


def parse_strategy(source: str, name: str) -> Strategy:
    """One strategy; its id is the file's name. StrategyError."""
    top = read(source, name)
    top.only("title", "steps", "hold_out", "after", "order")
    steps = tuple(_step(part) for part in top.sections("steps", "days, and a call or a message", "step"))
    after: tuple[AfterCall, ...] = ()
    if "after" in top:
        after = tuple(_after(part) for part in top.sections("after", "outcome, risk, then", "rule"))
    return Strategy(
        name.removesuffix(".yaml"),
        top.text("title", "give it a title for people", 60),
        steps,
        top.share("hold_out", 0.0, 0.5),
        after,
        Order(top.choice("order", tuple(Order), Order.DUE)),
    )


def _step(part: Section) -> Step:
    part.only("days", "call", "message", "hours", "by", "tone", "channels", "otherwise", "notice")
    days = _days(part)
    means, words = _means(part)
    by = Hand(part.choice("by", tuple(Hand), Hand.BOT))
    for key, fits in (("channels", Means.MESSAGE), ("otherwise", Means.MESSAGE), ("by", Means.CALL)):
        if key in part and means is not fits:
            part.fail(key, f"goes with a {fits.value} alone")
    if "notice" in part and (means is not Means.CALL or by is not Hand.BOT):
        part.fail("notice", "announces a call of the bot alone")
    return Step(
        days,
        means,
        words,
        part.hours("hours"),
        by,
        _tone(part, days),
        part.names("channels", CHANNELS) or (),
        part.name("otherwise", "otherwise names a script") if "otherwise" in part else None,
        part.name("notice", "notice names a template") if "notice" in part else None,
    )


def _means(part: Section) -> tuple[Means, str]:
    means = [means for means in Means if means.value in part]
    if len(means) != 1:
        part.fail("", "give either call (a script) or message (a template)")
    what = "script" if means[0] is Means.CALL else "template"
    return means[0], part.name(means[0].value, f"{means[0]} names a {what}")


def _days(part: Section) -> tuple[int, ...]:
    raw: Any = part.raw("days")
    if not isinstance(raw, list) or not raw or not all(map(_is_day, raw)):
        part.fail("days", "days is a list of whole numbers from -60 to 3650, such as [1, 7, 15]")
    if len(set(raw)) != len(raw):
        part.fail("days", "a day stands twice")
    return tuple(sorted(map(int, raw)))


def _is_day(raw: object) -> bool:
    return isinstance(raw, int) and not isinstance(raw, bool) and -60 <= raw <= 3650


def _tone(part: Section, days: tuple[int, ...]) -> Tone | None:
    if "tone" not in part:
        return None
    tone = _TONES[part.choice("tone", tuple(_TONES), "")]
    for day in days:
        stage = stage_of(day)
        if tone > FIRMEST[stage]:
            part.fail("tone", f"{tone.word} is too firm for day {day} ({stage}): at most {FIRMEST[stage].word}")
    return tone


def _after(part: Section) -> AfterCall:
    part.only("outcome", "times", "risk", "then")
    named = part.names("outcome", tuple(item.value for item in Disposition))
    if named is None:
        part.fail("outcome", "name the outcomes, such as [refusal]")
    outcomes = frozenset(map(Disposition, named))
    then = _then(part.inner("then")) if "then" in part else None
    risk = _RISKS[part.choice("risk", tuple(_RISKS), "same")]
    if not risk and then is None:
        part.fail("", "say what becomes of the risk (up, down), or what is done then")
    ends = outcomes & _ENDS
    if ends and then is not None and then.by is not Hand.HUMAN:
        part.fail("then", f"after {min(ends)} nothing but `by: human` may follow")
    return AfterCall("+".join(named), outcomes, part.whole("times", 1, 20, 1) or 1, risk, then)


def _then(part: Section) -> Then:
    part.only("call", "message", "in_days", "by", "hours")
    means, words = _means(part)
    if "by" in part and means is Means.MESSAGE:
        part.fail("by", "goes with a call alone")
    by = Hand(part.choice("by", tuple(Hand), Hand.BOT))
    return Then(means, words, part.whole("in_days", 0, MOST_DAYS_ON, 1) or 0, by, part.hours("hours"))
