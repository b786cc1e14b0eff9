"""Names of the prompts that the line keeps for itself."""

from __future__ import annotations

APOLOGY = "apology"
"""Spoken when the brain is gone; rendered by the brain in advance from its call script catalogue."""
