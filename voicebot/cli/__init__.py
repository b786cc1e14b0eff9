"""The command line: `voicebot …` and `python -m voicebot.cli …`."""

from voicebot.cli.commands import main

__all__ = ["main"]
