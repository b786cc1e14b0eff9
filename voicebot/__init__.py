"""voicebot: a telephone agent for respectful, lawful debt reminders."""

__version__ = "0.1.0"
