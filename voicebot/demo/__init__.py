"""The demonstration: a whole installation that rings simulated debtors, and what came of it."""
