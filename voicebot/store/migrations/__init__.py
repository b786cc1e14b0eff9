"""Migrations of the database, run by voicebot.store.migrate."""
