"""Preflight: can the chosen engines be loaded at all? Asked in a process of its own before anything is started."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

from voicebot.config import Settings, SettingsError

_EMBEDDED = ("embedded", "embedded")
_REFUSED = 3
_WITHIN_S = 300


def check_engines(settings: Settings) -> None:
    """SettingsError, with the remedy, for a recogniser or a voice that can't be loaded.

    What ships with the product is there, and is only looked for where VOICEBOT_MODELS points elsewhere.
    """
    chosen = (settings.recognizer, settings.synthesizer)
    if not settings.synthesizer.startswith("piper") and importlib.util.find_spec("espeakng_loader") is None:
        raise SettingsError(
            f"VOICEBOT_SYNTHESIZER={settings.synthesizer}: the embedded voice is not installed: "
            "pip install 'voicebot[espeak]', or set another one (docs/how-to/other-models.md)"
        )
    if chosen == _EMBEDDED and "VOICEBOT_MODELS" not in os.environ:
        return
    command = [sys.executable, "-m", "voicebot.worker.preflight", *chosen]
    tried = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=_WITHIN_S, check=False)
    if tried.returncode == _REFUSED:
        raise SettingsError(tried.stdout.strip())
    if tried.returncode != 0:
        raise SettingsError(f"the engines {' and '.join(chosen)} end the process that loads them, see above")


def refusal(recognizer: str, synthesizer: str) -> str | None:
    """Why one of the engines can't be loaded, naming the setting; None when both can."""
    from voicebot.asr.recognizer import load_recognizer
    from voicebot.tts.synthesizer import load_synthesizer

    try:
        load_recognizer(recognizer)
    except (ValueError, OSError, RuntimeError) as error:
        return f"VOICEBOT_RECOGNIZER={recognizer}: {error}"
    try:
        load_synthesizer(synthesizer)
    except (ValueError, OSError, RuntimeError) as error:
        return f"VOICEBOT_SYNTHESIZER={synthesizer}: {error}"
    return None


if __name__ == "__main__":  # python -m voicebot.worker.preflight RECOGNIZER SYNTHESIZER
    if (told := refusal(sys.argv[1], sys.argv[2])) is not None:
        print(told)
        sys.stdout.flush()
        os._exit(_REFUSED)  # libraries of engines may hold threads
    sys.stdout.flush()
    os._exit(0)
