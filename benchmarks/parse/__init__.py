"""How long our parser takes for usual messages, beside a foreign one in the same run."""
