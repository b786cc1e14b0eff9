"""Campaigns: cases come in, are dialled within the law, and followed up."""
