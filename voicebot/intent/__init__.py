"""Understanding: words and question to intents, emotion, slots and danger."""
