"""Synthesis: text becomes telephone speech."""
