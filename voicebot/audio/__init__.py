"""Sound as the telephone carries it: 8 kHz frames of 20 ms, and what can be told from them without words."""
