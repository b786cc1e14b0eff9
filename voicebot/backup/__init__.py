"""Backups: database, recordings, keys and the log of an installation, as one moment, and back from there."""
