"""Voices of the embedded synthesizer: espeak-ng variants and how they are spoken."""

from dataclasses import dataclass, replace

DEFAULT_VARIANT = "f3"

# Variants of espeak-ng 1.52 whose tones stay audible on the telephone.
VARIANTS: tuple[str, ...] = tuple("""
    Alex Alicia Andrea Andy Annie AnxiousAndy Denis Diogo Gene Gene2 Henrique Hugo Jacky Lee Marco Mario
    Michael Mike Nguyen Reed RicishayMax RicishayMax2 RicishayMax3 Storm Tweaky UniRobot adam anika
    anikaRobot announcer antonio aunty belinda benjamin boris croak david ed edward edward2 f1 f2 f3 f4
    f5 fast grandma grandpa gustave ian iven iven2 iven3 iven4 john kaukovalta klatt m1 m2 m3 m4 m5 m6
    m7 m8 marcelo max michel miguel mike2 norbert pablo paul pedro quincy rob robert robosoft robosoft2
    robosoft3 robosoft6 robosoft8 sandro shelby steph travis victor
""".split())  # fmt: skip  # noqa: SIM905
# Never used in training: the honest half of the recogniser's test.
HELD_OUT: tuple[str, ...] = tuple("Alicia Andy Jacky aunty belinda ian klatt m8 paul quincy robosoft3 steph".split())  # noqa: SIM905
SEEN = tuple(v for v in VARIANTS if v not in HELD_OUT)


@dataclass(frozen=True, slots=True)
class VoiceSpec:
    """One way to speak. `rate` is words per minute (80-300), `pitch` 0-99, `level_dbfs` the RMS of speech.

    `range` (0-99) is how far the tones move the pitch; deep voices get less of it.
    """

    variant: str = DEFAULT_VARIANT
    rate: int = 190
    pitch: int = 50
    range: int = 75
    level_dbfs: float = -20.0

    @property
    def key(self) -> str:
        """The same voice in the notation of `parse_voice`."""
        settings = f"rate={self.rate},pitch={self.pitch},range={self.range},level={self.level_dbfs:g}"
        return f"{self.variant}:{settings}"


def parse_voice(voice: "str | VoiceSpec | None", rate: int | None = None) -> VoiceSpec:
    """Reads `f3` or `m4:rate=150,pitch=40,range=80`. Raises ValueError naming the part that is wrong."""
    if isinstance(voice, VoiceSpec):
        return replace(voice, rate=rate) if rate else voice
    variant, _, settings = (voice or DEFAULT_VARIANT).partition(":")
    if variant not in VARIANTS:
        raise ValueError(f"unknown voice {variant!r}: choose one of {', '.join(VARIANTS)}")
    spec = VoiceSpec(variant)
    for setting in filter(None, settings.split(",")):
        name, _, value = setting.partition("=")
        spec = _with_setting(spec, name.strip(), value.strip())
    return replace(spec, rate=rate) if rate else spec


def _with_setting(spec: VoiceSpec, name: str, value: str) -> VoiceSpec:
    limits = {"rate": (80, 300), "pitch": (0, 99), "range": (0, 99), "level": (-60, 0)}
    if name not in limits:
        raise ValueError(f"unknown voice setting {name!r}: choose one of {', '.join(limits)}")
    low, high = limits[name]
    try:
        number = float(value)
    except ValueError:
        raise ValueError(f"voice setting {name}={value!r} is not a number") from None
    if not low <= number <= high:
        raise ValueError(f"voice setting {name}={value} is outside {low}..{high}")
    match name:
        case "rate":
            return replace(spec, rate=int(number))
        case "pitch":
            return replace(spec, pitch=int(number))
        case "range":
            return replace(spec, range=int(number))
    return replace(spec, level_dbfs=number)
