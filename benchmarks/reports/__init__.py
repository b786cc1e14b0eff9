"""How long a report over a million calls takes, beside the same figures from bare SQL over the calls."""
