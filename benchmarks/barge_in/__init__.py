"""Who talks over the bot: how soon it falls silent for words, and that it does not for company."""
