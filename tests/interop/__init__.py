"""A whole installation, called by telephones that know nothing of it."""
