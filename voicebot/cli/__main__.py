"""`python -m voicebot.cli`."""

from voicebot.cli.commands import main

main()
