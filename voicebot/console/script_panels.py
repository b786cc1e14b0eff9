"""Script panels: problems, versions, tests and simulations of a script as boxes beside its flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from voicebot.console.icons import icon
from voicebot.console.markup import Attribute, Child, tag
from voicebot.console.script_bench import Workbench
from voicebot.console.script_runs import Run, Worst
from voicebot.console.shell import empty
from voicebot.console.words import Words
from voicebot.dialog.checker import Finding
from voicebot.domain.script_version import Play, ScriptVersion, Split, VersionState
from voicebot.quality.trial import Trial
from voicebot.store.replays import ReplayRun

STATE_TONES = {
    VersionState.DRAFT: "warn",
    VersionState.REVIEWED: "accent",
    VersionState.PUBLISHED: "good",
    VersionState.RETIRED: "",
}
_SHOWN_FINDINGS = 200


def state_chip(words: Words, state: VersionState) -> Markup:
    return tag("span", words(f"script.state.{state.value}"), cls=f"chip dot {STATE_TONES[state]}".strip())


# -- problems


def problems_panel(words: Words, bench: Workbench) -> Markup:
    """Everything the compiler says, errors first; a click goes to the line."""
    findings = sorted(bench.reading.findings, key=lambda f: (f.severity.value != "error", not bench.own(f), f.line))
    if not findings:
        return tag("p", icon("check"), words("script.problems.none"), cls="fine")
    return tag("ul", *(_finding(words, bench, finding) for finding in findings[:_SHOWN_FINDINGS]), cls="findings")


def _finding(words: Words, bench: Workbench, finding: Finding) -> Markup:
    own = bench.own(finding)
    place = f"{finding.line}:{finding.column}" if own else words("script.problems.elsewhere", file=finding.file)
    help_at = f"/scripts/help/{finding.code}"
    code = tag("a", words("script.problems.help"), href=help_at, target="_blank", cls="code", title=finding.code)
    title = words(f"finding.{finding.code}")
    text = tag("span", tag("b", title), " ", finding.message, cls="grow", title=finding.remedy)
    line: dict[str, Attribute] = {"data_line": finding.line, "tabindex": "0", "role": "button"} if own else {}
    sign = icon("alert" if finding.severity.value == "error" else "info")
    return tag("li", sign, tag("span", place, cls="place"), text, code, cls=finding.severity.value, **line)


def problems_count(words: Words, bench: Workbench) -> Markup:
    errors = len(bench.errors)
    warnings = len(bench.reading.findings) - errors
    if not errors and not warnings:
        return tag("span", words("script.problems.none"), cls="chip good")
    chips = (("errors", errors, "bad"), ("warnings", warnings, "warn"))
    return tag(
        "span",
        *(tag("span", words(f"script.problems.{n}", count=c), cls=f"chip {tone}") for n, c, tone in chips if c),
        cls="line",
    )


# -- versions


def writers(version: ScriptVersion) -> list[str]:
    """Everybody who wrote at it; none of them may review it."""
    return version.written_by.split(", ")


@dataclass(frozen=True, slots=True)
class Rights:
    """What this person may do with scripts."""

    who: str
    write: bool
    publish: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """Real calls played through versions: kept reports by the SHA-256 of the text, and what runs by number."""

    kept: Mapping[str, ReplayRun]
    running: Mapping[int, Trial]


def versions_panel(
    words: Words, versions: Sequence[ScriptVersion], shares: Mapping[int, float], split: Split | None, rights: Rights,
    tried: Tried,
) -> Markup:  # fmt: skip
    """All versions, newest first, with the step that is open to each."""
    rows = [_version(words, version, shares.get(version.number), rights, tried) for version in versions]
    return tag("div", tag("ol", *rows, cls="versions"), _split(words, versions, split, rights), cls="stack")


def _version(words: Words, version: ScriptVersion, share: float | None, rights: Rights, tried: Tried) -> Markup:
    air = tag("span", f"{share:.0%}", cls="chip accent") if share is not None and share < 1 else None
    who = [words("script.by", who=version.written_by, when=words.moment(version.written_at))]
    if version.reviewed_by:
        who.append(words("script.by.review", who=version.reviewed_by))
    if version.published_by and version.published_at:
        who.append(words("script.by.publish", who=version.published_by, when=words.moment(version.published_at)))
    head = tag(
        "div",
        tag("b", words("script.version", number=version.number)),
        state_chip(words, version.state),
        air,
        tag("span", *_steps(words, version, rights), cls="steps"),
        cls="line",
    )
    note = tag("p", version.note) if version.note else None
    told = tag("p", " · ".join(who), cls="faint")
    mark = tag("code", version.sha256[:16], title=f"SHA-256 {version.sha256}")
    own = version.state is VersionState.DRAFT and rights.who in writers(version) and rights.publish
    eyes = tag("p", words("script.four_eyes"), cls="faint") if own else None
    hash_ = tag("p", words("script.hash"), " ", mark, cls="faint")
    trial = trial_line(words, tried.running.get(version.number), tried.kept.get(version.sha256))
    return tag("li", head, note, told, eyes, trial, hash_, data_number=version.number)


def trial_line(words: Words, running: Trial | None, kept: ReplayRun | None) -> Markup | None:
    """What real calls would have come to through a version; how far it is while they are played."""
    if running is not None and not running.done:
        percent = 100 * running.finished / max(1, running.total)
        bar = tag("div", tag("i", style=f"width:{percent:.1f}%"), cls="bar", role="progressbar",
                  aria_valuenow=running.finished)  # fmt: skip
        told = words("trial.running", done=f"{running.finished:,}", total=f"{running.total:,}")
        return tag("div", bar, tag("p", told, cls="muted num"), cls="stack", data_trial="running")
    if running is not None and running.failed:
        return tag("p", icon("alert"), words("trial.failed", why=running.failed), cls="note bad")
    if kept is None:
        return None
    found = kept.summary
    ways = words("replay.ways", same=found["same"], words=found["other_words"], way=found["other_way"])
    link = tag("a", words("trial.report"), href=f"/scripts/trials/{kept.id}", cls="btn small")
    return tag("p", words("trial.done", calls=f"{found['calls']:,}"), " ", ways, " ", link, data_trial="done")


def _steps(words: Words, version: ScriptVersion, rights: Rights) -> list[Markup]:
    number, state = version.number, version.state
    base = f"/api/scripts/{version.script}/{number}"
    steps = [tag("a", words("script.open"), href=f"/scripts/{version.script}?v={number}", cls="btn small")]
    if state is VersionState.DRAFT and rights.publish and rights.who not in writers(version):
        steps.append(_step(words, "review", f"{base}/review", number, "reviewed", "primary"))
    if state is VersionState.REVIEWED and rights.publish:
        steps.append(_step(words, "publish", f"{base}/publish", number, "published", "primary"))
    if state is VersionState.RETIRED and rights.publish:
        steps.append(_step(words, "rollback", f"{base}/roll-back", number, "rolledback", "danger solid"))
    if state in (VersionState.DRAFT, VersionState.REVIEWED):
        steps.append(
            tag("button", words("trial.start"), cls="btn small", type="button", data_post=f"{base}/trial",
                data_done=words("trial.started"), data_saved="script-versions", title=words("trial.lead"))
        )  # fmt: skip
    if state is VersionState.DRAFT and rights.write:
        steps.append(_step(words, "discard", f"{base}/discard", number, "discarded", "danger solid"))
    return steps


def _step(words: Words, verb: str, post: str, number: int, done: str, tone: str) -> Markup:
    return tag(
        "button",
        words(f"script.{verb}"),
        cls=f"btn small {'primary' if tone == 'primary' else ''}".strip(),
        type="button",
        data_post=post,
        data_done=words(f"script.{done}"),
        data_saved="script-versions",
        data_confirm=words(f"script.{verb}.ask", number=number),
        data_confirm_lead=words(f"script.{verb}.lead"),
        data_cancel=words("cancel"),
        data_verb=words(f"script.{verb}"),
        data_tone=tone,
    )


def _split(words: Words, versions: Sequence[ScriptVersion], split: Split | None, rights: Rights) -> Markup:
    aired = [v.number for v in versions if v.published_at]
    lead = tag("p", words("script.split.lead"), cls="muted")
    if len(aired) < 2 or not rights.publish:
        few = tag("p", words("script.split.few"), cls="faint") if rights.publish else None
        return tag("section", tag("h3", words("script.split")), lead, few, cls="split")
    first, second = sorted(aired)[-2:]
    hold_out = round(100 * split.hold_out) if split else 10

    def choice(name: str, chosen: int) -> Markup:
        options = [tag("option", str(n), value=n, selected=n == chosen) for n in aired]
        return tag(
            "label", tag("span", words(f"script.split.{name}")), tag("select", *options, name=name, cls="select")
        )

    def percent(name: str, value: int, least: int, most: int) -> Markup:
        entry = tag("input", type="number", name=name, min=least, max=most, value=value, cls="input")
        return tag("label", tag("span", words(f"script.split.{name}")), entry)

    form = tag(
        "form",
        choice("a", first),
        choice("b", second),
        percent("share", 50, 1, 99),
        percent("holdout", hold_out, 0, 90),
        tag("button", words("script.split.start"), cls="btn", type="submit"),
        cls="campaign-form",
        data_form=f"/api/scripts/{versions[0].script}/split",
        data_done=words("script.split.done"),
        data_saved="script-versions",
    )
    return tag("section", tag("h3", words("script.split")), lead, form, cls="split")


# -- tests


def plays_panel(words: Words, plays: Sequence[Play], results: Mapping[str, Sequence[str]], may_write: bool) -> Markup:
    """Kept conversations; `results` holds what differs, by name, for those that were run."""
    if not plays:
        return empty("check", words("script.plays.none"), words("script.plays.none.lead"), small=True)
    run = tag("button", icon("play"), words("script.plays.run"), cls="btn small", type="button", data_plays_run=True)
    listed = tag("ul", *(_play(words, play, results.get(play.name), may_write) for play in plays), cls="plays")
    return tag("div", tag("div", run), listed, cls="stack")


def _play(words: Words, play: Play, result: Sequence[str] | None, may_write: bool) -> Markup:
    chip = None
    if result is not None:
        tone, key = ("bad", "fail") if result else ("good", "pass")
        chip = tag("span", words(f"script.plays.{key}"), cls=f"chip {tone}")
    head = tag(
        "div",
        tag("b", play.name),
        chip,
        tag("span", words("script.plays.turns", count=max(0, len(play.events) - 1)), cls="faint"),
        tag(
            "span",
            tag("button", words("script.plays.open"), cls="btn small", type="button", data_play_open=play.name),
            tag("button", words("script.plays.drop"), cls="btn small quiet", type="button", data_play_drop=play.name)
            if may_write
            else None,
            cls="steps",
        ),
        cls="line",
    )
    wrong = tag("ul", *(tag("li", sentence) for sentence in (result or ())[:6]), cls="wrong") if result else None
    made = tag("p", words("script.by", who=play.made_by, when=words.moment(play.made_at)), cls="faint")
    return tag("li", head, wrong, made, data_play=play.name)


# -- simulation


def run_panel(words: Words, run: Run | None) -> Markup:
    """Progress, then figures, endings and the worst calls."""
    if run is None:
        return empty("people", words("script.sim.none"), words("script.sim.lead"), small=True)
    if run.failed:
        return tag("p", icon("alert"), words("script.sim.failed", why=run.failed), cls="note bad")
    percent = 100 * run.finished / run.total
    bar = tag("div", tag("i", style=f"width:{percent:.1f}%"), cls="bar", role="progressbar", aria_valuenow=run.finished)
    told = tag("p", words("script.sim.running", done=f"{run.finished:,}", total=f"{run.total:,}"), cls="muted num")
    if not run.done:
        return tag("div", bar, told, cls="stack")
    return tag("div", _figures(words, run), _endings(words, run), _worst(words, run), cls="stack sim")


def _figures(words: Words, run: Run) -> Markup:
    known = run.figures

    def share(key: str) -> str:
        value = known.get(key)
        return "—" if value is None else f"{100 * value:.1f}%"

    law = known.get("calls_with_forbidden_speech", 0)
    leaks = known.get("disclosed_before_verified", 0)
    boxes = (
        ("calls", f"{known.get('calls', 0):,}", ""),
        ("promised", share("promises"), ""),
        ("handoff", share("handoffs"), ""),
        ("right", share("right_ending"), ""),
        ("disclosed", leaks, "bad" if leaks else "good"),
        ("law", law, "bad" if law else "good"),
        ("length", words.length(known.get("mean_seconds") or 0), ""),
    )
    return tag(
        "div",
        *(
            tag("div", tag("span", words(f"script.sim.{n}")), tag("b", value, cls=tone), cls="stat")
            for n, value, tone in boxes
        ),
        cls="panel stats",
        data_sim_figures=True,
    )


def _endings(words: Words, run: Run) -> Markup:
    endings: Mapping[str, int] = run.figures.get("dispositions", {})
    most = max(endings.values(), default=1)
    rows = [
        tag("li", tag("span", words(name)), tag("i", style=f"--w:{100 * count / most:.1f}%"), tag("b", f"{count:,}"))
        for name, count in endings.items()
    ]
    return tag("section", tag("h3", words("script.sim.endings")), tag("ul", *rows, cls="endings"))


def _worst(words: Words, run: Run) -> Markup:
    rows = [_call(words, worst) for worst in run.worst]
    return tag("section", tag("h3", words("script.sim.worst")), tag("ul", *rows, cls="worst"))


def _call(words: Words, worst: Worst) -> Markup:
    row, expect = worst.row, worst.persona.get("expect") or {}
    wanted = expect.get("disposition")
    chips: list[Child] = [tag("span", words(row["disposition"] or "—"), cls="chip")]
    if wanted and wanted != row["disposition"]:
        chips.append(tag("span", words("script.sim.expected", what=words(wanted)), cls="chip warn"))
    if row["disclosed_before_verified"]:
        chips.append(tag("span", words("script.sim.disclosed"), cls="chip bad"))
    chips += [tag("span", rule, cls="chip bad") for each in row["law"] for rule in each["rules"]]
    who = str(worst.persona.get("situation") or worst.persona.get("who") or row["id"])
    head = tag("summary", tag("b", who), *chips)
    turns = [_turn(turn) for turn in row["turns"]]
    return tag("li", tag("details", head, tag("ol", *turns, cls="chat small")))


def _turn(turn: Mapping[str, Any]) -> Markup:
    who = "bot" if turn["speaker"] == "bot" else "callee"
    return tag("li", tag("p", turn["text"] or "…", cls="text"), cls=who, data_node=turn["node"])
