"""How long a caller waits for an answer, and how punctual the line is meanwhile."""
